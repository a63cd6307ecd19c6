import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { inspect } from 'node:util';
import fc from 'fast-check';
import { isRefusal } from './injection.ts';
import { MARKERS } from './placeholder.ts';
import {
  bound,
  endpointsOf,
  everyCut,
  injected,
  NO_POLICY,
  policyOf,
  refused,
  requestTo,
  sentIn,
  storeOf,
  Taken,
  toHost,
  treatmentIn,
} from './testing/store.ts';

const SECRET = 'ghp_S3cretValue0123456789';
const MARK = 'openshell:resolve:env:TOKEN';
const HOST = toHost('api.example.com');
const environment = { TOKEN: SECRET, OTHER: 'other-value-1234', WORD: 'p/w?#..', BASIC: 'user:pass-word' };
const store = storeOf([bound('TOKEN', 'api.example.com')], { environment });
const basic = (pair: string): string => `Basic ${Buffer.from(pair).toString('base64')}`;

describe('a value is put', () => {
  const cases: readonly (readonly [string, Parameters<typeof requestTo>, string, string])[] = [
    ['into a whole header', ['/', { 'X-Key': MARK }], 'x-key', SECRET],
    ['behind a scheme', ['/', { Authorization: `Bearer ${MARK}` }], 'authorization', `Bearer ${SECRET}`],
    ['into a cookie', ['/', { Cookie: `a=1; t=${MARK}; b=2` }], 'cookie', `a=1; t=${SECRET}; b=2`],
    [
      'as a password in Basic',
      ['/', { Authorization: basic(`user:${MARK}`) }],
      'authorization',
      basic(`user:${SECRET}`),
    ],
    [
      'as a user in Basic',
      ['/', { Authorization: basic(`${MARK}:x`) }],
      'authorization',
      basic(`${SECRET}:x`),
    ],
  ];
  for (const [name, [target, fields], lowerName, expected] of cases) {
    test(name, async () => {
      const { request, used } = await injected(store, requestTo(target, fields), HOST);
      assert.equal(sentIn(request, lowerName), expected);
      assert.deepEqual(used?.names, ['TOKEN']);
      assert.equal(sentIn(request, 'accept-encoding'), 'identity');
    });
  }

  for (const [target, expected] of [
    [`/bot${MARK}/send`, `/bot${SECRET}/send`],
    [`/bot${encodeURIComponent(MARK)}/send`, `/bot${SECRET}/send`],
    [`/a?key=${MARK}&b=1`, `/a?key=${SECRET}&b=1`],
    [`/a?key=${encodeURIComponent(MARK)}`, `/a?key=${SECRET}`],
    [`/${MARK}?a=${MARK}`, `/${SECRET}?a=${SECRET}`],
  ] as const) {
    test(`into ${target}`, async () => {
      assert.equal((await injected(store, requestTo(target), HOST)).request.target, expected);
    });
  }

  test('with its encoding where the place has one', async () => {
    const odd = storeOf([bound('TOKEN', 'api.example.com')], { environment: { TOKEN: '123:a b&c+é' } });
    const target = `/x${MARK}?q=${MARK}`;
    const { request } = await injected(odd, requestTo(target), HOST);
    assert.equal(request.target, '/x123:a%20b&c+%C3%A9?q=123%3Aa%20b%26c%2B%C3%A9');
  });

  test('as an alias that begins like the real thing', async () => {
    const alias = storeOf([{ ...bound('TOKEN', 'api.example.com'), prefix: 'ghp_' }], { environment });
    const placeholder = alias.environment().TOKEN!;
    assert.equal(placeholder, 'ghp_OPENSHELL-RESOLVE-ENV-TOKEN');
    const { request } = await injected(alias, requestTo('/', { A: `token ${placeholder}` }), HOST);
    assert.equal(sentIn(request, 'a'), `token ${SECRET}`);
    const wrong = await refused(alias, requestTo('/', { A: 'gho_OPENSHELL-RESOLVE-ENV-TOKEN' }), HOST);
    assert.equal(wrong.error, 'credential_injection_failed');
  });

  test('for the revision and the stable id that its placeholder names, and for no other', async () => {
    const id = 'ab'.repeat(32);
    const specs = [
      { ...bound('TOKEN', 'api.example.com'), revision: 7 },
      { ...bound('OTHER', 'api.example.com'), stableId: id },
    ];
    const revised = storeOf(specs, { environment });
    assert.deepEqual(revised.environment(), {
      TOKEN: 'openshell:resolve:env:v7_TOKEN',
      OTHER: `openshell:resolve:env:s${id}_OTHER`,
    });
    const { request } = await injected(revised, requestTo('/', { ...revised.environment() }), HOST);
    assert.deepEqual([sentIn(request, 'token'), sentIn(request, 'other')], [SECRET, environment.OTHER]);
    for (const old of ['openshell:resolve:env:v6_TOKEN', MARK])
      assert.equal(
        (await refused(revised, requestTo('/', { A: old }), HOST)).error,
        'credential_unavailable',
      );
  });

  test('at once where values are at hand', () => {
    assert.ok(!(store.inject(requestTo('/', { A: MARK }), HOST) instanceof Promise));
  });
});

describe('a request is refused', () => {
  for (const [name, target, fields] of [
    ['a marker in the name of a parameter', `/?${MARK}=1`, {}],
    ['a marker in the name of a field', '/', { 'OPENSHELL-RESOLVE-ENV-TOKEN': '1' }],
    ['a percent-encoded marker in a header', '/', { A: encodeURIComponent(MARK) }],
    ['a marker encoded twice in the path', `/${encodeURIComponent(encodeURIComponent(MARK))}`, {}],
    ['a marker in upper case', '/', { A: MARK.toUpperCase() }],
    ['a marker without a name', '/', { A: 'openshell:resolve:env:' }],
    ['base64 that is not Basic', '/', { A: Buffer.from(`x${MARK}`).toString('base64') }],
    ['JSON escapes in a header', '/', { A: MARK.replace('o', '\\u006f') }],
    ['Basic with an encoded marker', '/', { Authorization: basic(`u:${encodeURIComponent(MARK)}`) }],
  ] as const) {
    test(`for ${name}`, async () => {
      const refusal = await refused(store, requestTo(target, fields), HOST);
      assert.equal(refusal.error, 'credential_injection_failed');
      assert.equal(refusal.status, 500);
    });
  }

  test('for a credential that there is not', async () => {
    const refusal = await refused(store, requestTo('/', { A: `${MARK}X` }), HOST);
    assert.equal(refusal.error, 'credential_unavailable');
    assert.match(refusal.detail, /TOKENX/);
  });

  test('for another host, port or path, and names what is bound where', async () => {
    const narrow = storeOf(
      [
        {
          name: 'TOKEN',
          source: { kind: 'env', variable: 'TOKEN' },
          bindings: [{ host: '*.example.com', port: 8443, path: '/repos/**' }],
        },
      ],
      { environment },
    );
    const request = requestTo('/', { A: MARK });
    const right = toHost('api.example.com', { port: 8443, path: '/repos/x' });
    assert.equal(sentIn((await injected(narrow, request, right)).request, 'a'), SECRET);
    for (const wrong of [
      { ...right, host: 'example.com' },
      { ...right, host: 'api.example.com.evil.test' },
      { ...right, host: '192.0.2.1' },
      { ...right, port: 443 },
      { ...right, path: '/user' },
      { ...right, path: '/repos' },
      { ...right, scheme: 'http' as const },
    ]) {
      const refusal = await refused(narrow, request, wrong);
      assert.deepEqual([refusal.status, refusal.error], [403, 'credential_endpoint_mismatch']);
      assert.ok(!inspect(refusal).includes(SECRET));
    }
  });

  test('over plain HTTP, unless the binding says insecure or nothing crosses a wire', async () => {
    const http = { ...HOST, scheme: 'http' as const };
    const request = requestTo('/', { A: MARK });
    assert.match((await refused(store, request, http)).detail, /plain HTTP/);
    await injected(store, request, { ...http, loopback: true });
    const insecure = storeOf(
      [{ ...bound('TOKEN'), bindings: [{ host: 'api.example.com', insecure: true }] }],
      { environment },
    );
    await injected(insecure, request, http);
  });

  test('for a value that would say more than itself where it stands', async () => {
    const odd = storeOf([bound('WORD', HOST.host), bound('BASIC', HOST.host)], { environment });
    const word = 'openshell:resolve:env:WORD';
    assert.match((await refused(odd, requestTo(`/${word}`), HOST)).detail, /WORD cannot stand in a path/);
    const user = { Authorization: basic('openshell:resolve:env:BASIC:x') };
    assert.match((await refused(odd, requestTo('/', user), HOST)).detail, /Basic/);
    const whole = { Authorization: basic('openshell:resolve:env:BASIC') };
    assert.equal(
      sentIn((await injected(odd, requestTo('/', whole), HOST)).request, 'authorization'),
      basic('user:pass-word'),
    );
  });

  test('once the credentials are revoked, also between injection and sending', async () => {
    const own = storeOf([bound('TOKEN', HOST.host)], { environment });
    const going = await injected(own, requestTo('/', { A: MARK }), HOST);
    const without = await injected(own, requestTo('/'), HOST);
    assert.equal(going.recheck(), undefined);
    own.revoke();
    assert.equal(own.revoked, true);
    assert.equal(going.recheck()?.error, 'credential_unavailable');
    assert.equal(without.recheck(), undefined);
    assert.equal((await refused(own, requestTo('/', { A: MARK }), HOST)).error, 'credential_unavailable');
  });

  test('when the revocation comes while a value is being got', async () => {
    const answer = Promise.withResolvers<{ status: number; body: string }>();
    const own = storeOf(
      [
        {
          name: 'TOKEN',
          source: {
            kind: 'oauth2',
            grant: { type: 'client_credentials' },
            tokenUrl: 'https://login.example.com/token',
            clientId: 'me',
          },
          bindings: [{ host: HOST.host }],
        },
      ],
      { transport: () => answer.promise },
    );
    const result = own.inject(requestTo('/', { A: MARK }), HOST);
    own.revoke();
    answer.resolve({ status: 200, body: '{"access_token":"abcdef"}' });
    const refusal = await result;
    assert.ok(isRefusal(refusal) && refusal.error === 'credential_unavailable');
  });
});

describe('bindings by policy', () => {
  const policy = endpointsOf(
    '{ host: api.example.com, port: 443, protocol: rest, access: full, enforcement: enforce, credential_binding: { provider: TOKEN } }',
    '{ host: api.example.com, port: 443, path: /admin/**, protocol: rest, access: full, enforcement: enforce }',
    '{ host: plain.example.com, port: 8443, path: /in/**, credential_binding: { provider: TOKEN } }',
  );
  const byPolicy = storeOf([bound('TOKEN')], { environment, policy });
  const request = requestTo('/', { A: MARK });

  test('where requests are inspected, the endpoint that treats the request has the word', async () => {
    await injected(byPolicy, request, { ...HOST, treatment: treatmentIn(policy, 0) });
    const admin = { ...HOST, path: '/admin/x', treatment: treatmentIn(policy, 1) };
    assert.equal((await refused(byPolicy, request, admin)).error, 'credential_endpoint_mismatch');
  });

  test('where none is, host, port and path decide', async () => {
    const plain = toHost('plain.example.com', { port: 8443, path: '/in/x' });
    await injected(byPolicy, request, plain);
    for (const wrong of [
      { ...plain, path: '/out' },
      { ...plain, port: 443 },
    ])
      assert.equal((await refused(byPolicy, request, wrong)).status, 403);
  });

  test('a provider of another name binds nothing, and the error says what to write', () => {
    assert.throws(() => storeOf([{ ...bound('TOKEN'), provider: 'github' }], { environment, policy }), {
      code: 'credentials_invalid',
      message: /bound to nothing.*TOKEN@HOST.*provider: github/,
    });
    const kept = storeOf([bound('TOKEN')], { environment, policy: NO_POLICY, unbound: 'notice' });
    assert.match(kept.notices[0] ?? '', /bound to nothing/);
  });

  test('connections have to be opened where a credential may go, and nowhere else', () => {
    assert.equal(byPolicy.covers('api.example.com', 443), true);
    assert.equal(byPolicy.covers('plain.example.com', 8443), true);
    assert.equal(byPolicy.covers('api.example.com', 8443), false);
    assert.equal(byPolicy.covers('evil.example.com', 443), false);
  });

  test('an endpoint whose TLS is never opened, which its author may say, gets no credential', () => {
    const skip = endpointsOf(
      '{ host: api.example.com, port: 443, tls: skip, credential_binding: { provider: TOKEN }, allow_uninspected_credentials: true }',
    );
    const own = storeOf([bound('TOKEN')], { environment, policy: skip });
    assert.equal(own.covers('api.example.com', 443), false);
  });
});

describe('a store is refused', () => {
  for (const [name, spec, message] of [
    ['a reserved name', bound('v1_TOKEN', 'a.com'), /not a name/],
    ['a name that no variable has', bound('A-B', 'a.com'), /not a name/],
    ['a variable that is not set', bound('MISSING', 'a.com'), /MISSING is not set/],
    ['a whole top-level domain', bound('TOKEN', '*.com'), /top-level domain/],
    ['a prefix with a slash', { ...bound('TOKEN', 'a.com'), prefix: 'a/' }, /cannot stand before an alias/],
    [
      'a path that is none',
      { ...bound('TOKEN'), bindings: [{ host: 'a.com', path: 'x' }] },
      /not a pattern of paths/,
    ],
  ] as const) {
    test(`for ${name}`, () => {
      assert.throws(() => storeOf([spec], { environment }), { code: 'credentials_invalid', message });
    });
  }

  test('for a value with a line break, without showing it', () => {
    for (const value of ['abc\r\nX-Evil: 1', 'abc\ndef', 'abc\0'])
      assert.throws(
        () => storeOf([bound('TOKEN', 'a.com')], { environment: { TOKEN: value } }),
        (error: Error) => /line break/.test(error.message) && !error.message.includes('abc'),
      );
  });

  test('for one credential given twice; everything wrong is told at once', () => {
    const specs = [bound('TOKEN', 'a.com'), bound('TOKEN', 'b.com'), bound('MISSING', 'a.com')];
    assert.throws(() => storeOf(specs, { environment }), /given twice[\s\S]*not set/);
  });
});

describe('bodies', () => {
  const policy = endpointsOf(
    '{ host: api.example.com, port: 443, protocol: rest, access: full, enforcement: enforce, request_body_credential_rewrite: true, websocket_credential_rewrite: true }',
  );
  const opted = { ...HOST, treatment: treatmentIn(policy) };
  const value = 'q"uo\\te & more';
  const own = storeOf([bound('TOKEN', HOST.host)], { environment: { TOKEN: value }, policy });

  async function apply(type: string, body: string, fields: Readonly<Record<string, string>> = {}) {
    const request = requestTo('/', { 'Content-Type': type, ...fields }, { method: 'POST' });
    const injection = await injected(own, request, opted);
    assert.equal(injection.body.kind, 'whole');
    return injection.body.kind === 'whole' ? await injection.body.apply(Buffer.from(body)) : undefined!;
  }

  for (const [name, type, body, expected] of [
    ['JSON', 'application/json', `{"a":"x ${MARK}"}`, JSON.stringify({ a: `x ${value}` })],
    [
      'JSON with escapes',
      'application/vnd.x+json; charset=utf-8',
      `{"a":"${MARK.replaceAll(':', '\\u003a')}"}`,
      JSON.stringify({ a: value }),
    ],
    [
      'a form',
      'application/x-www-form-urlencoded',
      `a=1&b=${encodeURIComponent(MARK)}`,
      'a=1&b=q%22uo%5Cte%20%26%20more',
    ],
    ['text', 'text/plain', `say ${MARK}.`, `say ${value}.`],
    ['nothing to put in', 'application/json', '{"a":1}', '{"a":1}'],
  ] as const) {
    test(`a value is put into ${name}`, async () => {
      const result = await apply(type, body);
      assert.ok(!isRefusal(result));
      assert.equal(result.body.toString(), expected);
    });
  }

  test('what is said of the former body goes with it', async () => {
    const result = await apply('text/plain', MARK, { 'Content-MD5': 'x', 'Content-Digest': 'y' });
    assert.ok(!isRefusal(result));
    assert.equal(
      sentIn(result.request, 'content-md5') ?? sentIn(result.request, 'content-digest'),
      undefined,
    );
  });

  for (const [name, type, body] of [
    ['JSON that is none', 'application/json', `{"a":${MARK}}`],
    ['an escape that is none', 'application/json', `{"a":"\\\\u006fpenshell:resolve:env:TOKEN"}`],
    ['a percent-encoded marker in JSON', 'application/json', `{"a":"${encodeURIComponent(MARK)}"}`],
    ['the name of a field', 'application/x-www-form-urlencoded', `${MARK}=1`],
    ['base64 in text', 'text/plain', Buffer.from(MARK).toString('base64')],
  ] as const) {
    test(`${name} is refused`, async () => {
      const result = await apply(type, body);
      assert.ok(isRefusal(result) && result.error === 'credential_injection_failed');
    });
  }

  test('text that is not UTF-8, other encodings and other charsets are refused', async () => {
    const injection = await injected(own, requestTo('/', { 'Content-Type': 'text/plain' }), opted);
    assert.ok(injection.body.kind === 'whole');
    const bytes = Buffer.concat([Buffer.from([0xff, 0xfe]), Buffer.from(MARK)]);
    assert.ok(isRefusal(await injection.body.apply(bytes)));
    for (const fields of [
      { 'Content-Type': 'application/json', 'Content-Encoding': 'gzip' },
      { 'Content-Type': 'text/plain; charset=utf-16' },
    ])
      assert.equal((await refused(own, requestTo('/', fields), opted)).error, 'credential_injection_failed');
  });

  test('a body is refused when the credentials are revoked before it is complete', async () => {
    const mine = storeOf([bound('TOKEN', HOST.host)], { environment, policy });
    const { body } = await injected(mine, requestTo('/', { 'Content-Type': 'text/plain' }), opted);
    mine.revoke();
    assert.ok(body.kind === 'whole' && isRefusal(await body.apply(Buffer.from(MARK))));
  });

  test('without the option no whole marker leaves, wherever the body is cut', async () => {
    const { body } = await injected(own, requestTo('/', { 'Content-Type': 'text/plain' }), HOST);
    assert.ok(body.kind === 'stream');
    for (const written of [MARK, encodeURIComponent(MARK), Buffer.from(MARK).toString('base64')]) {
      for (const pieces of everyCut(Buffer.from(`before ${written} after`))) {
        const taken = new Taken();
        const receiver = body.wrap(taken);
        for (const piece of pieces) receiver.data(piece);
        receiver.end([]);
        assert.ok(!MARKERS.test(taken.text), taken.text);
        assert.match(taken.failure ?? '', /placeholder/);
        assert.equal(taken.trailers, undefined);
      }
    }
  });

  test('other bodies pass unchanged, and a marker in their trailers does not', async () => {
    const { body } = await injected(own, requestTo('/'), HOST);
    assert.ok(body.kind === 'stream');
    const taken = new Taken();
    const receiver = body.wrap(taken);
    receiver.data(Buffer.from('some open'));
    assert.equal(taken.text, 'some open', 'a server may wait for it before it says anything');
    receiver.data(Buffer.from(' source'));
    receiver.end([]);
    assert.deepEqual([taken.text, taken.failure], ['some open source', undefined]);
    const hostile = new Taken();
    body.wrap(hostile).end([{ name: 'X', lowerName: 'x', value: MARK }]);
    assert.ok(hostile.failure);
  });

  test('WebSocket text gets values where the endpoint says so, and is refused elsewhere', async () => {
    assert.equal(await own.rewriteText(`{"t":"${MARK}"}`, opted), JSON.stringify({ t: value }));
    assert.equal(await own.rewriteText(`auth ${MARK}`, opted), `auth ${value}`);
    assert.equal(await own.rewriteText('hello', HOST), 'hello');
    const refusal = await own.rewriteText(MARK, HOST);
    assert.ok(isRefusal(refusal) && refusal.error === 'credential_endpoint_mismatch');
    const elsewhere = await own.rewriteText(MARK, { ...opted, host: 'evil.test' });
    assert.ok(isRefusal(elsewhere) && elsewhere.error === 'credential_endpoint_mismatch');
    assert.equal(own.guard()?.push(Buffer.from(MARK)), undefined);
  });
});

describe('AWS signing', () => {
  const policy = (mode: string) =>
    policyOf(
      `version: 1\nnetwork_policies:\n  s3:\n    endpoints:\n      - { host: "*.s3.eu-west-1.amazonaws.com", port: 443, credential_signing: "${mode}", signing_service: s3, credential_binding: { provider: aws } }\n    binaries: [{ path: /bin/true }]\n`,
    );
  const env = { AWS_ACCESS_KEY_ID: 'AKIDEXAMPLE', AWS_SECRET_ACCESS_KEY: 'very-secret-key' };
  const specs = Object.keys(env).map((name) => ({ ...bound(name), provider: 'aws' }));
  const now = () => Date.UTC(2024, 0, 1);
  const make = (mode: string) => storeOf(specs, { environment: env, policy: policy(mode), now });
  const s3 = (mode: string) =>
    toHost('bucket.s3.eu-west-1.amazonaws.com', { treatment: treatmentIn(policy(mode)) });

  test('replaces a signature that was made with placeholders, and names the credentials', async () => {
    const request = requestTo('/key', {
      Authorization: 'AWS4-HMAC-SHA256 Credential=openshell:resolve:env:AWS_ACCESS_KEY_ID/x, Signature=00',
      'x-amz-content-sha256': 'UNSIGNED-PAYLOAD',
    });
    const own = make('sigv4');
    assert.equal(own.covers(s3('sigv4').host, 443), true);
    const injection = await injected(own, request, s3('sigv4'));
    const authorization = sentIn(injection.request, 'authorization') ?? '';
    assert.match(
      authorization,
      /^AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE\/20240101\/eu-west-1\/s3\/aws4_request, /,
    );
    assert.equal(sentIn(injection.request, 'x-amz-content-sha256'), 'UNSIGNED-PAYLOAD');
    assert.equal(injection.body.kind, 'stream');
    assert.deepEqual(injection.used?.names, ['AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY']);
    assert.ok(!inspect(injection, { depth: 9, showHidden: true }).includes(env.AWS_SECRET_ACCESS_KEY));
  });

  test('hashes the body where it has to', async () => {
    const injection = await injected(make('sigv4:body'), requestTo('/key'), s3('sigv4:body'));
    assert.ok(injection.body.kind === 'whole');
    const result = await injection.body.apply(Buffer.from('hello'));
    assert.ok(!isRefusal(result));
    assert.equal(
      sentIn(result.request, 'x-amz-content-sha256'),
      '2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824',
    );
  });

  for (const [name, mode, target, sha] of [
    ['chunks that are signed', 'sigv4', '/', 'STREAMING-AWS4-HMAC-SHA256-PAYLOAD'],
    [
      'chunks that are signed, with a trailer',
      'sigv4:no_body',
      '/',
      'STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER',
    ],
    ['unsigned chunks where bodies are signed', 'sigv4:body', '/', 'STREAMING-UNSIGNED-PAYLOAD-TRAILER'],
    ['a presigned URL', 'sigv4', '/?X-Amz-Signature=00', ''],
  ] as const) {
    test(`refuses ${name}`, async () => {
      const request = requestTo(target, sha ? { 'x-amz-content-sha256': sha } : {});
      assert.equal((await refused(make(mode), request, s3(mode))).error, 'credential_injection_failed');
    });
  }

  test('refuses rather than send what it cannot sign', async () => {
    const none = storeOf([], { policy: policy('sigv4') });
    assert.equal(none.isEmpty, false);
    assert.equal((await refused(none, requestTo('/'), s3('sigv4'))).error, 'credential_unavailable');
  });
});

test('policy and logs see no placeholder in a target', () => {
  for (const [target, seen] of [
    [`/bot${MARK}/send?x=${MARK}&y=1`, '/bot[CREDENTIAL]/send?x=[CREDENTIAL]&y=1'],
    [`/${encodeURIComponent(MARK)}/%2e`, '/[CREDENTIAL]/%2e'],
    ['/plain?a=b', '/plain?a=b'],
  ] as const)
    assert.equal(store.redactTarget(target), seen);
});

test('without credentials nothing is done', () => {
  const none = storeOf([]);
  const request = requestTo('/', { A: MARK });
  const result = none.inject(request, HOST);
  assert.ok(!(result instanceof Promise) && !isRefusal(result));
  assert.equal(result.request, request);
  assert.deepEqual([none.isEmpty, result.body.kind, result.used], [true, 'none', undefined]);
});

test('a store shows no value, however it is looked at', async () => {
  const injection = await injected(store, requestTo('/'), HOST);
  for (const shown of [store, injection, injection.used])
    assert.ok(!`${inspect(shown, { depth: 12, showHidden: true })}${JSON.stringify(shown)}`.includes(SECRET));
});

test('whatever a head holds, no placeholder goes out, and no value to where it is not bound', async () => {
  const piece = fc.constantFrom(
    ...[MARK, encodeURIComponent(MARK), encodeURIComponent(encodeURIComponent(MARK)), `${MARK}X`],
    ...[MARK.toUpperCase(), MARK.replaceAll('e', '\\u0065'), Buffer.from(MARK).toString('base64')],
    ...[
      'OPENSHELL-RESOLVE-ENV-TOKEN',
      'openshell:',
      'resolve:env:TOKEN',
      '%',
      '%25',
      '\\',
      ':',
      '=',
      '&',
      '/',
      'a',
    ],
  );
  const text = fc.array(piece, { maxLength: 6 }).map((pieces) => pieces.join(''));
  const value = fc.oneof(
    text,
    text.map((pair) => basic(pair)),
    text.map((token) => `Bearer ${token}`),
  );
  await fc.assert(
    fc.asyncProperty(text, text, value, fc.boolean(), async (path, query, authorization, isBound) => {
      const request = requestTo(`/${path}?a=${query}`, { Authorization: authorization, 'X-Other': path });
      const result = await store.inject(request, isBound ? HOST : toHost('other.example.com'));
      if (isRefusal(result)) {
        assert.ok(!inspect(result).includes(SECRET));
        return;
      }
      const sent = [result.request.target, ...result.request.fields.map((one) => one.value)].join('\n');
      const pair = /^Basic (.*)$/m.exec(sent)?.[1] ?? '';
      const seen = `${sent}\n${Buffer.from(pair, 'base64').toString()}`;
      assert.equal(MARKERS.test(seen), false);
      if (!isBound) assert.ok(!seen.includes(SECRET));
    }),
    { numRuns: 500 },
  );
});
