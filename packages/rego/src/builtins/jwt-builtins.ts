import type { BuiltinContext, BuiltinDeclaration } from '../builtin.ts';
import { ANY, BOOLEAN, objectOf, record, STRING, tuple } from '../types/index.ts';
import { isObject, RegoObject, type Value } from '../value/index.ts';
import { builtin } from './declare.ts';
import { bytesOfText } from './encoding/bytes.ts';
import { marshalJson, unmarshalJson } from './encoding/json.ts';
import { wrapped } from './encoding.ts';
import { ALGORITHMS, type Algorithm, signInput, verifyHmac, verifySignature } from './jwt/algorithms.ts';
import { type Constraints, claimsHold, readConstraints } from './jwt/constraints.ts';
import { secretBytes, signingKey, type VerificationKey, verificationKeys } from './jwt/keys.ts';
import {
  headerOf,
  isNested,
  jsonObject,
  nestedToken,
  payloadText,
  signatureOf,
  signingInput,
  splitToken,
  type Token,
} from './jwt/token.ts';
import { objectAt, stringAt } from './operands.ts';

/** What checking one signature costs, in steps. */
const SIGNATURE_STEPS = 100;

/** How deep tokens may be wrapped in each other. */
const MAX_NESTING = 10;

const tokenAt = (args: readonly Value[], context: BuiltinContext): Token => {
  const text = stringAt(args, 0);
  context.spend(1 + (text.length >> 6));
  return wrapped(() => splitToken(text));
};

const decode = (args: readonly Value[], context: BuiltinContext): Value => {
  let token = tokenAt(args, context);
  return wrapped(() => {
    for (let depth = 0; depth < MAX_NESTING; depth++) {
      const header = headerOf(token);
      const text = payloadText(token);
      if (!isNested(header)) return [header, jsonObject(text), signatureOf(token).toString('hex')];
      token = splitToken(nestedToken(token));
    }
    throw new Error('JWT is nested too deeply');
  });
};

type Asymmetric = Exclude<Algorithm, { family: 'hmac' }>;

/** The named key when there is one of that name, otherwise any that is not for another algorithm. */
const anyVerifies = (
  keys: readonly VerificationKey[],
  token: Token,
  algorithm: Asymmetric,
  context: BuiltinContext,
): boolean => {
  const header = headerOf(token);
  const id = header.getString('kid');
  const declared = header.getString('alg');
  const signature = signatureOf(token);
  const named = typeof id === 'string' && id !== '' ? keys.find((key) => key.id === id) : undefined;
  const candidates =
    named === undefined
      ? keys.filter((key) => key.algorithm === undefined || key.algorithm === declared)
      : [named];
  return candidates.some(({ key }) => {
    context.spend(SIGNATURE_STEPS);
    return verifySignature(algorithm, key, signingInput(token), signature);
  });
};

const verifyWith = (algorithm: Algorithm) =>
  algorithm.family === 'hmac' ? verifySecret(algorithm.hash) : verifyKey(algorithm);

const verifyKey =
  (algorithm: Asymmetric) =>
  (args: readonly Value[], context: BuiltinContext): Value => {
    const token = tokenAt(args, context);
    const keys = stringAt(args, 1);
    context.spend(1 + (keys.length >> 4));
    return wrapped(() => anyVerifies(verificationKeys(keys), token, algorithm, context));
  };

const verifySecret =
  (hash: string) =>
  (args: readonly Value[], context: BuiltinContext): Value => {
    const token = tokenAt(args, context);
    const secret = stringAt(args, 1);
    return wrapped(() => verifyHmac(hash, secretBytes(secret), signingInput(token), signatureOf(token)));
  };

const unverified = (): Value => [false, new RegoObject(), new RegoObject()];

const decodeVerify = (args: readonly Value[], context: BuiltinContext): Value => {
  let token = tokenAt(args, context);
  const constraints = wrapped(() => readConstraints(objectAt(args, 1), context.nowNs));
  return wrapped(() => {
    for (let depth = 0; depth < MAX_NESTING; depth++) {
      const header = headerOf(token);
      if (!isTrusted(token, header, constraints, context)) return unverified();
      if (!isNested(header)) {
        const payload = jsonObject(payloadText(token));
        return claimsHold(payload, constraints) ? [true, header, payload] : unverified();
      }
      token = splitToken(nestedToken(token));
    }
    throw new Error('JWT is nested too deeply');
  });
};

/** Whether the header is one that can be verified, and the signature is right. */
const isTrusted = (
  token: Token,
  header: RegoObject,
  constraints: Constraints,
  context: BuiltinContext,
): boolean => {
  const name = header.getString('alg');
  // Extensions that must be understood are not (RFC 7515, section 4.1.11).
  if (typeof name !== 'string' || header.has('crit')) return false;
  if (constraints.algorithm !== undefined && constraints.algorithm !== name) return false;
  const algorithm = ALGORITHMS.get(name);
  if (algorithm === undefined) return false;
  if (algorithm.family === 'hmac') {
    if (constraints.secret === undefined) return false;
    return verifyHmac(
      algorithm.hash,
      secretBytes(constraints.secret),
      signingInput(token),
      signatureOf(token),
    );
  }
  return constraints.keys !== undefined && anyVerifies(constraints.keys, token, algorithm, context);
};

const encodeSign = (args: readonly Value[], context: BuiltinContext): Value => {
  const [header, payload, key] = [objectAt(args, 0), objectAt(args, 1), objectAt(args, 2)];
  return signed(
    { header: marshalJson(header), payload: marshalJson(payload), key: marshalJson(key) },
    context,
  );
};

const encodeSignRaw = (args: readonly Value[], context: BuiltinContext): Value => {
  const [header, payload, key] = [stringAt(args, 0), stringAt(args, 1), stringAt(args, 2)];
  return signed({ header, payload, key }, context);
};

interface Unsigned {
  readonly header: string;
  readonly payload: string;
  readonly key: string;
}

const signed = ({ header, payload, key }: Unsigned, context: BuiltinContext): Value => {
  context.spend(SIGNATURE_STEPS + ((header.length + payload.length) >> 6));
  return wrapped(() => {
    const name = algorithmIn(header);
    const algorithm = ALGORITHMS.get(name);
    if (algorithm === undefined) throw new Error(`unknown JWS algorithm: ${name}`);
    if (typeIn(header) === 'JWT' && !isJson(payload)) throw new Error('type is JWT but payload is not JSON');
    const input = `${encoded(header)}.${encoded(payload)}`;
    return `${input}.${signInput(algorithm, signingKey(key), input).toString('base64url')}`;
  });
};

const encoded = (text: string): string => bytesOfText(text).toString('base64url');

/** The header is taken as leniently as its writer was: only a JSON object can have an algorithm. */
const algorithmIn = (header: string): string => {
  const complaint = "missing or invalid 'alg' header: ";
  if (header.trim() === '')
    throw new Error(`${complaint}cannot parse JSON: cannot parse empty string; unparsed tail: ""`);
  const value = readHeader(header);
  if (value === undefined && header.trimStart().startsWith('{'))
    throw new Error(`${complaint}cannot parse JSON`);
  const algorithm = value?.getString('alg');
  if (typeof algorithm !== 'string') throw new Error(`${complaint}jwsbb: header "alg" not found`);
  return algorithm;
};

const readHeader = (header: string): RegoObject | undefined => {
  try {
    const value = unmarshalJson(header);
    return isObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
};

/** Only JSON may be the payload of a header that names no other type. */
const typeIn = (header: string): Value => readHeader(header)?.getString('typ') ?? 'JWT';

const isJson = (text: string): boolean => {
  try {
    unmarshalJson(text);
    return true;
  } catch {
    return false;
  }
};

const OBJECT = objectOf(STRING, ANY);
const HEADER = objectOf(STRING, ANY);
const CONSTRAINTS = record({}, { key: STRING, value: ANY });

const verifyBuiltins = Array.from(ALGORITHMS, ([name, algorithm]) =>
  builtin(`io.jwt.verify_${name.toLowerCase()}`, [STRING, STRING], BOOLEAN, verifyWith(algorithm)),
);

export const jwtBuiltins: readonly BuiltinDeclaration[] = [
  builtin('io.jwt.decode', [STRING], tuple(OBJECT, OBJECT, STRING), decode),
  ...verifyBuiltins,
  builtin('io.jwt.decode_verify', [STRING, CONSTRAINTS], tuple(BOOLEAN, OBJECT, OBJECT), decodeVerify, {
    nondeterministic: true,
  }),
  builtin('io.jwt.encode_sign', [HEADER, OBJECT, OBJECT], STRING, encodeSign, { nondeterministic: true }),
  builtin('io.jwt.encode_sign_raw', [STRING, STRING, STRING], STRING, encodeSignRaw, {
    nondeterministic: true,
  }),
];
