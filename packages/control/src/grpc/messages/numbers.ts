/** A count or a time for a 64-bit field. */
export const wide = (number: number): bigint => BigInt(Math.trunc(number));

export const wideOr = (number: number | undefined): bigint | undefined =>
  number === undefined ? undefined : wide(number);

/** Beyond 2^53 the last digits are not exact, which no count or time of the contract gets to. */
export const narrow = (number: bigint): number => Number(number);

export const narrowOr = (number: bigint | undefined): number | undefined =>
  number === undefined ? undefined : narrow(number);
