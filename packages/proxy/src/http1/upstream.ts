import type { Socket } from 'node:net';
import type { BodyLength, BodySink } from '../exchange/body.ts';
import type {
  OutgoingRequest,
  ResponseHead,
  UpstreamConnection,
  UpstreamListener,
} from '../exchange/exchange.ts';
import { type Peer, peerOf } from '../exchange/peer.ts';
import { type ResponseFraming, responseFramingOf } from '../http/framing.ts';
import { ResponseHeadReader } from '../http/head-reader.ts';
import { Malformed } from '../http/malformed.ts';
import { fieldValues, type HeaderField, type ResponseMessageHead } from '../http/request-head.ts';
import type { Limits } from '../limits.ts';
import { ignoreError } from '../relay/linger.ts';
import { reset } from '../relay/reset.ts';
import { LateRefusal } from '../tls/upstream-errors.ts';
import { IncomingBody } from './incoming-body.ts';
import { MessageWriter } from './message-writer.ts';
import { renderFields } from './response-writer.ts';
import { SocketInput } from './socket-input.ts';

/** Belongs to one connection, or is written anew for the next (RFC 9110 section 7.6.1). */
const OWN_FIELDS = new Set([
  'connection',
  'keep-alive',
  'proxy-connection',
  'transfer-encoding',
  'content-length',
  'trailer',
  'upgrade',
]);

/** An origin's HTTP/1 connection: one request at a time, kept for the next where both sides allow it. */
export class Http1Upstream implements UpstreamConnection {
  readonly protocol = 'h1';
  onChange: () => void = () => {};
  readonly #socket: Socket;
  readonly #limits: Limits;
  readonly #input: SocketInput;
  readonly #reader: ResponseHeadReader;
  #exchange: Exchange | undefined;
  #used = false;
  #over = false;

  /** Takes a socket that is connected, TLS included, and owns it from now on. */
  constructor(socket: Socket, limits: Limits) {
    this.#socket = socket;
    this.#limits = limits;
    this.#reader = new ResponseHeadReader(limits);
    const self = this;
    this.#input = new SocketInput(
      socket,
      {
        consume: (bytes) => this.#consume(bytes),
        get full() {
          return self.#exchange?.body?.stalled === true;
        },
        ended: () => this.#ended(),
      },
      limits.headBytes,
    );
    socket.on('error', ignoreError);
    socket.on('close', this.#onClose);
    this.#input.start(undefined);
  }

  get peer(): Peer | undefined {
    return peerOf(this.#socket);
  }

  get available(): boolean {
    return !this.#over && this.#exchange === undefined;
  }

  get idle(): boolean {
    return this.#exchange === undefined;
  }

  get closed(): boolean {
    return this.#over;
  }

  start(request: OutgoingRequest, length: BodyLength, listener: UpstreamListener): BodySink {
    if (!this.available) throw new Error('the connection takes no request now');
    const exchange = new Exchange(request.method, request.upgrade, listener, this.#used);
    this.#exchange = exchange;
    this.#used = true;
    exchange.writer = new MessageWriter(
      this.#socket,
      renderRequest(request, length),
      length,
      length.kind === 'stream',
      (complete) => {
        exchange.sent = complete;
        if (!complete) this.#fail(exchange, 'the request was given up');
        else this.#finishIfDone(exchange);
      },
    );
    exchange.abort = (reason) => {
      if (this.#exchange === exchange) this.#fail(exchange, reason);
    };
    return exchange;
  }

  destroy(): void {
    this.#over = true;
    reset(this.#socket);
  }

  #consume(bytes: Buffer): number {
    let at = 0;
    while (at < bytes.length && !this.#over) {
      const exchange = this.#exchange;
      if (exchange !== undefined) exchange.heard = true;
      if (exchange === undefined) {
        // Nothing was asked: what is said now would be taken for the answer to the next question.
        this.#close();
        return bytes.length;
      }
      if (exchange.body === undefined) at = this.#readHead(exchange, bytes, at);
      else {
        const next = this.#readBody(exchange, exchange.body, bytes, at);
        if (next === at && this.#exchange === exchange) return at;
        at = next;
      }
    }
    return at;
  }

  #readHead(exchange: Exchange, bytes: Buffer, at: number): number {
    const result = this.#reader.push(at === 0 ? bytes : bytes.subarray(at));
    switch (result.kind) {
      case 'more':
        return bytes.length;
      case 'fault':
        this.#fail(exchange, `its answer is not HTTP/1.1: ${result.fault.detail}`);
        return bytes.length;
      case 'head':
        return this.#takeHead(exchange, result.head, result.rest)
          ? bytes.length
          : bytes.length - result.rest.length;
      default:
        return result satisfies never;
    }
  }

  /** True when the rest belongs to nobody here any more. */
  #takeHead(exchange: Exchange, head: ResponseMessageHead, rest: Buffer): boolean {
    const { status } = head;
    if (status === 101) return this.#takeUpgrade(exchange, head, rest);
    if (status < 200) {
      if (++exchange.interims > this.#limits.interimResponses) {
        this.#fail(exchange, 'it sends interim responses without end');
        return true;
      }
      if (status === 100) exchange.listener.continue();
      else exchange.listener.interim(responseHead(head));
      return false;
    }
    const framing = responseFramingOf(head, exchange.method);
    if (framing.kind === 'fault') {
      this.#fail(exchange, `its answer is not HTTP/1.1: ${framing.detail}`);
      return true;
    }
    exchange.keep = keepsAlive(head, framing);
    exchange.body = new IncomingBody(framing, this.#limits, () => this.#input.wake());
    exchange.answered = true;
    const said = responseHead(head);
    const declared = framing.kind === 'none' ? declaredLength(head) : undefined;
    const answer = declared === undefined ? said : { ...said, declaredLength: declared };
    exchange.listener.response(answer, exchange.body);
    if (exchange.body.complete) this.#finishIfDone(exchange, rest.length);
    return false;
  }

  #takeUpgrade(exchange: Exchange, head: ResponseMessageHead, rest: Buffer): boolean {
    if (exchange.upgrade === undefined) {
      this.#fail(exchange, 'it changed the protocol, which nobody asked for');
      return true;
    }
    const said = fieldValues(head, 'upgrade').join().toLowerCase();
    if (said !== exchange.upgrade) {
      this.#fail(exchange, `it changed to "${said}" where "${exchange.upgrade}" was asked for`);
      return true;
    }
    exchange.answered = true;
    this.#exchange = undefined;
    this.#over = true;
    this.#input.detach();
    this.#socket.off('close', this.#onClose);
    exchange.listener.upgraded(responseHead(head), { socket: this.#socket, early: Buffer.from(rest) });
    this.onChange();
    return true;
  }

  #readBody(exchange: Exchange, body: IncomingBody, bytes: Buffer, at: number): number {
    if (body.done) {
      if (this.#exchange !== exchange) return at;
      // The response is complete and the request is not: what follows answers nothing.
      this.#close();
      return bytes.length;
    }
    try {
      const next = body.push(bytes, at);
      if (body.complete) this.#finishIfDone(exchange, bytes.length - next);
      return next;
    } catch (thrown) {
      if (!(thrown instanceof Malformed)) throw thrown;
      this.#fail(exchange, `its answer is not HTTP/1.1: ${thrown.message}`);
      return bytes.length;
    }
  }

  /**
   * Once the response is complete, the connection is free. A request that is not sent to its end costs the connection; so do
   * bytes behind the response, which the next request would take for its own answer.
   */
  #finishIfDone(exchange: Exchange, bytesBehind = 0): void {
    if (this.#exchange !== exchange || exchange.body === undefined || !exchange.body.complete) return;
    this.#exchange = undefined;
    if (!exchange.keep || !exchange.sent || bytesBehind > 0) this.#close();
    else this.onChange();
  }

  #ended(): void {
    const exchange = this.#exchange;
    exchange?.body?.endOfInput('the origin ended within its answer');
    if (exchange !== undefined && !exchange.answered)
      this.#fail(exchange, 'it ended the connection without an answer');
    this.#exchange = undefined;
    this.#close();
  }

  #fail(exchange: Exchange, detail: string): void {
    this.#exchange = undefined;
    this.#over = true;
    reset(this.#socket);
    exchange.fail(detail);
    this.onChange();
  }

  #close(): void {
    if (this.#over) return;
    this.#over = true;
    this.#input.detach();
    this.#socket.destroy();
    this.onChange();
  }

  readonly #onClose = (): void => {
    const exchange = this.#exchange;
    const wasOver = this.#over;
    this.#over = true;
    this.#exchange = undefined;
    const { errored } = this.#socket;
    if (errored instanceof LateRefusal) exchange?.fail(errored.message, errored.explained.remedy);
    else
      exchange?.fail(
        errored === null ? 'it closed the connection' : `the connection failed: ${errored.message}`,
      );
    if (!wasOver || exchange !== undefined) this.onChange();
  };
}

/** One request that is under way; as a sink, it takes the request's body. */
class Exchange implements BodySink {
  readonly transient = true;
  readonly method: string;
  readonly upgrade: string | undefined;
  readonly listener: UpstreamListener;
  readonly #reused: boolean;
  body: IncomingBody | undefined;
  writer: MessageWriter | undefined;
  abort: (reason: string) => void = () => {};
  answered = false;
  /** A byte of an answer has come. */
  heard = false;
  /** 1xx responses so far. */
  interims = 0;
  sent = false;
  keep = false;
  #failed = false;

  constructor(method: string, upgrade: string | undefined, listener: UpstreamListener, reused: boolean) {
    this.method = method;
    this.upgrade = upgrade;
    this.listener = listener;
    this.#reused = reused;
  }

  set onDrain(listener: () => void) {
    this.writer!.onDrain = listener;
  }

  write(bytes: Buffer): boolean {
    return this.writer!.write(bytes);
  }

  end(trailers: readonly HeaderField[]): void {
    this.writer!.end(trailers);
  }

  fail(detail: string, remedy?: string): void {
    if (this.#failed) return;
    this.#failed = true;
    if (this.body !== undefined) this.body.fail(detail);
    else if (!this.answered)
      this.listener.failed({
        code: 'upstream_protocol',
        detail,
        remedy,
        retry: this.#reused && !this.heard,
      });
  }
}

function renderRequest(request: OutgoingRequest, length: BodyLength): string {
  const { method, target, authority, fields, upgrade, expectsContinue } = request;
  let text = `${method} ${target} HTTP/1.1\r\nHost: ${authority}\r\n`;
  text += renderFields(fields);
  if (length.kind === 'length') text += `Content-Length: ${length.length}\r\n`;
  else if (length.kind === 'stream') text += 'Transfer-Encoding: chunked\r\n';
  if (expectsContinue) text += 'Expect: 100-continue\r\n';
  if (upgrade !== undefined) text += `Connection: Upgrade\r\nUpgrade: ${upgrade}\r\n`;
  return `${text}\r\n`;
}

/** What the head says where there is no body to count: the answer to a HEAD. */
function declaredLength(head: ResponseMessageHead): number | undefined {
  const [declared] = fieldValues(head, 'content-length');
  return declared === undefined ? undefined : Number(declared);
}

function responseHead({ status, fields }: ResponseMessageHead): ResponseHead {
  let nominated: readonly string[] = [];
  let own = 0;
  for (const { lowerName, value } of fields) {
    if (!OWN_FIELDS.has(lowerName)) continue;
    own++;
    if (lowerName === 'connection')
      nominated = [...nominated, ...value.split(',').map((option) => option.trim().toLowerCase())];
  }
  if (own === 0) return { status, fields };
  const isPassed = ({ lowerName }: HeaderField): boolean =>
    !OWN_FIELDS.has(lowerName) && !nominated.includes(lowerName);
  return { status, fields: fields.filter(isPassed) };
}

function keepsAlive(head: ResponseMessageHead, framing: ResponseFraming): boolean {
  if (framing.kind === 'until-close') return false;
  let options = '';
  for (const { lowerName, value } of head.fields) if (lowerName === 'connection') options += `,${value}`;
  if (options === '') return head.version === '1.1';
  const said = options.toLowerCase().split(/[, \t]+/);
  return head.version === '1.1' ? !said.includes('close') : said.includes('keep-alive');
}
