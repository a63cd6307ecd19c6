/** What the first flight of a TLS client says, as far as it matters here. */
export type ClientHelloResult =
  | { readonly kind: 'more' }
  | {
      readonly kind: 'hello';
      /** As sent, not canonical; absent when the client names no server. */
      readonly serverName?: string;
    }
  | { readonly kind: 'malformed'; readonly detail: string };

const RECORD_HEADER = 5;
const HANDSHAKE_HEADER = 4;
const HANDSHAKE_RECORD = 22;
const CLIENT_HELLO = 1;
const SERVER_NAME = 0;
const HOST_NAME = 0;
/** RFC 8446 section 5.1: a plaintext record holds at most 2^14 bytes. */
const MAX_RECORD = 16_384;

const MORE: ClientHelloResult = { kind: 'more' };
const malformed = (detail: string): ClientHelloResult => ({ kind: 'malformed', detail });

/** True when a stream that begins so can only be TLS: a handshake record of a known version (RFC 8446 section 5.1). */
export const looksLikeTls = (bytes: Buffer): boolean =>
  bytes.length >= 3 && bytes[0] === HANDSHAKE_RECORD && bytes[1] === 3 && bytes[2]! <= 4;

/**
 * Reads the server name (RFC 6066 section 3) out of the beginning of a TLS connection. The ClientHello may be spread
 * over several records. The answer depends on no byte after the hello, so more bytes never change it.
 */
export function readClientHello(bytes: Buffer): ClientHelloResult {
  const message = handshakeMessage(bytes);
  return Buffer.isBuffer(message) ? readHello(message) : message;
}

/** The body of the first handshake message, put together from its records. */
function handshakeMessage(bytes: Buffer): Buffer | ClientHelloResult {
  const fragments: Buffer[] = [];
  let gathered = 0;
  let wanted = HANDSHAKE_HEADER;
  for (let at = 0; ; ) {
    const header = recordHeader(bytes, at);
    if (typeof header !== 'number') return header;
    const fragment = bytes.subarray(at + RECORD_HEADER, at + RECORD_HEADER + header);
    fragments.push(fragment);
    gathered += fragment.length;
    if (gathered >= HANDSHAKE_HEADER && wanted === HANDSHAKE_HEADER) {
      const [first, second, third, fourth] = firstBytes(fragments);
      if (first !== CLIENT_HELLO) return malformed('the first handshake message is not a ClientHello');
      wanted = HANDSHAKE_HEADER + second! * 65_536 + third! * 256 + fourth!;
    }
    if (wanted > HANDSHAKE_HEADER && gathered >= wanted) {
      return Buffer.concat(fragments).subarray(HANDSHAKE_HEADER, wanted);
    }
    if (wanted === HANDSHAKE_HEADER && gathered >= HANDSHAKE_HEADER) return malformed('an empty ClientHello');
    if (fragment.length < header) return MORE;
    at += RECORD_HEADER + header;
  }
}

function firstBytes(fragments: readonly Buffer[]): number[] {
  const bytes: number[] = [];
  for (const fragment of fragments) {
    for (let i = 0; i < fragment.length && bytes.length < HANDSHAKE_HEADER; i++) bytes.push(fragment[i]!);
  }
  return bytes;
}

/** The length of the record at an offset, or the verdict when there is none yet or it is not a handshake record. */
function recordHeader(bytes: Buffer, at: number): number | ClientHelloResult {
  if (at < bytes.length && bytes[at] !== HANDSHAKE_RECORD)
    return malformed('another record inside the ClientHello');
  if (at + 1 < bytes.length && bytes[at + 1] !== 3) return malformed('an unknown TLS version');
  if (at + RECORD_HEADER > bytes.length) return MORE;
  const length = bytes.readUInt16BE(at + 3);
  // RFC 8446 section 5.1: no empty handshake fragments.
  if (length === 0 || length > MAX_RECORD) return malformed('a TLS record of impossible length');
  return length;
}

/** Walks over a message; any read beyond its end makes it malformed. */
class Cursor {
  readonly #bytes: Buffer;
  #at = 0;
  overrun = false;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  get done(): boolean {
    return this.overrun || this.#at >= this.#bytes.length;
  }

  number(size: 1 | 2): number {
    if (this.#at + size > this.#bytes.length) this.overrun = true;
    if (this.overrun) return 0;
    const value = this.#bytes.readUIntBE(this.#at, size);
    this.#at += size;
    return value;
  }

  take(length: number): Buffer {
    if (this.#at + length > this.#bytes.length) this.overrun = true;
    if (this.overrun) return Buffer.alloc(0);
    this.#at += length;
    return this.#bytes.subarray(this.#at - length, this.#at);
  }

  /** A vector with a length prefix of the given size. */
  vector(size: 1 | 2): Buffer {
    return this.take(this.number(size));
  }
}

/** RFC 8446 section 4.1.2. */
function readHello(message: Buffer): ClientHelloResult {
  const hello = new Cursor(message);
  hello.take(2 + 32);
  hello.vector(1);
  hello.vector(2);
  hello.vector(1);
  if (hello.overrun) return malformed('a truncated ClientHello');
  // A hello of old TLS may have no extensions at all.
  if (hello.done) return { kind: 'hello' };
  const extensions = new Cursor(hello.vector(2));
  if (hello.overrun || !hello.done) return malformed('a ClientHello whose lengths do not add up');
  return readExtensions(extensions);
}

function readExtensions(extensions: Cursor): ClientHelloResult {
  let serverName: string | undefined;
  let seen = false;
  while (!extensions.done) {
    const type = extensions.number(2);
    const data = extensions.vector(2);
    if (extensions.overrun) break;
    if (type !== SERVER_NAME) continue;
    // RFC 8446 section 4.2: no extension twice. Two names would let two readers see different ones.
    if (seen) return malformed('two server_name extensions');
    seen = true;
    serverName = readServerName(data);
    if (serverName === undefined) return malformed('a malformed server_name extension');
  }
  if (extensions.overrun) return malformed('a ClientHello whose extensions do not add up');
  return serverName === undefined ? { kind: 'hello' } : { kind: 'hello', serverName };
}

/** RFC 6066 section 3, of which exactly one host name is accepted. */
function readServerName(data: Buffer): string | undefined {
  const outer = new Cursor(data);
  const list = new Cursor(outer.vector(2));
  const type = list.number(1);
  const name = list.vector(2);
  const wellFormed = !outer.overrun && outer.done && !list.overrun && list.done;
  if (!wellFormed || type !== HOST_NAME || name.length === 0) return undefined;
  for (const byte of name) if (byte <= 32 || byte >= 127) return undefined;
  return name.toString('latin1');
}
