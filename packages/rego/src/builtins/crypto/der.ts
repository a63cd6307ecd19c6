/** ASN.1 that cannot be read. */
export class DerError extends Error {
  override readonly name = 'DerError';
}

/** One element: its tag with class and form bits, the whole of it and what is inside. */
export interface DerElement {
  readonly tag: number;
  readonly raw: Buffer;
  readonly content: Buffer;
}

export const TAG = {
  boolean: 0x01,
  integer: 0x02,
  bitString: 0x03,
  octetString: 0x04,
  oid: 0x06,
  utcTime: 0x17,
  generalizedTime: 0x18,
  bmpString: 0x1e,
  sequence: 0x30,
  set: 0x31,
} as const;

/** The tag of a context-specific element. */
export const contextTag = (number: number, constructed: boolean): number =>
  (constructed ? 0xa0 : 0x80) | number;

/** Goes through elements one after the other (X.690, section 8.1). */
export class DerReader {
  #rest: Buffer;

  constructor(bytes: Buffer) {
    this.#rest = bytes;
  }

  get done(): boolean {
    return this.#rest.length === 0;
  }

  /** The tag of the next element. */
  peek(): number | undefined {
    return this.#rest[0];
  }

  /** Takes the next element; of this tag, when one is given. */
  next(tag?: number): DerElement {
    const element = this.#read();
    if (tag !== undefined && element.tag !== tag) {
      throw new DerError(`tags don't match (${tag} vs ${element.tag})`);
    }
    this.#rest = this.#rest.subarray(element.raw.length);
    return element;
  }

  /** Takes the next element when it has this tag. */
  optional(tag: number): DerElement | undefined {
    return this.peek() === tag ? this.next() : undefined;
  }

  sequence(): DerReader {
    return new DerReader(this.next(TAG.sequence).content);
  }

  #read(): DerElement {
    const tag = this.#rest[0];
    const first = this.#rest[1];
    if (tag === undefined || first === undefined) throw new DerError('truncated tag or length');
    let length = first;
    let start = 2;
    if (first >= 0x80) {
      const size = first & 0x7f;
      if (size === 0 || size > 4 || this.#rest.length < 2 + size) throw new DerError('invalid length');
      length = this.#rest.readUIntBE(2, size);
      start += size;
    }
    if ((tag & 0x1f) === 0x1f || start + length > this.#rest.length) throw new DerError('data truncated');
    return {
      tag,
      raw: this.#rest.subarray(0, start + length),
      content: this.#rest.subarray(start, start + length),
    };
  }
}

/** The elements of a constructed one. */
export const childrenOf = (content: Buffer): DerElement[] => {
  const reader = new DerReader(content);
  const children: DerElement[] = [];
  while (!reader.done) children.push(reader.next());
  return children;
};

/** A two's complement integer. */
export const integerOf = (content: Buffer): bigint => {
  if (content.length === 0) throw new DerError('empty integer');
  return BigInt.asIntN(content.length * 8, BigInt(`0x${content.toString('hex')}`));
};

export const oidOf = (content: Buffer): string => {
  const numbers: number[] = [];
  let value = 0;
  for (const byte of content) {
    value = value * 128 + (byte & 0x7f);
    if (byte >= 0x80) continue;
    if (numbers.length === 0)
      numbers.push(Math.min(Math.floor(value / 40), 2), value - 40 * Math.min(Math.floor(value / 40), 2));
    else numbers.push(value);
    value = 0;
  }
  if (numbers.length === 0) throw new DerError('empty object identifier');
  return numbers.join('.');
};

/** The bytes of a bit string without the count of unused bits. */
export const bitsOf = (content: Buffer): Buffer => content.subarray(1);

/** A bit of a bit string, the first being 0. */
export const hasBit = (bits: Buffer, index: number): boolean =>
  ((bits[index >> 3] ?? 0) & (0x80 >> (index & 7))) !== 0;

/** A time as RFC 3339; UTCTime is of 1950 to 2049 (RFC 5280, section 4.1.2.5.1). */
export const timeOf = ({ tag, content }: DerElement): string => {
  const text = content.toString('latin1');
  const match = /^(\d{2}|\d{4})(\d{2})(\d{2})(\d{2})(\d{2})(\d{2})Z$/.exec(text);
  if (match === null || (tag !== TAG.utcTime && tag !== TAG.generalizedTime))
    throw new DerError('malformed time');
  const [, year = '', month, day, hour, minute, second] = match;
  const century = tag === TAG.generalizedTime ? '' : Number(year) >= 50 ? '19' : '20';
  return `${century}${year}-${month}-${day}T${hour}:${minute}:${second}Z`;
};

/** The characters of any kind of string. */
export const stringOf = ({ tag, content }: DerElement): string =>
  tag === TAG.bmpString ? Buffer.from(content).swap16().toString('utf16le') : content.toString('utf8');
