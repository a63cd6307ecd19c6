import { isUtf8 } from 'node:buffer';
import { GatheredBytes } from './gathered-bytes.ts';

/** One block of an event stream as WHATWG HTML section 9.2 reads it. */
export interface StreamEvent {
  /** `message` where the stream does not say. */
  readonly type: string;
  /** Undefined: no data at all, so no event; id and retry count nevertheless. */
  readonly data: string | undefined;
  readonly id: string | undefined;
  /** Reconnection time, in ms. */
  readonly retry: string | undefined;
}

export type StreamItem =
  | { readonly kind: 'event'; readonly event: StreamEvent }
  /** A comment; keeps connections alive. What it says is nobody's business. */
  | { readonly kind: 'comment' }
  /** Nothing follows. */
  | { readonly kind: 'fault'; readonly reason: string };

const LF = 10;
const CR = 13;
const BYTE_ORDER_MARK = '\ufeff';
const NOTHING: StreamEvent = { type: 'message', data: undefined, id: undefined, retry: undefined };

/** Reads an event stream as it comes in. An event that the stream ends within is dropped, as the standard says. */
export class EventStreamReader {
  readonly #limit: number;
  readonly #line = new GatheredBytes();
  /** Bytes of the unfinished event, its unfinished line included. */
  #size = 0;
  #event = NOTHING;
  #data: string[] = [];
  #afterCr = false;
  #first = true;

  /** `limit`: bytes that one event may have. */
  constructor(limit: number) {
    this.#limit = limit;
  }

  /** Bytes of the event that is not complete yet. */
  get held(): number {
    return this.#size;
  }

  /** Not to be called after a fault. */
  push(bytes: Buffer): StreamItem[] {
    const items: StreamItem[] = [];
    let from = 0;
    if (this.#afterCr && bytes.length > 0) {
      this.#afterCr = false;
      if (bytes[0] === LF) from = 1;
    }
    for (;;) {
      const end = lineEnd(bytes, from);
      if (!this.#keep(bytes.subarray(from, end))) {
        items.push({ kind: 'fault', reason: `an event of more than ${this.#limit} bytes` });
        return items;
      }
      if (end === bytes.length) return items;
      const item = this.#endLine();
      if (item) items.push(item);
      if (item?.kind === 'fault') return items;
      from = end + 1;
      if (bytes[end] !== CR) continue;
      if (from === bytes.length) this.#afterCr = true;
      else if (bytes[from] === LF) from += 1;
    }
  }

  #keep(part: Buffer): boolean {
    this.#size += part.length;
    if (this.#size > this.#limit) return false;
    this.#line.append(part);
    return true;
  }

  #endLine(): StreamItem | undefined {
    const bytes = this.#line.take();
    // Empty lines of data also take room.
    this.#size += 1;
    if (!isUtf8(bytes)) return { kind: 'fault', reason: 'an event stream that is not valid UTF-8' };
    let line = bytes.toString('utf8');
    if (this.#first && line.startsWith(BYTE_ORDER_MARK)) line = line.slice(1);
    this.#first = false;
    if (line === '') return this.#endEvent();
    if (line.startsWith(':')) {
      this.#size -= bytes.length + 1;
      return { kind: 'comment' };
    }
    this.#field(line);
    return undefined;
  }

  #field(line: string): void {
    const colon = line.indexOf(':');
    const name = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? '' : line.slice(line[colon + 1] === ' ' ? colon + 2 : colon + 1);
    switch (name) {
      case 'data':
        this.#data.push(value);
        break;
      case 'event':
        this.#event = { ...this.#event, type: value || 'message' };
        break;
      case 'id':
        if (!value.includes('\0')) this.#event = { ...this.#event, id: value };
        break;
      case 'retry':
        if (/^[0-9]+$/.test(value)) this.#event = { ...this.#event, retry: value };
        break;
      // Other fields mean nothing.
    }
  }

  #endEvent(): StreamItem | undefined {
    const data = this.#data.length > 0 ? this.#data.join('\n') : undefined;
    const event: StreamEvent = { ...this.#event, data };
    this.#event = NOTHING;
    this.#data = [];
    this.#size = 0;
    const empty = data === undefined && event.id === undefined && event.retry === undefined;
    return empty ? undefined : { kind: 'event', event };
  }
}

/** Where the line ends that begins at `from`; the length where it does not. */
function lineEnd(bytes: Buffer, from: number): number {
  let end = from;
  while (end < bytes.length && bytes[end] !== LF && bytes[end] !== CR) end += 1;
  return end;
}

/** An event as every reader understands it. */
export function writeEvent({ type, data, id, retry }: StreamEvent): Buffer {
  const lines: string[] = [];
  if (type !== 'message' && data !== undefined) lines.push(`event: ${type}`);
  if (id !== undefined) lines.push(`id: ${id}`);
  if (retry !== undefined) lines.push(`retry: ${retry}`);
  if (data !== undefined) lines.push(...data.split('\n').map((line) => `data: ${line}`));
  return Buffer.from(`${lines.join('\n')}\n\n`);
}

export const COMMENT = Buffer.from(':\n');
