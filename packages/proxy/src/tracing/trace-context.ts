import { randomFillSync } from 'node:crypto';
import { field, type HeaderField } from '../http/request-head.ts';

/** What a client says about the trace that it is part of (W3C Trace Context section 3). */
export interface TraceParent {
  /** 32 lower-case hexadecimal digits, not all zero. */
  readonly traceId: string;
  /** 16 of them: the span of the client's. */
  readonly spanId: string;
  /** Those bits of the flags that are defined: 1, sampled; 2, the trace id is random. */
  readonly flags: number;
  /** `tracestate`, understood and otherwise as it came. */
  readonly state: string | undefined;
}

export const SAMPLED = 0x01;
const RANDOM = 0x02;

const TRACE_BYTES = 16;
const SPAN_BYTES = 8;
const NO_TRACE = '0'.repeat(32);
const NO_SPAN = '0'.repeat(16);

const pool = Buffer.alloc(TRACE_BYTES * 256);
let used = pool.length;

function randomHex(bytes: number): string {
  if (used + bytes > pool.length) {
    randomFillSync(pool);
    used = 0;
  }
  used += bytes;
  return pool.toString('hex', used - bytes, used);
}

/** A random trace id (section 3.2.2.3). */
export function newTraceId(): string {
  const id = randomHex(TRACE_BYTES);
  return id === NO_TRACE ? newTraceId() : id;
}

/** A random span id (section 3.2.2.4, "parent-id"). */
export function newSpanId(): string {
  const id = randomHex(SPAN_BYTES);
  return id === NO_SPAN ? newSpanId() : id;
}

/** Section 3.2. Version 00 ends behind the flags; what later versions add there is not read. */
const TRACEPARENT =
  /^(?:00|(?!00|ff)[0-9a-f]{2}(?=.{53}(?:-|$)))-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(.*)$/;
/** In characters: far above what any version has, and no work for an attacker to give. */
const LONGEST_TRACEPARENT = 256;

/** Where the client's trace goes on; undefined where it has said nothing that can be gone on with. */
export function traceParentOf(fields: readonly HeaderField[]): TraceParent | undefined {
  let given: string | undefined;
  for (const { lowerName, value } of fields) {
    if (lowerName !== 'traceparent') continue;
    // Of two nobody knows which is meant (section 4.3).
    if (given !== undefined) return undefined;
    given = value;
  }
  if (given === undefined || given.length > LONGEST_TRACEPARENT) return undefined;
  const [, traceId, spanId, flags, rest] = TRACEPARENT.exec(given) ?? [];
  if (traceId === undefined || traceId === NO_TRACE || spanId === undefined || spanId === NO_SPAN)
    return undefined;
  if (rest !== '' && given.startsWith('00')) return undefined;
  const known = Number.parseInt(flags!, 16) & (SAMPLED | RANDOM);
  return { traceId, spanId, flags: known, state: traceStateOf(fields) };
}

/** Section 3.3.1.3: `key=value` with keys of a small alphabet and printable values that end in no space. */
const STATE_MEMBER =
  /^(?:[a-z][-a-z0-9_*/]{0,255}|[a-z0-9][-a-z0-9_*/]{0,240}@[a-z][-a-z0-9_*/]{0,13})=[!-+\--<>-~ ]{0,255}[!-+\--<>-~]$/;
/** Section 3.3.1.1. */
const STATE_MEMBERS = 32;
/** In characters: what every system has to pass on (section 3.3.1.5). */
const LONGEST_STATE = 512;

/** `tracestate` with its fields joined; undefined where any of it is not understood: it is a whole or nothing. */
function traceStateOf(fields: readonly HeaderField[]): string | undefined {
  const lines = fields.filter(({ lowerName }) => lowerName === 'tracestate').map(({ value }) => value);
  if (lines.length === 0) return undefined;
  const state = lines.join(',');
  if (state.length > LONGEST_STATE) return undefined;
  const members = state
    .split(',')
    .map((member) => member.replace(/^[ \t]+|[ \t]+$/g, ''))
    .filter((member) => member !== '');
  if (members.length === 0 || members.length > STATE_MEMBERS) return undefined;
  if (!members.every((member) => STATE_MEMBER.test(member))) return undefined;
  const keys = new Set(members.map((member) => member.slice(0, member.indexOf('='))));
  return keys.size === members.length ? state : undefined;
}

/** The fields with those of the trace replaced, so that what comes next is part of `parent`; with none where there is no parent. */
export function withTraceParent(
  fields: readonly HeaderField[],
  parent: TraceParent | undefined,
): readonly HeaderField[] {
  const others = fields.filter(({ lowerName }) => lowerName !== 'traceparent' && lowerName !== 'tracestate');
  if (parent === undefined) return others;
  const { traceId, spanId, flags, state } = parent;
  others.push(field('traceparent', `00-${traceId}-${spanId}-${flags.toString(16).padStart(2, '0')}`));
  if (state !== undefined) others.push(field('tracestate', state));
  return others;
}
