import type { Socket } from 'node:net';
import type { Generation } from '@openshell/base';
import type { RequestContent, RequestDecision } from '@openshell/policy';
import type { Limits } from '../limits.ts';
import type { ByteBudget } from '../tenant/byte-budget.ts';
import type { AlpnProtocol } from '../tls/intercept.ts';
import type { CancelKeys } from './cancel-keys.ts';

/** What policy is asked about: the statements of one message, or that they could not be understood. */
export type SqlContent = Extract<RequestContent, { readonly kind: 'sql' | 'malformed' }>;

/** A connection, or why there is none. `detail` and `remedy` are for a person and without secrets. */
export type SqlLeg =
  | { readonly kind: 'open'; readonly socket: Socket }
  | {
      readonly kind: 'failed';
      readonly code: string;
      readonly detail: string;
      readonly remedy?: string | undefined;
    };

export type SqlRecord =
  /** One per Query, Parse, or use of what was prepared under an older policy. Never the text of a statement. */
  | {
      readonly kind: 'statements';
      readonly content: SqlContent;
      readonly decision: RequestDecision;
      /** Whether the server got it. */
      readonly forwarded: boolean;
    }
  /** The connection was ended, or not begun, for a reason that is not a decision about a statement. */
  | { readonly kind: 'refused'; readonly code: SqlRefusalCode; readonly reason: string };

export type SqlRefusalCode =
  /** The start-up packet asks for what is not given. */
  | 'sql_startup'
  /** Something that is not the protocol, or beyond a limit. */
  | 'sql_protocol'
  /** A cancellation of something that this tenant does not run. */
  | 'sql_cancel'
  /** The authentication is bound to a TLS connection that is not this one. */
  | 'sql_channel_binding'
  /** TLS with the client failed. */
  | 'client_tls'
  /** No connection to the server, or not a trusted one. */
  | 'upstream';

export interface SqlOptions {
  /** Accepted; nobody else reads from it. */
  readonly client: Socket;
  /** What was read from it before. */
  readonly initial: Buffer;
  /** Canonical name and port of the server; for messages and for what a cancellation may reach. */
  readonly host: string;
  readonly port: number;
  /** Only reading is allowed: the server is told to enforce it as well. */
  readonly readOnly: boolean;
  /** Some rule names tables, so whatever hides which tables are meant is refused. */
  readonly tableRules: boolean;
  /** A connection to the checked address, without TLS. Called again for a second attempt without TLS. */
  openUpstream(): Promise<SqlLeg>;
  /**
   * Turns the client's connection into TLS with a certificate of the sandbox's authority. `initial` was read from it already;
   * empty when the client has not sent its hello yet. The protocol must be among those offered (RFC 7301), or absent.
   */
  intercept(socket: Socket, initial: Buffer, alpn: readonly AlpnProtocol[]): Promise<SqlLeg>;
  /** Turns a connection to the server into TLS, verified for `host`. */
  secureUpstream(socket: Socket, alpn: readonly AlpnProtocol[]): Promise<SqlLeg>;
  authorize(content: SqlContent): RequestDecision | Promise<RequestDecision>;
  /** That of the policy in force. A change makes what was prepared before be asked about again at its next use. */
  generation(): Generation;
  report(record: SqlRecord): void;
  /** One for the tenant: a cancellation comes on a connection of its own. */
  readonly cancelKeys: CancelKeys;
  /** What the tenant may hold in memory. */
  readonly held: ByteBudget;
  readonly limits: Limits;
  readonly signal: AbortSignal;
}

/** How a connection ended; as the relay tells it. */
export interface SqlResult {
  /** Bytes to and from the server. */
  readonly out: number;
  readonly in: number;
  readonly durationMs: number;
  /** Set when it did not end by itself. */
  readonly reason?: string;
}
