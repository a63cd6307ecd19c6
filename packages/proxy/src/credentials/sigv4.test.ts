import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { HeaderField } from '../http/request-head.ts';
import { regionOf } from './aws-region.ts';
import { SecretValue } from './secret.ts';
import { type AwsKeys, sha256Hex, sign, withoutSignature } from './sigv4.ts';

const field = (name: string, value: string): HeaderField => ({ name, lowerName: name.toLowerCase(), value });
const EMPTY = { kind: 'sha256', hex: sha256Hex('') } as const;

function keys(id: string, secret: string, token?: string): AwsKeys {
  return {
    accessKeyId: new SecretValue(id, 'AWS_ACCESS_KEY_ID'),
    secretAccessKey: new SecretValue(secret, 'AWS_SECRET_ACCESS_KEY'),
    sessionToken: token === undefined ? undefined : new SecretValue(token, 'AWS_SESSION_TOKEN'),
  };
}

const signatureOf = (fields: readonly HeaderField[]): string | undefined =>
  /Signature=([0-9a-f]{64})$/.exec(
    fields.find(({ lowerName }) => lowerName === 'authorization')?.value ?? '',
  )?.[1];

describe('signatures are those of the published examples', () => {
  // AWS, "Signature Calculations for the Authorization Header: Transferring Payload in a Single Chunk".
  const s3 = keys('AKIAIOSFODNN7EXAMPLE', 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY');
  const s3Scope = { service: 's3', region: 'us-east-1', time: new Date('2013-05-24T00:00:00Z') };
  for (const [target, expected] of [
    ['/?lifecycle', 'fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543'],
    ['/?max-keys=2&prefix=J', '34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7'],
  ] as const) {
    test(`S3: GET ${target}`, () => {
      const request = { method: 'GET', target, authority: 'examplebucket.s3.amazonaws.com', fields: [] };
      assert.equal(signatureOf(sign(request, EMPTY, s3, s3Scope)), expected);
    });
  }

  // AWS Signature Version 4 test suite.
  const suite = keys('AKIDEXAMPLE', 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY');
  const suiteScope = { service: 'service', region: 'us-east-1', time: new Date('2015-08-30T12:36:00Z') };
  for (const [name, method, target, expected] of [
    ['get-vanilla', 'GET', '/', '5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31'],
    [
      'get-vanilla-query-order-key-case',
      'GET',
      '/?Param2=value2&Param1=value1',
      'b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500',
    ],
    ['post-vanilla', 'POST', '/', '5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b'],
    ['get-slashes', 'GET', '//example//', '9a624bd73a37c9a373b5312afbebe7a714a789de108f0bdfe846570885f57e84'],
    ['get-slash', 'GET', '//', '5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31'],
    [
      'get-relative-relative',
      'GET',
      '/example1/example2/../..',
      '5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31',
    ],
  ] as const) {
    test(`suite: ${name}`, () => {
      const request = { method, target, authority: 'example.amazonaws.com', fields: [] };
      assert.equal(signatureOf(sign(request, EMPTY, suite, suiteScope)), expected);
    });
  }
});

test('a session token is sent and signed', () => {
  const scope = { service: 'sts', region: 'eu-west-1', time: new Date('2024-02-03T04:05:06.789Z') };
  const request = { method: 'GET', target: '/', authority: 'sts.eu-west-1.amazonaws.com', fields: [] };
  const fields = sign(request, EMPTY, keys('AKID', 'secret', 'the-token'), scope);
  assert.equal(fields.find(({ lowerName }) => lowerName === 'x-amz-date')?.value, '20240203T040506Z');
  assert.equal(fields.find(({ lowerName }) => lowerName === 'x-amz-security-token')?.value, 'the-token');
  assert.match(
    fields.at(-1)!.value,
    /^AWS4-HMAC-SHA256 Credential=AKID\/20240203\/eu-west-1\/sts\/aws4_request, SignedHeaders=host;x-amz-date;x-amz-security-token, /,
  );
});

test('the path of S3 is encoded once, that of other services twice; both as the request has it', () => {
  const time = new Date('2024-01-01T00:00:00Z');
  const of = (service: string, target: string) =>
    signatureOf(
      sign({ method: 'GET', target, authority: 'h', fields: [] }, EMPTY, keys('AKID', 'secret'), {
        service,
        region: 'eu-west-1',
        time,
      }),
    );
  assert.equal(of('s3', '/a%7Eb/c'), of('s3', '/a~b/c'));
  assert.notEqual(of('s3', '/a//b'), of('s3', '/a/b'));
  assert.equal(of('lambda', '/a//b'), of('lambda', '/a/b'));
  assert.notEqual(of('lambda', '/a%7Eb'), of('lambda', '/a~b'));
  assert.equal(of('s3', '/?b=2&a=%7e'), of('s3', '/?a=~&b=2'));
  assert.equal(of('s3', '/?a'), of('s3', '/?a='));
});

test("the client's own signature is taken away", () => {
  const fields = ['Authorization', 'X-Amz-Date', 'x-amz-security-token', 'X-Amz-Content-Sha256', 'x-amz-acl'];
  assert.deepEqual(
    withoutSignature(fields.map((name) => field(name, 'v'))).map(({ name }) => name),
    ['x-amz-acl'],
  );
});

test('repeated fields are joined and spaces folded before they are signed', () => {
  const scope = { service: 's3', region: 'eu-west-1', time: new Date(0) };
  const of = (fields: HeaderField[]) =>
    signatureOf(
      sign({ method: 'GET', target: '/', authority: 'h', fields }, EMPTY, keys('A', 'secret'), scope),
    );
  assert.equal(
    of([field('x-amz-meta', 'a   b'), field('X-Amz-Meta', 'c')]),
    of([field('x-amz-meta', 'a b,c')]),
  );
  assert.equal(of([field('user-agent', 'x')]), of([]));
  assert.notEqual(of([field('content-type', 'text/plain')]), of([]));
});

describe('regions in host names', () => {
  for (const [host, region] of [
    ['s3.eu-west-1.amazonaws.com', 'eu-west-1'],
    ['bucket.s3.eu-west-1.amazonaws.com', 'eu-west-1'],
    ['my.dotted.bucket.s3.eu-central-1.amazonaws.com', 'eu-central-1'],
    ['bucket.s3.dualstack.ap-southeast-2.amazonaws.com', 'ap-southeast-2'],
    ['s3-fips.us-gov-west-1.amazonaws.com', 'us-gov-west-1'],
    ['bucket.s3-fips.dualstack.us-east-2.amazonaws.com', 'us-east-2'],
    ['bucket.s3-us-west-2.amazonaws.com', 'us-west-2'],
    ['s3-fips-us-gov-west-1.amazonaws.com', 'us-gov-west-1'],
    ['s3.amazonaws.com', 'us-east-1'],
    ['eu-west-1.s3.amazonaws.com', 'us-east-1'],
    ['iam.amazonaws.com', 'us-east-1'],
    ['iam.us-gov.amazonaws.com', 'us-gov-west-1'],
    ['sts.cn-north-1.amazonaws.com.cn', 'cn-north-1'],
    ['s3.cn-northwest-1.amazonaws.com.cn', 'cn-northwest-1'],
    ['lambda.eu-west-1.api.aws', 'eu-west-1'],
    ['search.eu-west-1.es.amazonaws.com', 'eu-west-1'],
    ['123456789012.dkr.ecr.eu-west-1.amazonaws.com', 'eu-west-1'],
    ['bedrock-runtime-fips.us-west-2.amazonaws.com', 'us-west-2'],
    ['example.com', undefined],
    ['s3.eu-west-1.amazonaws.com.evil.example', undefined],
    ['notamazonaws.com', undefined],
  ] as const) {
    test(`${host} is in ${region ?? 'none that is known'}`, () => assert.equal(regionOf(host), region));
  }
});
