/** An address as an integer of 32 or 128 bits. */
export interface Address {
  readonly bits: 32 | 128;
  readonly value: bigint;
}

/** Reads an address; nothing when the text is none. Octets have no leading zeros, zones are not known. */
export const parseAddress = (text: string): Address | undefined => {
  if (text.includes(':')) {
    const value = parseIpv6(text);
    return value === undefined ? undefined : { bits: 128, value };
  }
  const value = parseIpv4(text);
  return value === undefined ? undefined : { bits: 32, value };
};

/** The longest text of an address: six groups and an IPv4 address. */
const MAX_LENGTH = 45;

const parseIpv4 = (text: string): bigint | undefined => {
  if (text.length > MAX_LENGTH) return undefined;
  const parts = text.split('.');
  if (parts.length !== 4) return undefined;
  let value = 0n;
  for (const part of parts) {
    if (!/^(0|[1-9]\d{0,2})$/.test(part) || Number(part) > 255) return undefined;
    value = (value << 8n) | BigInt(part);
  }
  return value;
};

const parseIpv6 = (text: string): bigint | undefined => {
  if (text.length > MAX_LENGTH) return undefined;
  const halves = text.split('::');
  if (halves.length > 2) return undefined;
  const left = groupsOf(halves[0]!, halves.length === 1);
  const right = halves.length === 2 ? groupsOf(halves[1]!, true) : [];
  if (left === undefined || right === undefined) return undefined;
  const missing = 8 - left.length - right.length;
  if (halves.length === 2 ? missing < 1 : missing !== 0) return undefined;
  const groups = [...left, ...new Array<number>(missing).fill(0), ...right];
  return groups.reduce((value, group) => (value << 16n) | BigInt(group), 0n);
};

const groupsOf = (text: string, mayEndInIpv4: boolean): number[] | undefined => {
  if (text === '') return [];
  const parts = text.split(':');
  const groups: number[] = [];
  for (const [index, part] of parts.entries()) {
    if (mayEndInIpv4 && index === parts.length - 1 && part.includes('.')) {
      const embedded = parseIpv4(part);
      if (embedded === undefined) return undefined;
      groups.push(Number(embedded >> 16n), Number(embedded & 0xffffn));
    } else if (/^[0-9a-fA-F]{1,4}$/.test(part)) groups.push(Number.parseInt(part, 16));
    else return undefined;
  }
  return groups;
};

/** The canonical text (RFC 5952): the longest run of zero groups is left out; mapped IPv4 addresses are shown as such. */
export const formatAddress = ({ bits, value }: Address): string => {
  if (bits === 32) return formatIpv4(value);
  if (value >> 32n === 0xffffn) return formatIpv4(value & 0xffff_ffffn);
  const groups = Array.from({ length: 8 }, (_, index) =>
    Number((value >> BigInt(112 - 16 * index)) & 0xffffn),
  );
  const texts = groups.map((group) => group.toString(16));
  const run = longestZeroRun(groups);
  if (run === undefined) return texts.join(':');
  return `${texts.slice(0, run.start).join(':')}::${texts.slice(run.end).join(':')}`;
};

const formatIpv4 = (value: bigint): string =>
  [24n, 16n, 8n, 0n].map((shift) => ((value >> shift) & 0xffn).toString()).join('.');

const longestZeroRun = (groups: readonly number[]): { start: number; end: number } | undefined => {
  let best: { start: number; end: number } | undefined;
  for (let start = 0; start < groups.length; start++) {
    let end = start;
    while (groups[end] === 0) end++;
    if (end - start >= 2 && end - start > (best === undefined ? 0 : best.end - best.start))
      best = { start, end };
    start = Math.max(start, end);
  }
  return best;
};
