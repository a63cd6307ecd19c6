import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { inspect } from 'node:util';
import { LIMITS } from '../limits.ts';
import { isRefusal } from './injection.ts';
import type { SecretSource } from './secret-source.ts';
import { SourcePool } from './source-pool.ts';
import type { OAuth2Source, ValueSource } from './spec.ts';
import { directTransport, type TokenAnswer, type TokenRequest } from './token-transport.ts';

const CLIENT: OAuth2Source = {
  kind: 'oauth2',
  grant: { type: 'client_credentials' },
  tokenUrl: 'https://login.example.com/token',
  clientId: 'me & you',
  clientSecret: { kind: 'env', variable: 'SECRET' },
};
const refreshing = (refreshToken: ValueSource): OAuth2Source => ({
  kind: 'oauth2',
  grant: { type: 'refresh_token', refreshToken },
  tokenUrl: 'https://login.example.com/token',
  clientId: 'me',
});
const environment = { SECRET: 'client:secret', REFRESH: 'refresh-token-0' };

/** A token endpoint that answers what the test says, and what it was asked. */
function issuer(...answers: (object | TokenAnswer | Error)[]) {
  const asked: TokenRequest[] = [];
  const clock = { now: 0 };
  const pool = new SourcePool({
    environment,
    now: () => clock.now,
    transport: (request) => {
      asked.push(request);
      const answer = answers.length > 1 ? answers.shift()! : answers[0]!;
      if (answer instanceof Error) return Promise.reject(answer);
      if ('status' in answer) return Promise.resolve(answer as TokenAnswer);
      return Promise.resolve({ status: 200, body: JSON.stringify(answer) });
    },
  });
  return { asked, clock, source: (spec: OAuth2Source): SecretSource => pool.source(spec, 'TOKEN') };
}

async function tokenOf(source: SecretSource): Promise<string> {
  const value = await source.get();
  assert.ok(!isRefusal(value), isRefusal(value) ? value.detail : '');
  return value.reveal();
}

describe('client credentials', () => {
  test('are sent as Basic, form-encoded first, with scopes and audience', async () => {
    const { asked, source } = issuer({ access_token: 'token-1', token_type: 'Bearer', expires_in: 3600 });
    const spec = { ...CLIENT, scopes: ['read', 'write'], audience: 'https://api.example.com' };
    assert.equal(await tokenOf(source(spec)), 'token-1');
    const [request] = asked;
    const basic = Buffer.from('me+%26+you:client%3Asecret').toString('base64');
    assert.equal(request?.headers.authorization, `Basic ${basic}`);
    assert.deepEqual(Object.fromEntries(new URLSearchParams(request?.body)), {
      grant_type: 'client_credentials',
      scope: 'read write',
      audience: 'https://api.example.com',
    });
    assert.deepEqual([request?.timeout, request?.maxBytes], [30_000, 65_536]);
  });

  test('or in the body', async () => {
    const { asked, source } = issuer({ access_token: 'token-1' });
    await tokenOf(source({ ...CLIENT, clientAuth: 'body' }));
    assert.equal(asked[0]?.headers.authorization, undefined);
    assert.match(asked[0]?.body ?? '', /client_id=me\+%26\+you&client_secret=client%3Asecret/);
  });

  test('are asked for once by all who need the token at one time, and again before it expires', async () => {
    const { asked, clock, source } = issuer(
      { access_token: 'token-1', expires_in: 100 },
      { access_token: 'token-2', expires_in: 100_000 },
      { access_token: 'token-3' },
    );
    const one = source(CLIENT);
    const tokens = await Promise.all(Array.from({ length: 20 }, () => tokenOf(one)));
    assert.deepEqual([new Set(tokens).size, asked.length], [1, 1]);
    clock.now = 69_999;
    assert.ok(!(one.get() instanceof Promise));
    clock.now = 70_000;
    assert.equal(await tokenOf(one), 'token-2');
    clock.now += LIMITS.tokenLifetime.value;
    assert.equal(await tokenOf(one), 'token-3');
    assert.deepEqual(
      one.known.slice(0, 3).map((value) => value.reveal()),
      ['token-3', 'token-2', 'token-1'],
    );
  });

  for (const [name, answer, detail] of [
    ['says no', { status: 401, body: '{"error":"invalid_client"}' }, /401: invalid_client/],
    ['says something else', { status: 400, body: '{"error":"client:secret"}' }, /answered 400$/],
    ['redirects', { status: 302, body: '' }, /answered 302/],
    ['sends no JSON', { status: 200, body: '<html>' }, /no access token/],
    ['sends no token', { ok: true }, /no access token/],
    ['sends a token that could say more', { access_token: 'a b\r\nX: y' }, /no access token/],
    ['sends another type of token', { access_token: 'abc', token_type: 'mac' }, /not a bearer/],
    ['cannot be reached', new Error('connect ECONNREFUSED client:secret'), /cannot be asked/],
  ] as const) {
    test(`an issuer that ${name} refuses the request, and is left alone for a while`, async () => {
      const { asked, clock, source } = issuer(answer);
      const one = source(CLIENT);
      const refusal = await one.get();
      assert.ok(isRefusal(refusal));
      assert.deepEqual([refusal.status, refusal.error], [502, 'token_grant_failed']);
      assert.match(refusal.detail, detail);
      assert.ok(!inspect(refusal).includes('client:secret'));
      await one.get();
      assert.equal(asked.length, 1);
      clock.now = LIMITS.credentialRetryTime.value;
      await one.get();
      assert.equal(asked.length, 2);
    });
  }
});

describe('a refresh token', () => {
  test('that the issuer replaces is written back to its file, and used from then on', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'openshell-oauth2-'));
    const path = join(folder, 'refresh');
    try {
      await writeFile(path, 'refresh-token-1\n', { mode: 0o600 });
      const { asked, clock, source } = issuer(
        { access_token: 'token-1', expires_in: 60, refresh_token: 'refresh-token-2' },
        { access_token: 'token-2', expires_in: 60 },
      );
      const one = source(refreshing({ kind: 'file', path }));
      await tokenOf(one);
      assert.equal(await readFile(path, 'utf8'), 'refresh-token-2\n');
      clock.now = 60_000;
      assert.equal(await tokenOf(one), 'token-2');
      const sent = asked.map(({ body }) => new URLSearchParams(body).get('refresh_token'));
      assert.deepEqual(sent, ['refresh-token-1', 'refresh-token-2']);
    } finally {
      await rm(folder, { recursive: true });
    }
  });

  test('that came from elsewhere is replaced in memory', async () => {
    const { asked, clock, source } = issuer(
      { access_token: 'token-1', expires_in: 60, refresh_token: 'refresh-token-1' },
      { access_token: 'token-2', expires_in: 60 },
    );
    const one = source(refreshing({ kind: 'env', variable: 'REFRESH' }));
    await tokenOf(one);
    clock.now = 60_000;
    await tokenOf(one);
    assert.match(asked[1]?.body ?? '', /refresh_token=refresh-token-1/);
    assert.ok(one.known.some((value) => value.reveal() === 'refresh-token-1'));
  });

  test('that was revoked says so, once the token of before has expired', async () => {
    const { clock, source } = issuer(
      { access_token: 'token-1', expires_in: 60 },
      { status: 400, body: '{"error":"invalid_grant","error_description":"refresh-token-0 is bad"}' },
    );
    const one = source(refreshing({ kind: 'env', variable: 'REFRESH' }));
    await tokenOf(one);
    clock.now = 60_000;
    const refusal = await one.get();
    assert.ok(isRefusal(refusal));
    assert.match(refusal.detail, /invalid_grant.*was revoked/);
    assert.match(refusal.remedy, /sign in again/);
    assert.ok(!inspect(refusal).includes('refresh-token-0'));
  });
});

test('a token URL that secrets could be overheard on, or that holds some, is refused', () => {
  for (const tokenUrl of [
    'http://login.example.com/token',
    'https://user:pass@login.example.com/token',
    'ftp://login.example.com',
    'token',
    'http://127.0.0.1.example.com/token',
  ])
    assert.throws(() => issuer({}).source({ ...CLIENT, tokenUrl }), { code: 'bad_token_url' });
  for (const tokenUrl of ['http://127.0.0.1:1/token', 'http://[::1]:1/token', 'http://localhost:1/token'])
    issuer({}).source({ ...CLIENT, tokenUrl });
});

test('the transport posts, follows no redirect, and ends at its bounds', async () => {
  const server = createServer((request, response) => {
    if (request.url === '/silent') return;
    if (request.url === '/large') response.end('x'.repeat(2000));
    else if (request.url === '/moved') response.writeHead(302, { location: '/' }).end();
    else request.pipe(response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const send = (path: string, timeout = 5000) =>
    directTransport()({
      url: new URL(`http://127.0.0.1:${port}${path}`),
      headers: {},
      body: 'a=b',
      timeout,
      maxBytes: 1000,
    });
  try {
    assert.deepEqual(await send('/'), { status: 200, body: 'a=b' });
    assert.equal((await send('/moved')).status, 302);
    await assert.rejects(send('/large'), /larger than 1000/);
    await assert.rejects(send('/silent', 20), /no answer within 20 ms/);
  } finally {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
});
