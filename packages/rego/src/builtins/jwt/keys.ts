import {
  createPrivateKey,
  createPublicKey,
  createSecretKey,
  type KeyObject,
  type webcrypto,
} from 'node:crypto';
import { isArray, isObject, type RegoObject, toJson, type Value } from '../../value/index.ts';
import { readCertificates } from '../crypto/certificate.ts';
import { decodePem } from '../crypto/pem.ts';
import { bytesOfText } from '../encoding/bytes.ts';
import { unmarshalJson } from '../encoding/json.ts';
import { ALGORITHMS } from './algorithms.ts';

/** A key as `node:crypto` takes it from JSON. */
type JsonWebKey = webcrypto.JsonWebKey;

/** A key to verify with, and what a JWK says it is for. */
export interface VerificationKey {
  readonly key: KeyObject;
  readonly algorithm: string | undefined;
  readonly id: string | undefined;
}

/** The keys of a PEM certificate or public key, of a JWK, or of a JWK set. Throws when the text is none of these. */
export const verificationKeys = (text: string): VerificationKey[] => {
  const pem = decodePem(text);
  if (pem === undefined) return keysOfJwk(text);
  if (pem.rest !== '') throw new Error('extra data after a PEM certificate block');
  const { label, bytes } = pem.block;
  switch (label) {
    case 'CERTIFICATE':
      return [{ key: certificateKey(bytes), algorithm: undefined, id: undefined }];
    case 'PUBLIC KEY':
      return [{ key: publicKey(bytes), algorithm: undefined, id: undefined }];
    default:
      throw new Error('failed to extract a Key from the PEM certificate');
  }
};

const certificateKey = (der: Buffer): KeyObject => {
  try {
    return createPublicKey({ key: readCertificates(der)[0]!.rawPublicKey, format: 'der', type: 'spki' });
  } catch (thrown) {
    throw new Error(`failed to parse a PEM certificate: ${(thrown as Error).message}`);
  }
};

const publicKey = (der: Buffer): KeyObject => {
  try {
    return createPublicKey({ key: der, format: 'der', type: 'spki' });
  } catch (thrown) {
    throw new Error(`failed to parse a PEM public key: ${(thrown as Error).message}`);
  }
};

const keysOfJwk = (text: string): VerificationKey[] => {
  try {
    const value = unmarshalJson(text);
    if (!isObject(value)) throw new Error('not an object');
    const set = value.getString('keys');
    const members: readonly Value[] = set === undefined ? [value] : isArray(set) ? set : [];
    return members.filter(isObject).flatMap(keyOfMember);
  } catch (thrown) {
    throw new Error(`failed to parse a JWK key (set): ${(thrown as Error).message}`);
  }
};

/** Keys for algorithms that are not known are left out. */
const keyOfMember = (member: RegoObject): VerificationKey[] => {
  const algorithm = textIn(member, 'alg');
  if (algorithm !== undefined && !ALGORITHMS.has(algorithm)) return [];
  const jwk = toJson(member) as JsonWebKey;
  const key =
    jwk.kty === 'oct'
      ? createSecretKey(jwk.k ?? '', 'base64url')
      : createPublicKey({ key: jwk, format: 'jwk' });
  return [{ key, algorithm, id: textIn(member, 'kid') }];
};

const textIn = (object: RegoObject, name: string): string | undefined => {
  const value = object.getString(name);
  return typeof value === 'string' && value !== '' ? value : undefined;
};

/** The key of a JWK to sign with. Throws when it is none. */
export const signingKey = (text: string): KeyObject => {
  try {
    const value = unmarshalJson(text);
    if (!isObject(value)) throw new Error('not an object');
    const jwk = toJson(value) as JsonWebKey;
    if (jwk.kty !== 'oct') return createPrivateKey({ key: jwk, format: 'jwk' });
    return createSecretKey(Buffer.from(jwk.k ?? '', 'base64url'));
  } catch (thrown) {
    throw new Error(`failed to parse a JWK key: ${(thrown as Error).message}`);
  }
};

/** The bytes of a secret. */
export const secretBytes = (secret: string): Buffer => bytesOfText(secret);
