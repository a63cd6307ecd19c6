import { constants, createHmac, type KeyObject, sign, timingSafeEqual, verify } from 'node:crypto';

/** How an algorithm of RFC 7518, section 3 (and RFC 8037) signs. */
export type Algorithm =
  | { readonly family: 'hmac'; readonly hash: string }
  | { readonly family: 'rsa'; readonly hash: string; readonly pss: boolean }
  | { readonly family: 'ecdsa'; readonly hash: string }
  | { readonly family: 'eddsa' };

const rsa = (hash: string): Algorithm => ({ family: 'rsa', hash, pss: false });
const pss = (hash: string): Algorithm => ({ family: 'rsa', hash, pss: true });

export const ALGORITHMS: ReadonlyMap<string, Algorithm> = new Map<string, Algorithm>([
  ['HS256', { family: 'hmac', hash: 'sha256' }],
  ['HS384', { family: 'hmac', hash: 'sha384' }],
  ['HS512', { family: 'hmac', hash: 'sha512' }],
  ['RS256', rsa('sha256')],
  ['RS384', rsa('sha384')],
  ['RS512', rsa('sha512')],
  ['PS256', pss('sha256')],
  ['PS384', pss('sha384')],
  ['PS512', pss('sha512')],
  ['ES256', { family: 'ecdsa', hash: 'sha256' }],
  ['ES384', { family: 'ecdsa', hash: 'sha384' }],
  ['ES512', { family: 'ecdsa', hash: 'sha512' }],
  ['EdDSA', { family: 'eddsa' }],
]);

const KEY_TYPES: Readonly<Record<string, Algorithm['family']>> = {
  rsa: 'rsa',
  'rsa-pss': 'rsa',
  ec: 'ecdsa',
  ed25519: 'eddsa',
};

/** Whether a public key is of the kind that an algorithm needs. */
const isFor = (key: KeyObject, { family }: Algorithm): boolean =>
  KEY_TYPES[key.asymmetricKeyType ?? ''] === family;

/** Whether a signature is this key's; a key of another kind has not signed. */
export const verifySignature = (
  algorithm: Exclude<Algorithm, { family: 'hmac' }>,
  key: KeyObject,
  input: string,
  signature: Buffer,
): boolean => {
  if (!isFor(key, algorithm)) return false;
  try {
    return verify(hashOf(algorithm), Buffer.from(input), { key, ...paddingOf(algorithm, false) }, signature);
  } catch {
    // A signature of a wrong length is no signature.
    return false;
  }
};

export const verifyHmac = (hash: string, secret: Buffer, input: string, signature: Buffer): boolean => {
  const expected = createHmac(hash, secret).update(input).digest();
  return expected.length === signature.length && timingSafeEqual(expected, signature);
};

/** Signs with a private key, or with a secret. Throws when the key does not fit. */
export const signInput = (algorithm: Algorithm, key: KeyObject, input: string): Buffer => {
  if (algorithm.family === 'hmac') {
    if (key.type !== 'secret') throw new Error('failed to sign: key is not a symmetric key');
    return createHmac(algorithm.hash, key).update(input).digest();
  }
  if (key.type !== 'private' || !isFor(key, algorithm))
    throw new Error('failed to sign: key does not fit the algorithm');
  return sign(hashOf(algorithm), Buffer.from(input), { key, ...paddingOf(algorithm, true) });
};

const hashOf = (algorithm: Exclude<Algorithm, { family: 'hmac' }>): string | null =>
  algorithm.family === 'eddsa' ? null : algorithm.hash;

/** Salts are as long as the hash when signing and of any length when verifying; ECDSA is the two integers side by side. */
const paddingOf = (algorithm: Algorithm, signing: boolean): object => {
  if (algorithm.family === 'ecdsa') return { dsaEncoding: 'ieee-p1363' };
  if (algorithm.family !== 'rsa' || !algorithm.pss) return {};
  return {
    padding: constants.RSA_PKCS1_PSS_PADDING,
    saltLength: signing ? constants.RSA_PSS_SALTLEN_DIGEST : constants.RSA_PSS_SALTLEN_AUTO,
  };
};
