import { randomFillSync } from 'node:crypto';
import { fieldValues, type HeaderField } from '../http/request-head.ts';

/** The field of every response that says under which id its request is in the events. */
export const TRACE_FIELD = 'X-OpenShell-Trace-Id';

const ID_BYTES = 16;
const pool = Buffer.alloc(ID_BYTES * 256);
let used = pool.length;

/** A random trace id (W3C Trace Context section 3.2.2.3): 32 hexadecimal digits, not all zero. */
function newTraceId(): string {
  if (used === pool.length) {
    randomFillSync(pool);
    used = 0;
  }
  const id = pool.toString('hex', used, used + ID_BYTES);
  used += ID_BYTES;
  return id === NONE ? newTraceId() : id;
}

const NONE = '0'.repeat(32);
/** W3C Trace Context section 3.2; versions above 00 may have more behind the flags. */
const TRACEPARENT = /^(?!ff)[0-9a-f]{2}-([0-9a-f]{32})-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}(?:-.*)?$/;

/** The id that the client has given to its trace, or a new one. */
export function traceIdOf(fields: readonly HeaderField[]): string {
  for (const { lowerName } of fields) {
    if (lowerName !== 'traceparent') continue;
    const given = fieldValues({ fields }, 'traceparent');
    const id = given.length === 1 ? TRACEPARENT.exec(given[0]!)?.[1] : undefined;
    if (id !== undefined && id !== NONE) return id;
    break;
  }
  return newTraceId();
}
