import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { describe, test } from 'node:test';
import type { Json, JsonObject } from '../value/index.ts';
import { call } from './calling.ts';

describe('hashes', () => {
  const cases: readonly (readonly [string, readonly string[], string])[] = [
    ['crypto.md5', ['hello'], '5d41402abc4b2a76b9719d911017c592'],
    ['crypto.sha1', ['hello'], 'aaf4c61ddcc5e8a2dabede0f3b482cd9aea9434d'],
    ['crypto.sha256', ['hello'], '2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824'],
    ['crypto.hmac.md5', ['foo', 'bar'], '31b6db9e5eb4addb42f1a6ca07367adc'],
    ['crypto.hmac.sha1', ['foo', 'bar'], '85d155c55ed286a300bd1cf124de08d87e914f3a'],
  ];
  for (const [name, args, expected] of cases) {
    test(`${name}(${args.join(', ')})`, () => {
      assert.equal(call(name, ...args), expected);
    });
  }

  test('codes of different lengths are compared and differ', () => {
    assert.equal(call('crypto.hmac.equal', 'a', 'a'), true);
    assert.equal(call('crypto.hmac.equal', 'a', 'ab'), false);
  });
});

const jwkOf = (
  type: 'rsa' | 'ec' | 'ed25519',
): { readonly privateKey: JsonObject; readonly publicPem: string } => {
  const pair =
    type === 'rsa'
      ? generateKeyPairSync('rsa', { modulusLength: 2048 })
      : type === 'ec'
        ? generateKeyPairSync('ec', { namedCurve: 'P-256' })
        : generateKeyPairSync('ed25519');
  return {
    privateKey: pair.privateKey.export({ format: 'jwk' }) as JsonObject,
    publicPem: pair.publicKey.export({ format: 'pem', type: 'spki' }) as string,
  };
};

describe('tokens', () => {
  const rsa = jwkOf('rsa');
  const keys = { RS256: rsa, PS384: rsa, ES256: jwkOf('ec'), EdDSA: jwkOf('ed25519') };
  const secret: JsonObject = { kty: 'oct', k: Buffer.from('secret').toString('base64url') };
  const signed = (alg: string, payload: Json, key: JsonObject): string =>
    call('io.jwt.encode_sign', { alg, typ: 'JWT' }, payload, key) as string;

  for (const [algorithm, { privateKey, publicPem }] of Object.entries(keys)) {
    test(`${algorithm} verifies what it signed and nothing else`, () => {
      const token = signed(algorithm, { iss: 'me' }, privateKey);
      const verify = `io.jwt.verify_${algorithm.toLowerCase()}`;
      assert.equal(call(verify, token, publicPem), true);
      const [header, , signature] = token.split('.');
      const forged = `${header}.${Buffer.from('{"iss":"you"}').toString('base64url')}.${signature}`;
      assert.equal(call(verify, forged, publicPem), false);
      assert.equal(call(verify, token, jwkOf('rsa').publicPem), false);
      assert.deepEqual(call('io.jwt.decode_verify', token, { cert: publicPem, iss: 'me' }), [
        true,
        { alg: algorithm, typ: 'JWT' },
        { iss: 'me' },
      ]);
    });
  }

  test('a public key is no secret: algorithms cannot be confused', () => {
    const { publicPem } = keys.RS256;
    const confused = signed('HS256', {}, { kty: 'oct', k: Buffer.from(publicPem).toString('base64url') });
    assert.deepEqual(call('io.jwt.decode_verify', confused, { cert: publicPem }), [false, {}, {}]);
    const none = `${Buffer.from('{"alg":"none"}').toString('base64url')}.e30.`;
    assert.deepEqual(call('io.jwt.decode_verify', none, { cert: publicPem }), [false, {}, {}]);
  });

  test('of several keys the one that is named is used', () => {
    const other = { ...jwkOf('rsa').privateKey, kid: 'other', alg: 'RS256' };
    const own = { ...rsa.privateKey, kid: 'own', alg: 'RS256' };
    const token = call('io.jwt.encode_sign', { alg: 'RS256', kid: 'own' }, {}, rsa.privateKey) as string;
    assert.equal(call('io.jwt.verify_rs256', token, JSON.stringify({ keys: [other, own] })), true);
    assert.equal(call('io.jwt.verify_rs256', token, JSON.stringify({ keys: [other] })), false);
    const unknown = { ...own, alg: 'RSA-OAEP' };
    assert.equal(call('io.jwt.verify_rs256', token, JSON.stringify({ keys: [unknown] })), false);
  });

  const claims: readonly (readonly [string, JsonObject, JsonObject, boolean])[] = [
    ['not expired yet', { exp: 1001 }, { time: 1_000_000_000_000 }, true],
    ['just expired', { exp: 1000 }, { time: 1_000_000_000_000 }, false],
    ['not valid yet', { nbf: 1000.5 }, { time: 1_000_000_000_000 }, false],
    ['for the audience', { aud: ['a', 'b'] }, { aud: 'b' }, true],
    ['for another audience', { aud: 'a' }, { aud: 'b' }, false],
    ['for an audience that was not asked for', { aud: 'a' }, {}, false],
    ['for nobody when somebody was asked for', {}, { aud: 'b' }, false],
    ['of another issuer', { iss: 'x' }, { iss: 'y' }, false],
    ['with another algorithm', {}, { alg: 'HS512' }, false],
  ];
  for (const [situation, payload, constraints, expected] of claims) {
    test(`a token ${situation} is ${expected ? 'taken' : 'refused'}`, () => {
      const token = signed('HS256', payload, secret);
      const [valid] = call('io.jwt.decode_verify', token, { secret: 'secret', ...constraints }) as [boolean];
      assert.equal(valid, expected);
    });
  }

  const failures: readonly (readonly [string, readonly Json[], RegExp])[] = [
    ['io.jwt.decode', ['a.b'], /^encoded JWT must have 3 sections, found 2$/],
    [
      'io.jwt.decode',
      ['ab^d.e30.x'],
      /^JWT header had invalid encoding: illegal base64 data at input byte 2$/,
    ],
    ['io.jwt.decode', [`${Buffer.from('{"enc":"x"}').toString('base64url')}.e30.eA`], /^JWT is a JWE object/],
    ['io.jwt.encode_sign_raw', ['{"alg":"dummy"}', '{}', '{}'], /^unknown JWS algorithm: dummy$/],
    ['io.jwt.encode_sign_raw', ['', '{}', '{}'], /^missing or invalid 'alg' header: cannot parse JSON/],
    ['io.jwt.encode_sign_raw', ['{"alg":"HS256"}', 'e', '{}'], /^type is JWT but payload is not JSON$/],
    [
      'io.jwt.verify_rs256',
      ['a.b.c', '-----BEGIN CERT-----\neA==\n-----END CERT-----'],
      /failed to extract a Key/,
    ],
    ['io.jwt.verify_rs256', ['a.b.c', '{'], /^failed to parse a JWK key \(set\)/],
    ['io.jwt.decode_verify', ['a.b.c', {}], /^no key constraint$/],
    ['io.jwt.decode_verify', ['a.b.c', { nope: 1 }], /^unknown token validation constraint: nope$/],
  ];
  for (const [name, args, message] of failures) {
    test(`${name}${JSON.stringify(args)} fails`, () => {
      assert.throws(() => call(name, ...args), { message });
    });
  }

  test('times that are no numbers are errors', () => {
    const token = signed('HS256', { exp: 'tomorrow' }, secret);
    assert.throws(() => call('io.jwt.decode_verify', token, { secret: 'secret' }), {
      message: 'exp value must be a number',
    });
  });
});

describe('certificates and keys', () => {
  test('what is none is said to be none', () => {
    assert.throws(() => call('crypto.x509.parse_certificates', 'YmFkc3RyaW5n'), {
      message: 'x509: malformed certificate',
    });
    assert.throws(() => call('crypto.x509.parse_certificates', 'foobar'), { message: /^illegal base64/ });
    assert.throws(() => call('crypto.x509.parse_certificate_request', 'YmFkc3RyaW5n'), {
      message: /^asn1: structure error/,
    });
    assert.deepEqual(call('crypto.parse_private_keys', 'nope'), []);
    assert.equal(call('crypto.parse_private_keys', ''), null);
  });

  test('nesting in ASN.1 that promises more than there is ends', () => {
    for (const hex of ['30', '3080', '3084ffffffff', '30820003', `${'3080'.repeat(2_000)}`, '300302010']) {
      const der = Buffer.from(hex, 'hex').toString('base64');
      assert.throws(() => call('crypto.x509.parse_certificates', der), {
        message: 'x509: malformed certificate',
      });
    }
  });

  test('an RSA key becomes a JWK and a list of its numbers', () => {
    const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
    const pem = privateKey.export({ format: 'pem', type: 'pkcs1' }) as string;
    assert.deepEqual(call('crypto.x509.parse_rsa_private_key', pem), privateKey.export({ format: 'jwk' }));
    const [key] = call('crypto.parse_private_keys', pem) as [JsonObject];
    assert.deepEqual(Object.keys(key).sort(), ['D', 'E', 'N', 'Precomputed', 'Primes']);
  });
});

describe('signatures for Amazon', () => {
  const config = {
    aws_access_key: 'KEY',
    aws_secret_access_key: 'SECRET',
    aws_service: 's3',
    aws_region: 'us-east-1',
  };
  const at = 1_451_311_705_000;

  test('headers are added and the rest stays', () => {
    const request = { method: 'get', url: 'http://example.com', headers: { foo: 'bar' } };
    const signed = call('providers.aws.sign_req', request, config, at * 1_000_000) as JsonObject;
    const { headers, method } = signed as { headers: JsonObject; method: string };
    const { host, Authorization } = headers;
    assert.equal(method, 'get');
    assert.equal(host, 'example.com');
    assert.equal(headers['x-amz-date'], '20151228T140825Z');
    assert.match(
      Authorization as string,
      /SignedHeaders=foo;host;x-amz-content-sha256;x-amz-date,Signature=[0-9a-f]{64}$/,
    );
  });

  test('what is missing is named', () => {
    assert.throws(() => call('providers.aws.sign_req', { method: 'get' }, config, at), {
      message: 'operand 1 missing required request parameters(s): {"url"}',
    });
    assert.throws(
      () => call('providers.aws.sign_req', { method: 'get', url: 'x' }, { ...config, aws_region: 1 }, at),
      {
        message: 'operand 2 invalid values for required AWS config parameters(s): {"aws_region"}',
      },
    );
  });
});
