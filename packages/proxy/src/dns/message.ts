/** The wire format of DNS (RFC 1035 section 4), as much of it as a front that never asks anybody needs. */

export const TYPE = {
  A: 1,
  NS: 2,
  CNAME: 5,
  SOA: 6,
  PTR: 12,
  MX: 15,
  TXT: 16,
  AAAA: 28,
  SRV: 33,
  OPT: 41,
  HTTPS: 65,
  ANY: 255,
} as const;
export const CLASS_IN = 1;

export const RCODE = {
  noError: 0,
  formErr: 1,
  servFail: 2,
  nxDomain: 3,
  notImp: 4,
  refused: 5,
  badVers: 16,
} as const;
export type Rcode = (typeof RCODE)[keyof typeof RCODE];

const HEADER = 12;
const MAX_NAME = 255;
const MAX_LABEL = 63;
const QR = 0x80;
const OPCODE = 0x78;
const RD = 0x01;
const AA = 0x04;
const RA = 0x80;
/** RFC 6891 section 6.2.5, and the size that does not fragment (DNS flag day 2020). */
const OUR_UDP_SIZE = 1232;

/** A query that was understood. */
export interface Query {
  readonly id: number;
  readonly recursionDesired: boolean;
  /** Lower case, without the final dot; the root is ''. */
  readonly name: string;
  readonly type: number;
  readonly class: number;
  /** The question as it came, to be echoed byte for byte: clients check its letter case (0x20 encoding). */
  readonly question: Buffer;
  readonly edns: boolean;
}

export type QueryResult =
  | { readonly kind: 'query'; readonly query: Query }
  /** Answer with this code and no more. */
  | { readonly kind: 'fault'; readonly id: number; readonly rcode: Rcode; readonly recursionDesired: boolean }
  /** No answer at all: too short to have an id, or itself a response. */
  | { readonly kind: 'drop' };

interface Name {
  readonly text: string;
  readonly end: number;
}

/**
 * A name without compression, which a question has no use for. A label with a byte that no host name has is kept
 * distinguishable in the text by a `\ddd` escape (RFC 1035 section 5.1).
 */
function readName(bytes: Buffer, start: number): Name | undefined {
  const labels: string[] = [];
  let at = start;
  for (;;) {
    const length = bytes[at];
    if (length === undefined || length > MAX_LABEL) return undefined;
    at += 1;
    if (length === 0) break;
    if (at + length > bytes.length || at + length - start >= MAX_NAME) return undefined;
    labels.push(labelText(bytes.subarray(at, at + length)));
    at += length;
  }
  return { text: labels.join('.'), end: at };
}

function labelText(label: Buffer): string {
  const text = label.toString('latin1').toLowerCase();
  return text.replace(/[^a-z0-9_-]/g, (character) => `\\${String(character.charCodeAt(0)).padStart(3, '0')}`);
}

/** Reads one query. Never throws. */
export function readQuery(bytes: Buffer, maxBytes: number): QueryResult {
  if (bytes.length < HEADER || (bytes[2]! & QR) !== 0) return { kind: 'drop' };
  const id = bytes.readUInt16BE(0);
  const recursionDesired = (bytes[2]! & RD) !== 0;
  const fault = (rcode: Rcode): QueryResult => ({ kind: 'fault', id, rcode, recursionDesired });
  if ((bytes[2]! & OPCODE) !== 0) return fault(RCODE.notImp);
  const [questions, answers, authorities, additional] = [4, 6, 8, 10].map((at) => bytes.readUInt16BE(at));
  if (bytes.length > maxBytes || questions !== 1 || answers !== 0 || authorities !== 0)
    return fault(RCODE.formErr);
  const name = readName(bytes, HEADER);
  if (name === undefined || name.end + 4 > bytes.length) return fault(RCODE.formErr);
  const edns = readAdditional(bytes, name.end + 4, additional!);
  if (typeof edns === 'number') return fault(edns);
  return {
    kind: 'query',
    query: {
      id,
      recursionDesired,
      name: name.text,
      type: bytes.readUInt16BE(name.end),
      class: bytes.readUInt16BE(name.end + 2),
      question: bytes.subarray(HEADER, name.end + 4),
      edns,
    },
  };
}

/** Whether there is an OPT record (RFC 6891); or the code of what is wrong. Other additional records are passed over. */
function readAdditional(bytes: Buffer, start: number, count: number): boolean | Rcode {
  let at = start;
  let edns = false;
  for (let i = 0; i < count; i++) {
    const name = readName(bytes, at);
    if (name === undefined || name.end + 10 > bytes.length) return RCODE.formErr;
    const type = bytes.readUInt16BE(name.end);
    at = name.end + 10 + bytes.readUInt16BE(name.end + 8);
    if (at > bytes.length) return RCODE.formErr;
    if (type !== TYPE.OPT) continue;
    if (edns || name.text !== '') return RCODE.formErr;
    if (bytes[name.end + 5] !== 0) return RCODE.badVers;
    edns = true;
  }
  return at === bytes.length ? edns : RCODE.formErr;
}

/** One answer to the question asked. */
export interface Answer {
  readonly type: number;
  readonly ttl: number;
  readonly data: Buffer;
}

export interface Response {
  readonly rcode: Rcode;
  readonly answer?: Answer | undefined;
  /** Seconds for which a client may remember that there is nothing (RFC 2308); adds an SOA record. */
  readonly negativeTtl?: number | undefined;
}

/** A name in wire format. The name must be a valid host name. */
export function encodeName(name: string): Buffer {
  const labels = name === '' ? [] : name.split('.');
  const parts = labels.map((label) =>
    Buffer.concat([Buffer.from([label.length]), Buffer.from(label, 'latin1')]),
  );
  return Buffer.concat([...parts, Buffer.from([0])]);
}

/** The answer to a query. Always far below 512 bytes, so nothing is ever truncated. */
export function writeResponse(query: Query, response: Response): Buffer {
  const { answer, negativeTtl, rcode } = response;
  const parts: Buffer[] = [query.question];
  // 0xC00C points at the name in the question (RFC 1035 section 4.1.4).
  if (answer !== undefined)
    parts.push(Buffer.from([0xc0, 0x0c]), record(answer.type, answer.ttl, answer.data));
  if (negativeTtl !== undefined)
    parts.push(Buffer.from([0]), record(TYPE.SOA, negativeTtl, soaData(negativeTtl)));
  if (query.edns) parts.push(optRecord(rcode));
  const counts = [1, answer === undefined ? 0 : 1, negativeTtl === undefined ? 0 : 1, query.edns ? 1 : 0];
  return Buffer.concat([header({ ...query, rcode, counts }), ...parts]);
}

/** An answer that is nothing but its code. */
export function writeFault(fault: Extract<QueryResult, { kind: 'fault' }>): Buffer {
  const extended = fault.rcode > 15;
  const head = header({ ...fault, counts: [0, 0, 0, extended ? 1 : 0] });
  return extended ? Buffer.concat([head, optRecord(fault.rcode)]) : head;
}

interface HeaderFacts {
  readonly id: number;
  readonly recursionDesired: boolean;
  readonly rcode: Rcode;
  readonly counts: readonly number[];
}

function header({ id, recursionDesired, rcode, counts }: HeaderFacts): Buffer {
  const bytes = Buffer.alloc(HEADER);
  bytes.writeUInt16BE(id, 0);
  bytes[2] = QR | AA | (recursionDesired ? RD : 0);
  bytes[3] = RA | (rcode & 15);
  counts.forEach((count, i) => {
    bytes.writeUInt16BE(count, 4 + 2 * i);
  });
  return bytes;
}

/** A record after its name. */
function record(type: number, ttl: number, data: Buffer): Buffer {
  const bytes = Buffer.alloc(10);
  bytes.writeUInt16BE(type, 0);
  bytes.writeUInt16BE(CLASS_IN, 2);
  bytes.writeUInt32BE(ttl, 4);
  bytes.writeUInt16BE(data.length, 8);
  return Buffer.concat([bytes, data]);
}

/** RFC 6891 section 6.1.2; the upper bits of the code stand where other records have their TTL. */
function optRecord(rcode: Rcode): Buffer {
  const bytes = Buffer.alloc(11);
  bytes.writeUInt16BE(TYPE.OPT, 1);
  bytes.writeUInt16BE(OUR_UDP_SIZE, 3);
  bytes[5] = rcode >> 4;
  return bytes;
}

/** The root's SOA, as far as this front is concerned: it makes a negative answer cacheable for `ttl` seconds. */
function soaData(ttl: number): Buffer {
  const numbers = Buffer.alloc(20);
  [1, ttl, ttl, ttl, ttl].forEach((value, i) => {
    numbers.writeUInt32BE(value, 4 * i);
  });
  return Buffer.concat([encodeName('dns.openshell.invalid'), encodeName('root.openshell.invalid'), numbers]);
}

const TYPE_NAMES = new Map<number, string>(Object.entries(TYPE).map(([name, number]) => [number, name]));

/** `AAAA`, or `TYPE1234` where it has no name here (RFC 3597 section 5). */
export const typeName = (type: number): string => TYPE_NAMES.get(type) ?? `TYPE${type}`;
