import { bitsOf, DerReader, integerOf, oidOf, TAG } from './der.ts';

/** A public key as far as it is shown. */
export type PublicKey =
  | { readonly kind: 'rsa'; readonly modulus: bigint; readonly exponent: bigint }
  | { readonly kind: 'ecdsa'; readonly x: bigint; readonly y: bigint }
  | { readonly kind: 'ed25519'; readonly bytes: Buffer }
  | { readonly kind: 'dsa' }
  | { readonly kind: 'unknown' };

/** Reads a SubjectPublicKeyInfo (RFC 5280, section 4.1.2.7). */
export const readPublicKey = (content: Buffer): PublicKey => {
  const reader = new DerReader(content);
  const algorithm = oidOf(reader.sequence().next(TAG.oid).content);
  const bytes = bitsOf(reader.next(TAG.bitString).content);
  switch (algorithm) {
    case '1.2.840.113549.1.1.1': {
      const key = new DerReader(bytes).sequence();
      const modulus = integerOf(key.next(TAG.integer).content);
      return { kind: 'rsa', modulus, exponent: integerOf(key.next(TAG.integer).content) };
    }
    case '1.2.840.10045.2.1': {
      const half = (bytes.length - 1) / 2;
      const coordinate = (from: number): bigint =>
        BigInt(`0x${bytes.subarray(from, from + half).toString('hex') || '0'}`);
      if (bytes[0] !== 4 || !Number.isInteger(half)) return { kind: 'unknown' };
      return { kind: 'ecdsa', x: coordinate(1), y: coordinate(1 + half) };
    }
    case '1.3.101.112':
      return { kind: 'ed25519', bytes };
    case '1.2.840.10040.4.1':
      return { kind: 'dsa' };
    default:
      return { kind: 'unknown' };
  }
};
