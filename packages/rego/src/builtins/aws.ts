import { createHash, createHmac } from 'node:crypto';
import { type BuiltinContext, type BuiltinDeclaration, OperandError } from '../builtin.ts';
import { ANY, NUMBER, objectOf, record, STRING } from '../types/index.ts';
import {
  compareStrings,
  format,
  isNumber,
  isObject,
  RegoObject,
  RegoSet,
  type Value,
} from '../value/index.ts';
import { builtin } from './declare.ts';
import { bytesOfText } from './encoding/bytes.ts';
import { marshalJson } from './encoding/json.ts';
import { wrapped } from './encoding.ts';
import { parseUrl } from './net/url.ts';
import { int64Of, objectAt } from './operands.ts';

/** Signing of requests to Amazon's services: AWS Signature Version 4. */

const REQUEST_MEMBERS = ['method', 'url'];
const CONFIG_MEMBERS = ['aws_access_key', 'aws_region', 'aws_secret_access_key', 'aws_service'];

/** Headers that proxies change and that are therefore not signed. */
const UNSIGNED = new Set(['authorization', 'user-agent', 'x-amzn-trace-id']);

interface Credentials {
  readonly accessKey: string;
  readonly secretKey: string;
  readonly region: string;
  readonly service: string;
  readonly sessionToken: string | undefined;
  readonly signsPayload: boolean;
}

const sign = (args: readonly Value[], context: BuiltinContext): Value => {
  const request = objectAt(args, 0);
  checkMembers(request, REQUEST_MEMBERS, { position: 1, what: 'request' });
  const config = objectAt(args, 1);
  checkMembers(config, CONFIG_MEMBERS, { position: 2, what: 'AWS config' });
  const seconds = secondsOf(args[2]!);
  const payload = payloadOf(request);
  context.spend(1 + (payload.length >> 6));
  const headers = wrapped(() => signedHeaders(request, credentialsOf(config), payload, seconds));
  const result = new RegoObject(request);
  result.set('headers', headers);
  return result;
};

const checkMembers = (
  object: RegoObject,
  names: readonly string[],
  { position, what }: { readonly position: number; readonly what: string },
): void => {
  const complain = (reason: string, wrong: readonly string[]): void => {
    if (wrong.length === 0) return;
    throw new OperandError(
      `operand ${position} ${reason} required ${what} parameters(s): ${format(new RegoSet(wrong))}`,
    );
  };
  complain(
    'missing',
    names.filter((name) => !object.has(name)),
  );
  complain(
    'invalid values for',
    names.filter((name) => typeof object.getString(name) !== 'string'),
  );
};

const secondsOf = (value: Value): number => {
  const nanos = isNumber(value) ? int64Of(value) : undefined;
  if (nanos === undefined) {
    throw new OperandError('operand 3 could not convert time_ns value into a unix timestamp');
  }
  return Number(nanos / 1_000_000_000n);
};

const textIn = (object: RegoObject, name: string): string | undefined => {
  const value = object.getString(name);
  return typeof value === 'string' ? value : undefined;
};

const credentialsOf = (config: RegoObject): Credentials => ({
  accessKey: textIn(config, 'aws_access_key')!,
  secretKey: textIn(config, 'aws_secret_access_key')!,
  region: textIn(config, 'aws_region')!,
  service: textIn(config, 'aws_service')!,
  sessionToken: textIn(config, 'aws_session_token'),
  signsPayload: config.getString('disable_payload_signing') !== true,
});

/** The body as it will be sent: as it is, or as JSON. */
const payloadOf = (request: RegoObject): Buffer => {
  const raw = request.getString('raw_body');
  if (typeof raw === 'string') return bytesOfText(raw);
  const body = request.getString('body');
  return body === undefined ? Buffer.alloc(0) : Buffer.from(marshalJson(body));
};

const sha256 = (data: string | Buffer): string => createHash('sha256').update(data).digest('hex');

const signedHeaders = (
  request: RegoObject,
  credentials: Credentials,
  payload: Buffer,
  seconds: number,
): RegoObject => {
  const url = parseUrl(textIn(request, 'url')!);
  const time = new Date(seconds * 1000).toISOString().replace(/[-:]|\.\d+/g, '');
  const payloadHash = credentials.signsPayload ? sha256(payload) : 'UNSIGNED-PAYLOAD';
  const own = new Map([
    ['host', url.host],
    ['x-amz-date', time],
  ]);
  // The simple storage service wants the hash among the headers as well.
  if (credentials.service === 's3') own.set('x-amz-content-sha256', payloadHash);
  if (credentials.sessionToken !== undefined) own.set('x-amz-security-token', credentials.sessionToken);
  const given = givenHeaders(request);
  // What the request says of a header is signed, what is made here is sent: so OPA has it.
  const signed = [
    ...new Map([...own, ...given.map(([name, value]) => [name.toLowerCase(), value.trim()] as const)]),
  ]
    .filter(([name]) => !UNSIGNED.has(name))
    .sort(([a], [b]) => compareStrings(a, b));
  const names = signed.map(([name]) => name).join(';');
  const canonical = [
    textIn(request, 'method')!,
    url.rawPath || encodeURI(url.path),
    url.rawQuery,
    ...signed.map(([name, value]) => `${name}:${value}`),
    '',
    names,
    payloadHash,
  ].join('\n');
  const scope = `${time.slice(0, 8)}/${credentials.region}/${credentials.service}/aws4_request`;
  const signature = signatureOf(
    ['AWS4-HMAC-SHA256', time, scope, sha256(canonical)].join('\n'),
    scope,
    credentials,
  );
  const authorization = `AWS4-HMAC-SHA256 Credential=${credentials.accessKey}/${scope},SignedHeaders=${names},Signature=${signature}`;
  return new RegoObject([...given, ...own, ['Authorization', authorization]]);
};

const givenHeaders = (request: RegoObject): [string, string][] => {
  const headers = request.getString('headers');
  if (!isObject(headers)) return [];
  return Array.from(headers, ([name, value]): [string, string] => [
    String(name),
    typeof value === 'string' ? value : format(value),
  ]);
};

/** The key is derived from the secret by every part of the scope in turn. */
const signatureOf = (text: string, scope: string, { secretKey }: Credentials): string => {
  const key = scope
    .split('/')
    .reduce<string | Buffer>(
      (secret, part) => createHmac('sha256', secret).update(part).digest(),
      `AWS4${secretKey}`,
    );
  return createHmac('sha256', key).update(text).digest('hex');
};

const REQUEST = record({}, { key: STRING, value: ANY });

export const awsBuiltins: readonly BuiltinDeclaration[] = [
  builtin('providers.aws.sign_req', [REQUEST, objectOf(STRING, ANY), NUMBER], objectOf(ANY, ANY), sign),
];
