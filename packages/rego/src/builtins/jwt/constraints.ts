import {
  compareNumbers,
  isNumber,
  numberFromBigInt,
  type RegoNumber,
  type RegoObject,
  toDouble,
  type Value,
} from '../../value/index.ts';
import { type VerificationKey, verificationKeys } from './keys.ts';

/** What `io.jwt.decode_verify` is asked to check. */
export interface Constraints {
  readonly keys: readonly VerificationKey[] | undefined;
  readonly secret: string | undefined;
  readonly algorithm: string | undefined;
  readonly issuer: string | undefined;
  readonly audience: string | undefined;
  /** Nanoseconds since 1970. */
  readonly time: RegoNumber;
}

/** Reads the constraints; throws for those that are not known, and unless there is exactly one of `cert` and `secret`. */
export const readConstraints = (object: RegoObject, nowNs: bigint): Constraints => {
  for (const key of object.keys()) {
    if (!KNOWN.includes(key as string))
      throw new Error(`unknown token validation constraint: ${String(key)}`);
  }
  const certificate = textIn(object, 'cert');
  const secret = textIn(object, 'secret');
  const constraints: Constraints = {
    keys: certificate === undefined ? undefined : verificationKeys(certificate),
    secret,
    algorithm: textIn(object, 'alg'),
    issuer: textIn(object, 'iss'),
    audience: textIn(object, 'aud'),
    time: timeIn(object) ?? numberFromBigInt(nowNs),
  };
  if (certificate !== undefined && secret !== undefined) throw new Error('duplicate key constraints');
  if (certificate === undefined && secret === undefined) throw new Error('no key constraint');
  return constraints;
};

const KNOWN: readonly string[] = ['cert', 'secret', 'alg', 'iss', 'aud', 'time'];

const textIn = (object: RegoObject, name: string): string | undefined => {
  const value = object.getString(name);
  if (value === undefined || typeof value === 'string') return value;
  throw new Error(
    name === 'cert' ? 'cert constraint: must be a string' : `${name} constraint: must be a string`,
  );
};

const timeIn = (object: RegoObject): RegoNumber | undefined => {
  const value = object.getString('time');
  if (value === undefined) return undefined;
  if (!isNumber(value)) throw new Error('time: must be a number');
  if (compareNumbers(value, 0) < 0) throw new Error('token time constraint: must not be negative');
  return value;
};

/** Whether claims hold (RFC 7519, section 4.1). Throws for times that are not numbers. */
export const claimsHold = (payload: RegoObject, constraints: Constraints): boolean => {
  const { issuer, audience, time } = constraints;
  if (issuer !== undefined && payload.getString('iss') !== issuer) return false;
  const now = toDouble(time);
  const expires = secondsIn(payload, 'exp');
  const begins = secondsIn(payload, 'nbf');
  if (!isMeant(payload.getString('aud'), audience)) return false;
  // Claims are seconds, and may have fractions.
  if (expires !== undefined && now >= expires * 1e9) return false;
  return begins === undefined || now >= begins * 1e9;
};

/** A token for somebody is refused when nobody is asked for, and the other way round. */
const isMeant = (claimed: Value | undefined, audience: string | undefined): boolean => {
  if (claimed === undefined) return audience === undefined;
  if (audience === undefined) return false;
  return Array.isArray(claimed) ? claimed.includes(audience) : claimed === audience;
};

const secondsIn = (payload: RegoObject, name: 'exp' | 'nbf'): number | undefined => {
  const value = payload.getString(name);
  if (value === undefined) return undefined;
  if (!isNumber(value)) throw new Error(`${name} value must be a number`);
  return toDouble(value);
};
