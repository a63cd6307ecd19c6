import { createPrivateKey, type KeyObject } from 'node:crypto';
import { numberFromBigInt, RegoObject, type Value } from '../../value/index.ts';
import { decodePem, pemBlocks } from './pem.ts';

const PRIVATE_LABELS = ['RSA PRIVATE KEY', 'PRIVATE KEY', 'EC PRIVATE KEY'];

/** The private keys among the PEM blocks of a text. Throws for a block that claims to be one and is not. */
export const readPrivateKeys = (text: string): KeyObject[] =>
  pemBlocks(text)
    .filter(({ label }) => PRIVATE_LABELS.includes(label))
    .map(({ label, bytes }) => keyOfDer(bytes, label));

/** The first private key of a text; undefined when there is none. */
export const readPrivateKey = (text: string): KeyObject | undefined => {
  for (let found = decodePem(text); found !== undefined; found = decodePem(found.rest)) {
    if (PRIVATE_LABELS.includes(found.block.label)) return keyOfDer(found.block.bytes, found.block.label);
  }
  return undefined;
};

const keyOfDer = (der: Buffer, label: string): KeyObject => {
  const type = label === 'RSA PRIVATE KEY' ? 'pkcs1' : label === 'EC PRIVATE KEY' ? 'sec1' : 'pkcs8';
  return createPrivateKey({ key: der, format: 'der', type });
};

const object = (members: Readonly<Record<string, Value>>): RegoObject =>
  new RegoObject(Object.entries(members));

const integerOf = (base64url: string | undefined): bigint =>
  BigInt(`0x${Buffer.from(base64url ?? '', 'base64url').toString('hex') || '0'}`);

/** A private key as Go's `encoding/json` writes `rsa.PrivateKey`, `ecdsa.PrivateKey` and `ed25519.PrivateKey`. */
export const privateKeyValue = (key: KeyObject): Value => {
  const jwk = key.export({ format: 'jwk' });
  const number = (text: string | undefined): Value => numberFromBigInt(integerOf(text));
  switch (jwk.kty) {
    case 'RSA':
      return object({
        N: number(jwk.n),
        E: number(jwk.e),
        D: number(jwk.d),
        Primes: [number(jwk.p), number(jwk.q)],
        Precomputed: object({ Dp: number(jwk.dp), Dq: number(jwk.dq), Qinv: number(jwk.qi), CRTValues: [] }),
      });
    case 'EC':
      return object({ Curve: object({}), X: number(jwk.x), Y: number(jwk.y), D: number(jwk.d) });
    case 'OKP':
      return Buffer.concat([
        Buffer.from(jwk.d ?? '', 'base64url'),
        Buffer.from(jwk.x ?? '', 'base64url'),
      ]).toString('base64');
    default:
      throw new Error('unsupported key type');
  }
};

/** A private key as a JSON Web Key (RFC 7517). */
export const jwkValue = (key: KeyObject): Value => {
  const jwk = key.export({ format: 'jwk' });
  return new RegoObject(
    Object.entries(jwk).filter((entry): entry is [string, string] => typeof entry[1] === 'string'),
  );
};
