import type { Side } from './frame.ts';

/** One message, for a decision. Only text is shown: what a binary message means nobody can tell. */
export type WebSocketMessage =
  | { readonly from: Side; readonly kind: 'text'; readonly text: string }
  | { readonly from: Side; readonly kind: 'binary' };

/** The message is not sent on and both sides are closed with 1008. */
export interface MessageRefusal {
  readonly action: 'deny';
  /** Shown to the client in its close frame, up to 123 bytes; for a person, without secrets. */
  readonly reason: string;
}

export type MessageVerdict = { readonly action: 'allow' } | MessageRefusal;

/** What happens to the messages of one side. */
export interface MessageRules {
  /**
   * May this message pass? Asked once for each, in order, before any byte of it is sent on. What it throws or rejects with
   * closes the connection.
   */
  authorize?(message: WebSocketMessage): MessageVerdict | Promise<MessageVerdict>;
  /** Gives the text that goes out for an allowed one: the client's with its credentials. */
  rewrite?(text: string): string | MessageRefusal | Promise<string | MessageRefusal>;
  /** Looks into an allowed binary message, decompressed, and may refuse it. */
  guard?(payload: Buffer): MessageRefusal | undefined;
  /**
   * Takes secrets out of everything of this side: text, binary messages, what control frames carry. Bytes that
   * are not UTF-8 are shown as Latin-1.
   */
  mask?(text: string): string;
}

/** The rules of both sides. A side without rules is checked frame by frame and passes unread. */
export type RelayRules = { readonly [S in Side]?: MessageRules | undefined };
