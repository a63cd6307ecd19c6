import type { Duplex } from 'node:stream';

/** One HTTP/1 message as a reader without any leniency sees it. Written for tests; shares nothing with the readers of the proxy. */
export interface Message {
  /** Request line or status line. */
  readonly start: string;
  /** Names in lower case. */
  readonly fields: readonly (readonly [name: string, value: string])[];
  /** Bytes as Latin-1. */
  readonly body: string;
  readonly trailers: readonly (readonly [name: string, value: string])[];
}

export type Parsed =
  | { readonly kind: 'more' }
  | { readonly kind: 'message'; readonly message: Message; readonly length: number }
  | { readonly kind: 'violation'; readonly why: string };

export type MessageKind =
  | { readonly kind: 'request' }
  /** `ended`: nothing more will come. */
  | { readonly kind: 'response'; readonly method: string; readonly ended: boolean };

const REQUEST_LINE = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+ (?:\/[\x21-\x7e]*|\*) HTTP\/1\.1$/;
const STATUS_LINE = /^HTTP\/1\.1 [1-5][0-9][0-9] [\x20-\x7e]*$/;
const FIELD = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+): ?([\t\x20-\x7e\x80-\xff]*)$/;
const MORE: Parsed = { kind: 'more' };

const valuesOf = ({ fields }: Pick<Message, 'fields'>, name: string): string[] =>
  fields.filter(([other]) => other === name).map(([, value]) => value);

/** Reads the first message of some bytes. */
export function parseMessage(text: string, kind: MessageKind): Parsed {
  const violation = (why: string): Parsed => ({ kind: 'violation', why });
  const end = text.indexOf('\r\n\r\n');
  if (end < 0) return MORE;
  const [start = '', ...lines] = text.slice(0, end).split('\r\n');
  if (!(kind.kind === 'request' ? REQUEST_LINE : STATUS_LINE).test(start))
    return violation(`start line ${JSON.stringify(start)}`);
  const fields = readFields(lines);
  if (fields === undefined) return violation(`fields ${JSON.stringify(lines)}`);
  const [codings, lengths, hosts] = ['transfer-encoding', 'content-length', 'host'].map((name) =>
    valuesOf({ fields }, name),
  ) as [string[], string[], string[]];
  if (kind.kind === 'request' && hosts.length !== 1) return violation(`${hosts.length} Host fields`);
  if (codings.length + lengths.length > 1) return violation('more than one framing');
  const from = end + 4;
  const done = (length: number, body = '', trailers: Message['trailers'] = []): Parsed => ({
    kind: 'message',
    message: { start, fields, body, trailers },
    length,
  });
  if (kind.kind === 'response') {
    const status = Number(start.slice(9, 12));
    if (kind.method === 'HEAD' || status < 200 || status === 204 || status === 304) return done(from);
  }
  if (codings[0] !== undefined) {
    if (codings[0] !== 'chunked') return violation(`Transfer-Encoding: ${codings[0]}`);
    return readChunks(text, from, done, violation);
  }
  if (lengths[0] !== undefined) {
    if (!/^[0-9]{1,12}$/.test(lengths[0])) return violation(`Content-Length: ${lengths[0]}`);
    const length = from + Number(lengths[0]);
    return text.length < length ? MORE : done(length, text.slice(from, length));
  }
  if (kind.kind === 'request') return done(from);
  return kind.ended ? done(text.length, text.slice(from)) : MORE;
}

function readFields(lines: readonly string[]): [string, string][] | undefined {
  const fields: [string, string][] = [];
  for (const line of lines) {
    const parts = FIELD.exec(line);
    if (parts === null) return undefined;
    fields.push([parts[1]!.toLowerCase(), parts[2]!]);
  }
  return fields;
}

function readChunks(
  text: string,
  from: number,
  done: (length: number, body: string, trailers: Message['trailers']) => Parsed,
  violation: (why: string) => Parsed,
): Parsed {
  let at = from;
  let body = '';
  while (true) {
    const lineEnd = text.indexOf('\r\n', at);
    if (lineEnd < 0) return MORE;
    const line = text.slice(at, lineEnd);
    if (!/^[0-9a-fA-F]{1,8}$/.test(line)) return violation(`chunk size ${JSON.stringify(line)}`);
    const size = Number.parseInt(line, 16);
    at = lineEnd + 2;
    if (size === 0) break;
    if (text.length < at + size + 2) return MORE;
    if (text.slice(at + size, at + size + 2) !== '\r\n')
      return violation('a chunk that is longer than its size');
    body += text.slice(at, at + size);
    at += size + 2;
  }
  if (text.startsWith('\r\n', at)) return done(at + 2, body, []);
  const end = text.indexOf('\r\n\r\n', at);
  if (end < 0) return MORE;
  const trailers = readFields(text.slice(at, end).split('\r\n'));
  return trailers === undefined ? violation('a trailer section') : done(end + 4, body, trailers);
}

/** Most of what a test waits for comes within a millisecond; who waits this long has found a silence. */
export const PATIENCE = 10_000;

/** One end of a connection in a test: keeps what comes and is asked for it message by message. Whoever waits in vain gets an error that says what there is. */
export class Wire {
  readonly socket: Duplex;
  #text = '';
  #end: 'ended' | 'reset' | undefined;
  #wake: () => void = () => {};

  constructor(socket: Duplex) {
    this.socket = socket;
    socket.on('data', (chunk: Buffer) => {
      this.#text += chunk.toString('latin1');
      this.#wake();
    });
    const over = (how: 'ended' | 'reset'): void => {
      this.#end ??= how;
      this.#wake();
    };
    socket.on('end', () => over('ended'));
    socket.on('error', () => over('reset'));
    socket.on('close', () => over('reset'));
    socket.resume();
  }

  /** What has come and was not taken. */
  get text(): string {
    return this.#text;
  }

  get end(): 'ended' | 'reset' | undefined {
    return this.#end;
  }

  send(text: string | Buffer): void {
    this.socket.write(typeof text === 'string' ? Buffer.from(text, 'latin1') : text);
  }

  /** Resolves as soon as `look` has something, also at the end. */
  async wait<Found>(look: () => Found | undefined, what: string): Promise<Found> {
    const late = Promise.withResolvers<never>();
    const timer = setTimeout(() => late.reject(this.#vain(what)), PATIENCE);
    try {
      while (true) {
        const found = look();
        if (found !== undefined) return found;
        if (this.#end !== undefined) throw this.#vain(what);
        const { promise, resolve } = Promise.withResolvers<void>();
        this.#wake = resolve;
        await Promise.race([promise, late.promise]);
      }
    } finally {
      clearTimeout(timer);
    }
  }

  /** Takes everything up to and including a text. */
  until(text: string): Promise<string> {
    return this.wait(() => {
      const at = this.#text.indexOf(text);
      return at < 0 ? undefined : this.#take(at + text.length);
    }, JSON.stringify(text));
  }

  request(): Promise<Message> {
    return this.#message(() => ({ kind: 'request' }));
  }

  /** The next response, interim ones included. */
  response(method = 'GET'): Promise<Message> {
    return this.#message(() => ({ kind: 'response', method, ended: this.#end === 'ended' }));
  }

  closed(): Promise<'ended' | 'reset'> {
    return this.wait(() => this.#end, 'the end');
  }

  #message(kind: () => MessageKind): Promise<Message> {
    return this.wait(() => {
      const parsed = parseMessage(this.#text, kind());
      if (parsed.kind === 'more') return undefined;
      if (parsed.kind === 'violation') throw this.#vain(`a message, not ${parsed.why}`);
      this.#take(parsed.length);
      return parsed.message;
    }, 'a message');
  }

  #take(length: number): string {
    const taken = this.#text.slice(0, length);
    this.#text = this.#text.slice(length);
    return taken;
  }

  #vain(what: string): Error {
    return new Error(
      `waited for ${what}; ${this.#end ?? 'open'} with ${JSON.stringify(this.#text.slice(0, 500))}`,
    );
  }
}

export const statusOf = ({ start }: Message): number => Number(start.split(' ')[1]);

/** The only value of a field. */
export const fieldOf = (message: Message, name: string): string => valuesOf(message, name).join();
