import { isToken } from '../http/head-parser.ts';
import { Malformed } from '../http/malformed.ts';
import type { HeaderField } from '../http/request-head.ts';

/**
 * RFC 9113 section 8.2.2: fields that speak of one connection make a message malformed. `TE` may be there, saying `trailers`.
 * `HTTP2-Settings` belonged to the upgrade that RFC 9113 has removed.
 */
const CONNECTION_FIELDS: ReadonlySet<string> = new Set([
  'connection',
  'http2-settings',
  'keep-alive',
  'proxy-connection',
  'transfer-encoding',
  'upgrade',
]);

/** RFC 9110 section 6.5.1: where a message ends and whom it is for cannot be said behind it. */
const NO_TRAILERS: ReadonlySet<string> = new Set(['content-length', 'host', 'te', 'trailer']);

/** RFC 9110 section 5.5: visible ASCII, space, tab, and bytes beyond ASCII, that is, no control characters. */
const VALUE = /^[\t\x20-\x7e\x80-\xff]*$/;
const OUTER_SPACE = /^[\t ]|[\t ]$/;

/** Field lines as Node.js delivers them: names and values by turns. */
export type RawFields = readonly string[];

export interface FieldRules {
  /** Names and values together, in bytes. */
  readonly bytes: number;
  readonly fields: number;
  /**
   * Space around a value makes it malformed (RFC 9113 section 8.2.1). Servers send it nevertheless, and HTTP/1 takes it off:
   * 'strip' for what servers send.
   */
  readonly outerSpace: 'refuse' | 'strip';
}

export interface FieldSection {
  /** By name, with the colon. */
  readonly pseudo: ReadonlyMap<string, string>;
  readonly fields: HeaderField[];
}

/**
 * Reads a field section by RFC 9113 sections 8.2 and 8.3. Much of it nghttp2 has checked before; here it does not count on that.
 * Throws `Malformed`.
 */
export function readFields(raw: RawFields, rules: FieldRules): FieldSection {
  const pseudo = new Map<string, string>();
  const fields: HeaderField[] = [];
  let bytes = 0;
  for (let index = 0; index + 1 < raw.length; index += 2) {
    const name = raw[index]!;
    const sent = raw[index + 1]!;
    bytes += name.length + sent.length;
    if (bytes > rules.bytes) throw new Malformed(`more than ${rules.bytes} bytes of header fields`, 431);
    if (!VALUE.test(sent)) throw new Malformed('a control character in a header field');
    const spaced = OUTER_SPACE.test(sent);
    if (spaced && rules.outerSpace === 'refuse')
      throw new Malformed('space around the value of a header field');
    const value = spaced ? sent.replace(/^[\t ]+|[\t ]+$/g, '') : sent;
    if (name.startsWith(':')) {
      if (fields.length > 0) throw new Malformed('a pseudo-header field behind other fields');
      if (pseudo.has(name)) throw new Malformed(`more than one ${name}`);
      pseudo.set(name, value);
      continue;
    }
    if (fields.length === rules.fields) throw new Malformed(`more than ${rules.fields} header fields`, 431);
    if (!isToken(name) || name !== name.toLowerCase())
      throw new Malformed('an illegal name of a header field');
    if (CONNECTION_FIELDS.has(name)) throw new Malformed(`the field ${name}, which HTTP/2 does not have`);
    fields.push({ name, lowerName: name, value });
  }
  return { pseudo, fields };
}

/** Reads a trailer section. Throws `Malformed`. */
export function readTrailers(raw: RawFields, rules: FieldRules): HeaderField[] {
  const { pseudo, fields } = readFields(raw, rules);
  if (pseudo.size > 0) throw new Malformed('a pseudo-header field among the trailers');
  const misplaced = fields.find(({ name }) => NO_TRAILERS.has(name));
  if (misplaced !== undefined) throw new Malformed(`${misplaced.name} among the trailers`);
  return fields;
}

/** Takes the fields of these names out, and returns their values. */
export function takeFields(fields: HeaderField[], lowerName: string): string[] {
  const values: string[] = [];
  let kept = 0;
  for (const field of fields) {
    if (field.lowerName === lowerName) values.push(field.value);
    else fields[kept++] = field;
  }
  fields.length = kept;
  return values;
}

/** Takes `Content-Length` out: one plain number, small enough to be exact. Throws `Malformed`. */
export function takeContentLength(fields: HeaderField[]): number | undefined {
  const lengths = takeFields(fields, 'content-length');
  if (lengths.length === 0) return undefined;
  if (lengths.length > 1) throw new Malformed('more than one Content-Length');
  if (!/^[0-9]{1,15}$/.test(lengths[0]!)) throw new Malformed('a Content-Length that is not a plain number');
  return Number(lengths[0]);
}

/**
 * Whether a field may go out. nghttp2 does not look at what is submitted to it, and a NUL would end the value for Node.js:
 * whoever wrote such a value, it must not become another field.
 */
export const isSendable = ({ lowerName, value }: HeaderField): boolean =>
  isToken(lowerName) && !CONNECTION_FIELDS.has(lowerName) && VALUE.test(value);

/** Field lines behind pseudo-header fields, for Node.js. Undefined where one may not be sent. */
export function rawFields(pseudo: readonly string[], fields: readonly HeaderField[]): string[] | undefined {
  const raw = [...pseudo];
  for (const field of fields) {
    if (!isSendable(field)) return undefined;
    raw.push(field.lowerName, field.value);
  }
  return raw;
}

/** The same as an object, where Node.js wants one: values of one name stay in order. Fields that may not be sent are left out. */
export function fieldsObject(
  pseudo: Readonly<Record<string, number>>,
  fields: readonly HeaderField[],
): Record<string, number | string[]> {
  const object: Record<string, number | string[]> = Object.assign(Object.create(null), pseudo);
  for (const field of fields) {
    if (!isSendable(field)) continue;
    const values = object[field.lowerName];
    if (Array.isArray(values)) values.push(field.value);
    else object[field.lowerName] = [field.value];
  }
  return object;
}
