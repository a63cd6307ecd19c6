import type { ResponseHead } from '../exchange/exchange.ts';
import { writeJson } from '../json/json-value.ts';
import { isJsonType, readableMediaType } from '../json/media-type.ts';
import { parseStrictJson } from '../json/strict-json.ts';
import type { Limits } from '../limits.ts';
import { COMMENT, EventStreamReader, type StreamEvent, writeEvent } from './event-stream.ts';
import { GatheredBytes } from './gathered-bytes.ts';
import {
  looksLikeMessage,
  type RpcDialect,
  type RpcEntry,
  type RpcLimits,
  type RpcText,
  readRpcText,
} from './messages.ts';

export type ServerBodyLimits = RpcLimits & Pick<Limits, 'rpcServerMessageBytes'>;

/** A part of a response that stands for itself. */
export type ServerPart =
  /** Has no message in it. */
  | { readonly kind: 'plain'; readonly bytes: Buffer }
  /** `write`: with some of its messages, at least one. */
  | { readonly kind: 'messages'; readonly text: RpcText; readonly write: Rewrite; readonly onlyPart: boolean }
  /** Could not be understood; nothing follows. */
  | { readonly kind: 'fault'; readonly reason: string };

type Rewrite = (kept: readonly RpcEntry[]) => Buffer;

/** Takes a response of a server apart. Parts own their bytes. */
export interface ServerBodyReader {
  push(bytes: Buffer): readonly ServerPart[];
  end(): readonly ServerPart[];
  /** Bytes of what is not complete yet. */
  readonly held: number;
}

/** The reader for a response; what it cannot read ends in a fault with the first byte. */
export function serverBodyReader(
  head: ResponseHead,
  dialect: RpcDialect,
  limits: ServerBodyLimits,
): ServerBodyReader {
  const mediaType = readableMediaType(head.fields);
  if (mediaType.kind === 'malformed') return unreadable(mediaType.reason);
  const successful = head.status >= 200 && head.status <= 299;
  if (mediaType.value === 'text/event-stream') return new EventReader(dialect, limits);
  if (mediaType.value !== undefined && isJsonType(mediaType.value))
    return new JsonReader(successful, dialect, limits);
  if (successful) return unreadable('the content type is neither application/json nor text/event-stream');
  return new ErrorPageReader(new JsonReader(false, dialect, limits));
}

function unreadable(reason: string): ServerBodyReader {
  return { push: ({ length }) => (length > 0 ? [{ kind: 'fault', reason }] : []), end: () => [], held: 0 };
}

class JsonReader implements ServerBodyReader {
  readonly #successful: boolean;
  readonly #dialect: RpcDialect;
  readonly #limits: ServerBodyLimits;
  readonly #body = new GatheredBytes();

  constructor(successful: boolean, dialect: RpcDialect, limits: ServerBodyLimits) {
    this.#successful = successful;
    this.#dialect = dialect;
    this.#limits = limits;
  }

  get held(): number {
    return this.#body.length;
  }

  push(bytes: Buffer): readonly ServerPart[] {
    if (this.#body.length + bytes.length > this.#limits.rpcServerMessageBytes)
      return [
        { kind: 'fault', reason: `an answer of more than ${this.#limits.rpcServerMessageBytes} bytes` },
      ];
    this.#body.append(bytes);
    return [];
  }

  end(): readonly ServerPart[] {
    const bytes = this.#body.take();
    if (bytes.length === 0) return [];
    const result = parseStrictJson(bytes, this.#limits);
    if (result.kind === 'fault')
      return [{ kind: 'fault', reason: `an answer that is not acceptable JSON: ${result.reason}` }];
    // An error of HTTP, of OAuth for instance, has JSON of its own.
    if (!this.#successful && !looksLikeMessage(result.value)) return [{ kind: 'plain', bytes }];
    const text = readRpcText(result.value, this.#dialect, this.#limits);
    if (text.kind === 'malformed') return [{ kind: 'fault', reason: text.reason }];
    const write: Rewrite = (kept) =>
      kept.length === text.value.entries.length
        ? bytes
        : Buffer.from(writeJson(kept.map(({ value }) => value)));
    return [{ kind: 'messages', text: text.value, write, onlyPart: true }];
  }
}

const SPACE = 0x20;
const DELETE = 0x7f;
const WHITESPACE: ReadonlySet<number> = new Set([9, 10, 13, SPACE]);
const JSON_START: ReadonlySet<number> = new Set(Buffer.from('{['));

/**
 * What a server says with an error status, in any type. By its first character it is no message (HTML, a sentence), or it is read as
 * JSON, whatever its type says: a client may do so too. Other encodings of JSON do not begin with printable ASCII.
 */
class ErrorPageReader implements ServerBodyReader {
  readonly #json: JsonReader;
  #kind: 'unknown' | 'page' | 'json' = 'unknown';

  constructor(json: JsonReader) {
    this.#json = json;
  }

  get held(): number {
    return this.#json.held;
  }

  push(bytes: Buffer): readonly ServerPart[] {
    if (this.#kind === 'unknown') {
      const first = bytes.find((byte) => !WHITESPACE.has(byte));
      // Whitespace in front of anything can be left out.
      if (first === undefined) return [];
      if (first < SPACE || first >= DELETE)
        return [{ kind: 'fault', reason: 'an error page that cannot be told from a message' }];
      this.#kind = JSON_START.has(first) ? 'json' : 'page';
    }
    return this.#kind === 'json' ? this.#json.push(bytes) : [{ kind: 'plain', bytes: Buffer.from(bytes) }];
  }

  end(): readonly ServerPart[] {
    return this.#kind === 'json' ? this.#json.end() : [];
  }
}

/** The event by which MCP's older transport (2024-11-05) says where to post: a reference, which no JSON text looks like. */
const ENDPOINT_REFERENCE = /^[A-Za-z0-9/?.][\x21-\x7e]*$/;

class EventReader implements ServerBodyReader {
  readonly #dialect: RpcDialect;
  readonly #limits: ServerBodyLimits;
  readonly #events: EventStreamReader;

  constructor(dialect: RpcDialect, limits: ServerBodyLimits) {
    this.#dialect = dialect;
    this.#limits = limits;
    this.#events = new EventStreamReader(limits.rpcServerMessageBytes);
  }

  get held(): number {
    return this.#events.held;
  }

  push(bytes: Buffer): readonly ServerPart[] {
    return this.#events.push(bytes).map((item): ServerPart => {
      switch (item.kind) {
        case 'event':
          return this.#part(item.event);
        case 'comment':
          return { kind: 'plain', bytes: COMMENT };
        case 'fault':
          return item;
        default: {
          const unreachable: never = item;
          return unreachable;
        }
      }
    });
  }

  end(): readonly ServerPart[] {
    return [];
  }

  #part(event: StreamEvent): ServerPart {
    // Without data there is only an id to resume from, or a time to wait.
    if (!event.data) return { kind: 'plain', bytes: writeEvent(event) };
    if (event.type === 'endpoint' && ENDPOINT_REFERENCE.test(event.data))
      return { kind: 'plain', bytes: writeEvent(event) };
    const result = parseStrictJson(event.data, this.#limits);
    if (result.kind === 'fault')
      return { kind: 'fault', reason: `an event that is not acceptable JSON: ${result.reason}` };
    const text = readRpcText(result.value, this.#dialect, this.#limits);
    if (text.kind === 'malformed') return { kind: 'fault', reason: text.reason };
    const write: Rewrite = (kept) =>
      writeEvent(
        kept.length === text.value.entries.length
          ? event
          : { ...event, data: writeJson(kept.map(({ value }) => value)) },
      );
    return { kind: 'messages', text: text.value, write, onlyPart: false };
  }
}
