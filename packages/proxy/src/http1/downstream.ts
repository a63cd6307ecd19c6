import type { Socket } from 'node:net';
import type { BodyLength, BodySink } from '../exchange/body.ts';
import type { ClientExchange, RequestMessage, ResponseHead, UpgradedStream } from '../exchange/exchange.ts';
import { type AnswerBody, renderAnswer } from '../http/answer.ts';
import type { BodyFraming } from '../http/framing.ts';
import { framingOf } from '../http/framing.ts';
import { HeadReader } from '../http/head-reader.ts';
import { Malformed } from '../http/malformed.ts';
import { FAULT_NAMES, type RequestHead } from '../http/request-head.ts';
import type { Limits } from '../limits.ts';
import { endGently } from '../relay/linger.ts';
import { reset } from '../relay/reset.ts';
import type { Admit } from '../tenant/adoption.ts';
import type { IdleClock, Idler } from './idle-clock.ts';
import { IncomingBody } from './incoming-body.ts';
import { requestMessage, type TargetForm } from './request-message.ts';
import { endsWithConnection, renderInterim, writeResponse } from './response-writer.ts';
import { SocketInput } from './socket-input.ts';

export interface DownstreamOptions {
  readonly socket: Socket;
  readonly scheme: 'http' | 'https';
  readonly form: TargetForm;
  readonly limits: Limits;
  readonly idle: IdleClock;
  /** A head that was read before; then `initial` is what came behind it. */
  readonly first?: RequestHead | undefined;
  /** Bytes that were read before. */
  readonly initial?: Buffer | undefined;
  /** Serves one request. The next one comes after its response is complete. Must not throw. */
  readonly serve: (exchange: ClientExchange) => void;
  /** Looks at each request before it is understood. What it answers is the last that the client gets. */
  readonly admit?: Admit | undefined;
  /** Something was not understood; it was answered, and the connection is about to close. */
  readonly onFault?: (detail: string) => void;
}

/** RFC 9110 section 10.1.1. */
const CONTINUE = 'HTTP/1.1 100 Continue\r\n\r\n';

const NOTHING = Buffer.alloc(0);

/**
 * A client's HTTP/1 connection: one request after the other, each answered before the next is looked at (RFC 9112
 * section 9.3.2), so that pipelined requests are judged one by one and answered in order.
 */
export class Http1Downstream implements Idler {
  readonly #options: DownstreamOptions;
  readonly #socket: Socket;
  readonly #reader: HeadReader;
  readonly #input: SocketInput;
  readonly #done = Promise.withResolvers<void>();
  #exchange: Exchange | undefined;
  #headTimer: NodeJS.Timeout | undefined;
  #served = false;
  #moved = 0;
  #silentSince = performance.now();
  #closing = false;
  #draining = false;
  #over = false;
  /** Waits for the client to read what it was answered. */
  #congested = false;

  constructor(options: DownstreamOptions) {
    this.#options = options;
    this.#socket = options.socket;
    this.#reader = new HeadReader(options.limits);
    const self = this;
    this.#input = new SocketInput(
      options.socket,
      {
        consume: (bytes) => this.#consume(bytes),
        get full() {
          return self.#exchange === undefined ? self.#congested : self.#exchange.stalled;
        },
        ended: () => this.#ended(),
      },
      options.limits.headBytes,
    );
  }

  /** Resolves when the connection is closed or was given away. Never rejects. */
  get done(): Promise<void> {
    return this.#done.promise;
  }

  start(): void {
    const { initial, first } = this.#options;
    if (this.#socket.closed) {
      this.#onClose();
      return;
    }
    this.#socket.on('close', this.#onClose);
    this.#options.idle.add(this);
    if (first === undefined) this.#startHeadTimer();
    else this.#begin(first);
    if (!this.#over) this.#input.start(initial);
  }

  /** Closes after the exchange that is under way, or at once. */
  close(): void {
    this.#closing = true;
    if (this.#exchange === undefined) this.#endGently(NOTHING);
  }

  /**
   * The proxy stops: after the answer to the request that is under way or has begun to arrive nothing more is served, and where there is none it
   * closes at once. A client that has asked nothing yet has connected for its first request, which is served.
   */
  drain(): void {
    this.#draining = true;
    const isIdle = this.#exchange === undefined && this.#reader.empty && !this.#congested;
    if (this.#served && isIdle) this.#endGently(NOTHING);
  }

  /** Ends everything. */
  destroy(reason: string): void {
    this.#exchange?.gone(reason);
    reset(this.#socket);
  }

  #consume(bytes: Buffer): number {
    let at = 0;
    while (at < bytes.length && !this.#over) {
      const exchange = this.#exchange;
      if (exchange === undefined) {
        if (this.#closing) return bytes.length;
        if (this.#isCongested()) return at;
        at = this.#readHead(bytes, at);
      } else {
        const next = this.#readBody(exchange, bytes, at);
        if (next === at && this.#exchange === exchange) return at;
        at = next;
      }
    }
    return at;
  }

  /** A client that asks and does not read its answers is asked nothing more until it does: they would pile up here. */
  #isCongested(): boolean {
    if (!this.#socket.writableNeedDrain) return false;
    if (!this.#congested) {
      this.#congested = true;
      this.#socket.once('drain', () => {
        this.#congested = false;
        this.#input.wake();
      });
    }
    return true;
  }

  #readHead(bytes: Buffer, at: number): number {
    const result = this.#reader.push(at === 0 ? bytes : bytes.subarray(at));
    switch (result.kind) {
      case 'more':
        this.#startHeadTimer();
        return bytes.length;
      case 'fault':
        this.#refuse(result.fault.status, FAULT_NAMES[result.fault.status], result.fault.detail);
        return bytes.length;
      case 'head':
        this.#begin(result.head);
        return bytes.length - result.rest.length;
      default:
        return result satisfies never;
    }
  }

  #begin(head: RequestHead): void {
    clearTimeout(this.#headTimer);
    this.#headTimer = undefined;
    const refusal = this.#options.admit?.(head);
    if (refusal !== undefined) {
      this.#endGently(refusal);
      return;
    }
    const framing = framingOf(head);
    if (framing.kind === 'fault') {
      this.#refuse(400, 'bad_request', framing.detail);
      return;
    }
    const { form, scheme } = this.#options;
    const result = requestMessage(head, { form, scheme, hasBody: framing.kind !== 'none' });
    if (result.kind === 'fault') {
      this.#refuse(result.fault.status, result.error, result.fault.detail);
      return;
    }
    this.#exchange = new Exchange(this.#owner, result.request, framing, result.keepAlive);
    this.#served = true;
    this.#options.serve(this.#exchange);
  }

  #readBody(exchange: Exchange, bytes: Buffer, at: number): number {
    if (exchange.incoming.done) return at;
    try {
      return exchange.incoming.push(bytes, at);
    } catch (thrown) {
      if (!(thrown instanceof Malformed)) throw thrown;
      exchange.fault(thrown.message);
      return bytes.length;
    }
  }

  /** What an exchange may do with its connection. */
  readonly #owner: Owner = {
    socket: () => this.#socket,
    options: () => this.#options,
    closing: () => this.#closing || this.#draining,
    wake: () => this.#input.wake(),
    finished: (keep) => this.#finished(keep),
    detach: () => {
      this.#over = true;
      this.#options.idle.remove(this);
      this.#socket.off('close', this.#onClose);
      const early = this.#input.detach();
      this.#done.resolve();
      return early;
    },
    refuse: (status, error, detail) => this.#refuse(status, error, detail),
  };

  #finished(keep: boolean): void {
    this.#exchange = undefined;
    if (this.#socket.destroyed) return;
    if (!keep || this.#closing || this.#draining) {
      this.#endGently(NOTHING);
      return;
    }
    // Not within the last call of the response's body: only after that its upstream connection is free for the next request.
    queueMicrotask(() => this.#input.wake());
  }

  #refuse(status: number, error: string, detail: string): void {
    this.#options.onFault?.(detail);
    const body: AnswerBody = { error, detail };
    this.#exchange = undefined;
    this.#endGently(renderAnswer({ status, body }));
  }

  #endGently(bytes: Buffer): void {
    if (this.#over) return;
    this.#over = true;
    clearTimeout(this.#headTimer);
    this.#input.detach();
    const socket = this.#socket;
    const { limits } = this.#options;
    this.#options.idle.remove(this);
    if (socket.writableLength === 0) {
      void endGently(socket, bytes, limits);
      return;
    }
    // A slow reader gets its answer to the end before the time of the closing begins.
    socket.setTimeout(limits.halfClosedIdleTime, () => reset(socket));
    socket.write(bytes, () => {
      socket.setTimeout(0);
      void endGently(socket, NOTHING, limits);
    });
  }

  #ended(): void {
    if (this.#over) return;
    const exchange = this.#exchange;
    if (exchange === undefined) {
      if (this.#reader.empty) this.#socket.end();
      else this.#refuse(400, 'bad_request', 'the connection ended within the request head');
      return;
    }
    // A client that ends behind its request still waits for the response; one that ends within it has gone.
    if (exchange.incoming.complete) this.#closing = true;
    else this.destroy('the client ended within its request');
  }

  readonly #onClose = (): void => {
    this.#options.idle.remove(this);
    clearTimeout(this.#headTimer);
    this.#over = true;
    const exchange = this.#exchange;
    this.#exchange = undefined;
    exchange?.gone('the client closed the connection');
    this.#done.resolve();
  };

  #startHeadTimer(): void {
    if (this.#headTimer !== undefined) return;
    // The first request is awaited from the connection's first moment, every other from its first byte.
    if (this.#served && this.#reader.empty) return;
    const { headTime } = this.#options.limits;
    this.#headTimer = setTimeout(() => {
      const detail = this.#reader.empty
        ? 'no request came'
        : `the request head was not complete after ${headTime} ms`;
      this.#refuse(408, 'request_timeout', detail);
    }, headTime);
  }

  /** Looks whether anything has moved, and ends what has been silent for too long. */
  tick(now: number): void {
    const { keepAliveTime, idleTime, halfClosedIdleTime } = this.#options.limits;
    const moved = this.#socket.bytesRead + this.#socket.bytesWritten;
    if (moved !== this.#moved) {
      this.#moved = moved;
      this.#silentSince = now;
      return;
    }
    const silence = now - this.#silentSince;
    if (this.#exchange === undefined) {
      if (silence >= keepAliveTime) this.#endGently(NOTHING);
      return;
    }
    // Whether a client that has ended is still there cannot be told while nothing is sent to it.
    if (silence >= (this.#closing ? halfClosedIdleTime : idleTime))
      this.destroy('nothing moved for too long');
  }
}

interface Owner {
  socket(): Socket;
  options(): DownstreamOptions;
  closing(): boolean;
  wake(): void;
  /** The response is complete; `keep`: and another request may follow. */
  finished(keep: boolean): void;
  detach(): Buffer;
  refuse(status: number, error: string, detail: string): void;
}

class Exchange implements ClientExchange {
  readonly request: RequestMessage;
  readonly incoming: IncomingBody;
  onAbort: (reason: string) => void = () => {};
  readonly #owner: Owner;
  readonly #keepAlive: boolean;
  #continued = false;
  #answered = false;
  #over = false;

  constructor(owner: Owner, request: RequestMessage, framing: BodyFraming, keepAlive: boolean) {
    this.#owner = owner;
    this.#keepAlive = keepAlive;
    this.request = request;
    this.incoming = new IncomingBody(framing, owner.options().limits, owner.wake);
  }

  get body(): IncomingBody {
    return this.incoming;
  }

  /** Whoever takes the body is full. */
  get stalled(): boolean {
    return this.incoming.stalled;
  }

  continue(): void {
    if (this.#continued || this.#answered || this.incoming.done || !this.request.expectsContinue) return;
    this.#continued = true;
    this.#owner.socket().write(CONTINUE, 'latin1');
  }

  interim(head: ResponseHead): void {
    // RFC 9110 section 15.2: not to an HTTP/1.0 client.
    if (this.#answered || this.request.version === '1.0') return;
    this.#owner.socket().write(renderInterim(head), 'latin1');
  }

  respond(head: ResponseHead, length: BodyLength): BodySink {
    const { version } = this.request;
    this.#answered = true;
    // A body that nobody has asked for is for nobody: what of it is here already is dropped.
    if (!this.incoming.started) this.incoming.cancel();
    const keep =
      this.#keepAlive &&
      this.incoming.complete &&
      !this.#owner.closing() &&
      !endsWithConnection(length, version);
    return writeResponse({
      socket: this.#owner.socket(),
      head,
      length,
      version,
      close: !keep,
      onEnd: (complete) => {
        if (this.#over) return;
        this.#over = true;
        this.incoming.fail('the response is complete');
        if (complete) this.#owner.finished(keep);
      },
    });
  }

  upgrade(head: ResponseHead): UpgradedStream {
    this.#over = true;
    const socket = this.#owner.socket();
    const protocol = this.request.upgrade ?? '';
    const own = `Connection: Upgrade\r\nUpgrade: ${protocol}\r\n\r\n`;
    socket.write(renderInterim(head).slice(0, -2) + own, 'latin1');
    return { socket, early: this.#owner.detach() };
  }

  abort(_reason: string): void {
    if (this.#over) return;
    this.#over = true;
    reset(this.#owner.socket());
  }

  /** The request itself is not understood. */
  fault(detail: string): void {
    if (this.#over) return;
    if (this.#answered) {
      this.abort(detail);
      this.onAbort(detail);
      this.incoming.fail(detail);
      return;
    }
    this.#over = true;
    // Whoever serves the exchange learns first why its body is about to fail.
    this.onAbort(detail);
    this.incoming.fail(detail);
    this.#owner.refuse(400, 'bad_request', detail);
  }

  /** There is nobody to answer any more. */
  gone(reason: string): void {
    if (this.#over) return;
    this.#over = true;
    this.onAbort(reason);
    this.incoming.fail(reason);
  }
}
