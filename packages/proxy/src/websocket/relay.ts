import type { Duplex } from 'node:stream';
import type { UpgradedStream } from '../exchange/exchange.ts';
import type { Limits } from '../limits.ts';
import { ignoreError } from '../relay/linger.ts';
import type { ByteBudget } from '../tenant/byte-budget.ts';
import { CLOSE, type CloseCode, type Side, type WebSocketFault } from './frame.ts';
import { FrameWriter } from './frame-writer.ts';
import { type DirectionEvents, type DirectionLimits, OneDirection } from './one-direction.ts';
import type { RelayRules } from './rules.ts';

export type WebSocketLimits = DirectionLimits &
  Pick<Limits, 'idleTime' | 'lingerTime' | 'webSocketCloseTime'>;

export interface WebSocketRelayOptions {
  readonly client: UpgradedStream;
  /** Where the client wants to: the side that is called `server`. */
  readonly upstream: UpgradedStream;
  /** Undefined rules of a side: its messages pass unread. The same that the handshake was checked with. */
  readonly rules: RelayRules;
  /** permessage-deflate was agreed on in the handshake. */
  readonly deflate: boolean;
  readonly limits: WebSocketLimits;
  /** Shared by all connections of a sandbox. */
  readonly budget: ByteBudget;
}

/** How a connection came to its end; `from` and `by` name the side that did it. */
export type WebSocketEnd =
  /** By a close frame. 1005: one without a code. */
  | { readonly kind: 'closed'; readonly by: Side; readonly code: number }
  /** Without a close frame. */
  | { readonly kind: 'lost'; readonly by: Side }
  /** The rules did not let a message pass. */
  | { readonly kind: 'refused'; readonly from: Side; readonly reason: string }
  /** A side did what the protocol or a limit does not allow. */
  | { readonly kind: 'fault'; readonly from: Side; readonly code: CloseCode; readonly detail: string }
  /** The proxy ended it: by `close`, or because nothing moved. */
  | { readonly kind: 'ended'; readonly code: CloseCode; readonly detail: string };

export interface WebSocketResult {
  /** Bytes that the client sent and got, as frames. */
  readonly out: number;
  readonly in: number;
  /** Whole messages that were passed on. */
  readonly messages: { readonly [S in Side]: number };
  readonly durationMs: number;
  readonly end: WebSocketEnd;
}

export interface WebSocketRelay {
  /** Resolves when both sockets are closed. Never rejects. */
  readonly done: Promise<WebSocketResult>;
  /** Ends both sides with a close frame: 1012 where the policy does not allow the connection any more. */
  close(code: CloseCode, reason: string): void;
  /** The rules answer differently from now on: what is on its way and was allowed is asked about again. */
  reauthorize(): void;
}

/** Joins a client and a server after their handshake, until both are closed. Owns both sockets from now on. */
export const relayWebSocket = (options: WebSocketRelayOptions): WebSocketRelay => new Relay(options);

const otherOf = (side: Side): Side => (side === 'client' ? 'server' : 'client');
const SIDES: readonly Side[] = ['client', 'server'];

class Relay implements WebSocketRelay, DirectionEvents {
  readonly #limits: WebSocketLimits;
  readonly #sockets: { readonly [S in Side]: Duplex };
  readonly #writers: { readonly [S in Side]: FrameWriter };
  /** By the side that speaks. */
  readonly #directions: { readonly [S in Side]: OneDirection };
  readonly #startedAt = performance.now();
  readonly #done = Promise.withResolvers<WebSocketResult>();
  readonly #idle: NodeJS.Timeout;
  #patience: NodeJS.Timeout | undefined;
  readonly #closeFrames = new Set<Side>();
  #end: WebSocketEnd | undefined;
  #open = 2;

  constructor(options: WebSocketRelayOptions) {
    const { client, upstream, rules, limits } = options;
    this.#limits = limits;
    this.#sockets = { client: client.socket, server: upstream.socket };
    this.#writers = {
      client: new FrameWriter(client.socket, 'client'),
      server: new FrameWriter(upstream.socket, 'server'),
    };
    const direction = (from: Side): OneDirection =>
      new OneDirection({
        from,
        source: this.#sockets[from],
        sink: this.#writers[otherOf(from)],
        deflate: options.deflate,
        rules: rules[from],
        limits,
        budget: options.budget,
        events: this,
      });
    this.#directions = { client: direction('client'), server: direction('server') };
    this.#idle = setTimeout(() => this.close(CLOSE.goingAway, 'nothing moved for too long'), limits.idleTime);
    for (const side of SIDES) this.#watch(side);
    this.#directions.client.start(client.early);
    this.#directions.server.start(upstream.early);
  }

  get done(): Promise<WebSocketResult> {
    return this.#done.promise;
  }

  close(code: CloseCode, reason: string): void {
    this.#shut({ kind: 'ended', code, detail: reason }, { client: code, server: code }, reason);
  }

  reauthorize(): void {
    for (const side of SIDES) this.#directions[side].reauthorize();
  }

  moved(): void {
    this.#idle.refresh();
  }

  closed(from: Side, code: number): void {
    this.#end ??= { kind: 'closed', by: from, code };
    this.#closeFrames.add(from);
    this.#hurry(this.#limits.webSocketCloseTime);
    if (this.#closeFrames.size === 2) for (const side of SIDES) this.#sockets[side].end();
  }

  ended(from: Side): void {
    this.#end ??= { kind: 'lost', by: from };
    this.#hurry(this.#limits.webSocketCloseTime);
    // After a close frame the other side still has its own to send.
    if (!this.#closeFrames.has(from)) this.#sockets[otherOf(from)].end();
  }

  failed(from: Side, { code, detail }: WebSocketFault): void {
    const codes = {
      client: from === 'client' || !isOfProtocol(code) ? code : CLOSE.badGateway,
      server: from === 'server' || !isOfProtocol(code) ? code : CLOSE.goingAway,
    };
    const reason = isOfProtocol(code) ? `from the ${from}: ${detail}` : detail;
    this.#shut({ kind: 'fault', from, code, detail }, codes, reason);
  }

  refused(from: Side, reason: string): void {
    this.#shut({ kind: 'refused', from, reason }, { client: CLOSE.policy, server: CLOSE.policy }, reason);
  }

  /** Says why and ends both sides; the reason is for the client only. Input is dropped, so that the last words arrive. */
  #shut(end: WebSocketEnd, codes: { readonly [S in Side]: CloseCode }, reason: string): void {
    this.#end ??= end;
    for (const side of SIDES) this.#directions[side].stop();
    this.#hurry(this.#limits.lingerTime);
    for (const side of SIDES) {
      const [socket, writer] = [this.#sockets[side], this.#writers[side]];
      // Half a frame cannot be taken back: only a broken connection says that it is not whole.
      if (writer.withinFrame) {
        socket.destroy();
        continue;
      }
      writer.close(codes[side], side === 'client' ? reason : '');
      socket.end();
    }
  }

  /** From now on both sides have so long to end, unless they had been told before. */
  #hurry(time: number): void {
    this.#patience ??= setTimeout(() => {
      for (const side of SIDES) this.#sockets[side].destroy();
    }, time);
  }

  #watch(side: Side): void {
    const socket = this.#sockets[side];
    // What matters is that it closes.
    socket.on('error', ignoreError);
    socket.on('drain', () => this.#directions[otherOf(side)].drained());
    if (socket.closed) queueMicrotask(() => this.#gone(side));
    else socket.once('close', () => this.#gone(side));
  }

  #gone(side: Side): void {
    const other = otherOf(side);
    this.#open -= 1;
    // Nobody is there to take what the other says; what this side had said still arrives.
    this.#directions[other].stop();
    this.#directions[side].gone();
    this.#hurry(this.#limits.webSocketCloseTime);
    if (this.#closeFrames.has(side)) this.#sockets[other].end();
    if (this.#open > 0) return;
    clearTimeout(this.#idle);
    clearTimeout(this.#patience);
    this.#directions[side].stop();
    const { client, server } = this.#directions;
    this.#done.resolve({
      out: client.bytes,
      in: server.bytes,
      messages: { client: client.messages, server: server.messages },
      durationMs: Math.round(performance.now() - this.#startedAt),
      end: this.#end ?? { kind: 'lost', by: side },
    });
  }
}

/** Faults of one side that are none of the other's. */
const isOfProtocol = (code: CloseCode): boolean =>
  code === CLOSE.protocolError || code === CLOSE.notUtf8 || code === CLOSE.tooBig;
