import { createHash, createHmac } from 'node:crypto';
import type { HeaderField } from '../http/request-head.ts';
import type { SecretValue } from './secret.ts';

/** The keys of one AWS identity. */
export interface AwsKeys {
  readonly accessKeyId: SecretValue;
  readonly secretAccessKey: SecretValue;
  /** Of temporary credentials. */
  readonly sessionToken: SecretValue | undefined;
}

/** What the signature says about the body (`x-amz-content-sha256`). */
export type PayloadHash =
  /** Lower-case hex of its SHA-256. */
  | { readonly kind: 'sha256'; readonly hex: string }
  | { readonly kind: 'unsigned' }
  /** Chunks with a checksum in the trailer, none of them signed. */
  | { readonly kind: 'unsigned-trailer' };

export interface SigningRequest {
  readonly method: string;
  /** Origin-form. */
  readonly target: string;
  /** As `Host` or `:authority` will carry it. */
  readonly authority: string;
  /** Without fields that are a signature's (`withoutSignature`). */
  readonly fields: readonly HeaderField[];
}

export interface SigningScope {
  readonly service: string;
  readonly region: string;
  readonly time: Date;
}

/** Fields of the client's own signature, and what it says about the body. */
const SIGNATURE_FIELDS: ReadonlySet<string> = new Set([
  'authorization',
  'x-amz-date',
  'x-amz-security-token',
  'x-amz-content-sha256',
]);

/** Signed where they are there, beside `host` and everything that begins with `x-amz-`: proxies leave these alone. */
const ALSO_SIGNED: ReadonlySet<string> = new Set(['content-type', 'content-md5']);

export const withoutSignature = (fields: readonly HeaderField[]): HeaderField[] =>
  fields.filter(({ lowerName }) => !SIGNATURE_FIELDS.has(lowerName));

/**
 * Signs a request by AWS Signature Version 4 (AWS General Reference, "Create a signed AWS API request"): its fields with those of the
 * signature.
 */
export function sign(
  request: SigningRequest,
  payload: PayloadHash,
  keys: AwsKeys,
  scope: SigningScope,
): HeaderField[] {
  const stamp = scope.time.toISOString().replace(/[-:]|\.\d{3}/g, '');
  const hash = payloadText(payload);
  const fields = [
    ...request.fields,
    field('x-amz-date', stamp),
    ...(isS3(scope.service) || payload.kind !== 'sha256' ? [field('x-amz-content-sha256', hash)] : []),
    ...(keys.sessionToken ? [field('x-amz-security-token', keys.sessionToken.reveal())] : []),
  ];
  const headers = canonicalHeaders(request.authority, fields);
  const signedNames = headers.map(([name]) => name).join(';');
  const [path = '/', query = ''] = splitOnce(request.target, '?');
  const canonical = [
    request.method,
    isS3(scope.service) ? canonicalS3Path(path) : canonicalPath(path),
    canonicalQuery(query),
    ...headers.map(([name, value]) => `${name}:${value}`),
    '',
    signedNames,
    hash,
  ].join('\n');
  const credentialScope = [stamp.slice(0, 8), scope.region, scope.service, 'aws4_request'];
  const toSign = ['AWS4-HMAC-SHA256', stamp, credentialScope.join('/'), sha256Hex(canonical)].join('\n');
  const signature = hmac(signingKey(keys.secretAccessKey, credentialScope), toSign).toString('hex');
  const credential = `${keys.accessKeyId.reveal()}/${credentialScope.join('/')}`;
  return [
    ...fields,
    field(
      'authorization',
      `AWS4-HMAC-SHA256 Credential=${credential}, SignedHeaders=${signedNames}, Signature=${signature}`,
    ),
  ];
}

export const sha256Hex = (data: string | Buffer): string => createHash('sha256').update(data).digest('hex');

/** S3 and what speaks its protocol take the path as it is: their keys may hold `//` and `..`. */
const isS3 = (service: string): boolean => /^s3(?:-|express|$)/.test(service);

function payloadText(payload: PayloadHash): string {
  switch (payload.kind) {
    case 'sha256':
      return payload.hex;
    case 'unsigned':
      return 'UNSIGNED-PAYLOAD';
    case 'unsigned-trailer':
      return 'STREAMING-UNSIGNED-PAYLOAD-TRAILER';
    default:
      return payload satisfies never;
  }
}

const field = (name: string, value: string): HeaderField => ({ name, lowerName: name, value });

/** Names in order, repeated fields joined, runs of spaces made one. */
function canonicalHeaders(authority: string, fields: readonly HeaderField[]): [string, string][] {
  const values = new Map([['host', [authority]]]);
  for (const { lowerName, value } of fields) {
    if (!lowerName.startsWith('x-amz-') && !ALSO_SIGNED.has(lowerName)) continue;
    const list = values.get(lowerName) ?? [];
    list.push(value.trim().replace(/ {2,}/g, ' '));
    values.set(lowerName, list);
  }
  return [...values].map(([name, list]): [string, string] => [name, list.join(',')]).sort(byCode);
}

/** Each segment as it stands, encoded: what is percent-encoded already is so twice. Empty and dot segments go. */
function canonicalPath(path: string): string {
  const kept: string[] = [];
  for (const segment of path.split('/')) {
    if (segment === '..') kept.pop();
    else if (segment !== '.' && segment !== '') kept.push(encode(segment));
  }
  const end = kept.length > 0 && /\/(?:\.{0,2})$/.test(path) ? '/' : '';
  return `/${kept.join('/')}${end}`;
}

/** Decoded and encoded in the one way that AWS knows, once. */
const canonicalS3Path = (path: string): string =>
  path
    .split('/')
    .map((segment) => encode(decode(segment)))
    .join('/');

function canonicalQuery(query: string): string {
  return query
    .split('&')
    .filter((part) => part !== '')
    .map((part): [string, string] => {
      const [name = '', value = ''] = splitOnce(part, '=');
      return [encode(decode(name.replaceAll('+', ' '))), encode(decode(value.replaceAll('+', ' ')))];
    })
    .sort(byCode)
    .map(([name, value]) => `${name}=${value}`)
    .join('&');
}

const byCode = (a: readonly [string, string], b: readonly [string, string]): number =>
  compare(a[0], b[0]) || compare(a[1], b[1]);

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

/** Everything but RFC 3986's unreserved characters. Bytes as latin1, so that what is not UTF-8 stays what it is. */
const encode = (bytes: string): string =>
  bytes.replace(
    /[^A-Za-z0-9._~-]/g,
    (char) => `%${char.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`,
  );

const decode = (text: string): string =>
  text.replace(/%([0-9a-fA-F]{2})/g, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 16)));

function splitOnce(text: string, separator: string): string[] {
  const at = text.indexOf(separator);
  return at < 0 ? [text] : [text.slice(0, at), text.slice(at + separator.length)];
}

const hmac = (key: string | Buffer, data: string): Buffer => createHmac('sha256', key).update(data).digest();

const signingKey = (secret: SecretValue, scope: readonly string[]): Buffer =>
  scope.reduce<string | Buffer>((key, part) => hmac(key, part), `AWS4${secret.reveal()}`) as Buffer;
