import { createHash, createHmac } from 'node:crypto';
import type { IncomingMessage, RequestListener } from 'node:http';
import { pathOf } from './web.ts';

/** The key pair that the origin accepts; no sandbox may ever hold it. */
export const AWS_KEYS = {
  id: 'AKIAFRUITFRUITFRUIT0',
  secret: 'wJalrXUtnFEMI0K7MDENG0bPxRfiCYFRUITKEY00',
} as const;

const sha256 = (data: string | Buffer): string => createHash('sha256').update(data).digest('hex');
const hmac = (key: string | Buffer, data: string): Buffer => createHmac('sha256', key).update(data).digest();

/** The query of a URL in the order and the escaping that a signature covers. */
const canonicalQuery = (text: string): string =>
  text
    .split('&')
    .filter(Boolean)
    .map((pair) => (pair.includes('=') ? pair : `${pair}=`))
    .sort()
    .join('&');

/**
 * Whether a request carries the signature of our key pair (AWS Signature Version 4, "Create a signed AWS API request"),
 * written from that description alone.
 */
const isSigned = (request: IncomingMessage, body: Buffer): boolean => {
  const match =
    /^AWS4-HMAC-SHA256 Credential=([^/]+)\/(\d{8}\/([^/]+)\/s3\/aws4_request), ?SignedHeaders=([^,]+), ?Signature=([0-9a-f]{64})$/.exec(
      request.headers.authorization ?? '',
    );
  if (!match) return false;
  const [, id, scope = '', region = '', signedHeaders = '', signature] = match;
  const payload = String(request.headers['x-amz-content-sha256']);
  if (/^[0-9a-f]{64}$/.test(payload) && payload !== sha256(body)) return false;
  const fields = signedHeaders
    .split(';')
    .map((name) => `${name}:${String(request.headers[name]).trim().replaceAll(/ +/g, ' ')}\n`)
    .join('');
  const canonical = [
    request.method,
    pathOf(request),
    canonicalQuery(request.url?.split('?')[1] ?? ''),
    fields,
    signedHeaders,
    payload,
  ].join('\n');
  const time = String(request.headers['x-amz-date']);
  const text = ['AWS4-HMAC-SHA256', time, scope, sha256(canonical)].join('\n');
  const dated = hmac(`AWS4${AWS_KEYS.secret}`, time.slice(0, 8));
  const key = [region, 's3', 'aws4_request'].reduce<Buffer>(hmac, dated);
  return id === AWS_KEYS.id && signature === hmac(key, text).toString('hex');
};

/** Takes an object out of `aws-chunked` framing: size in hex, data, and trailing checksums that are left out. */
const unchunk = (body: Buffer): Buffer => {
  const parts: Buffer[] = [];
  for (let at = 0; ; ) {
    const line = body.indexOf('\r\n', at);
    const size = Number.parseInt(body.toString('latin1', at, line), 16);
    if (!(size > 0)) return Buffer.concat(parts);
    parts.push(body.subarray(line + 2, line + 2 + size));
    at = line + 2 + size + 2;
  }
};

/** As much of S3 as PUT, GET and DELETE of an object need. Requests without a right signature are refused as S3 does. */
export const bucketSite = (): RequestListener => {
  const objects = new Map<string, Buffer>();
  return async (request, response) => {
    const body = Buffer.concat((await request.toArray()) as Buffer[]);
    const path = pathOf(request);
    const stored = objects.get(path);
    if (!isSigned(request, body)) {
      response.writeHead(403, { 'content-type': 'application/xml' });
      response.end('<Error><Code>SignatureDoesNotMatch</Code><Message>no</Message></Error>');
    } else if (request.method === 'PUT') {
      const framed = String(request.headers['content-encoding']).includes('aws-chunked');
      objects.set(path, framed ? unchunk(body) : body);
      response.end();
    } else if (request.method === 'GET' && stored) response.end(stored);
    else response.writeHead(request.method === 'DELETE' ? 204 : 404).end();
  };
};
