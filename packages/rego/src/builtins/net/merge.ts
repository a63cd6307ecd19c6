import type { Cidr } from './cidr.ts';

interface Range {
  readonly bits: 32 | 128;
  readonly first: bigint;
  readonly last: bigint;
}

/** The fewest networks that cover exactly the same addresses. */
export const mergeCidrs = (cidrs: readonly Cidr[]): Cidr[] => joined(cidrs).flatMap(networksOf);

/** Ranges that overlap or touch become one. */
const joined = (cidrs: readonly Range[]): Range[] => {
  const sorted = cidrs.toSorted(
    (a, b) => a.bits - b.bits || (a.first < b.first ? -1 : a.first > b.first ? 1 : 0),
  );
  const ranges: Range[] = [];
  for (const next of sorted) {
    const last = ranges.at(-1);
    if (last === undefined || last.bits !== next.bits || next.first > last.last + 1n) ranges.push(next);
    else if (next.last > last.last) ranges[ranges.length - 1] = { ...last, last: next.last };
  }
  return ranges;
};

/** The largest networks that fit one after the other. */
const networksOf = ({ bits, first, last }: Range): Cidr[] => {
  const networks: Cidr[] = [];
  let next = first;
  while (next <= last) {
    let size = 0;
    while (size < bits && isAligned(next, size + 1) && next + (1n << BigInt(size + 1)) - 1n <= last) size++;
    const end = next + (1n << BigInt(size)) - 1n;
    networks.push({ bits, first: next, last: end, prefix: bits - size });
    next = end + 1n;
  }
  return networks;
};

const isAligned = (value: bigint, zeros: number): boolean => BigInt.asUintN(zeros, value) === 0n;
