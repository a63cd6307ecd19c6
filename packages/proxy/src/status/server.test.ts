import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:net';
import { describe, test } from 'node:test';
import { sandboxId } from '@openshell/base';
import type { ProxyStatus, TenantReport } from '@openshell/control';
import { readAll } from '../test-support/fixture.ts';
import { StatusServer, type StatusSource } from './server.ts';

const waiting = { id: sandboxId('one') } as TenantReport;

const statusOf = (changes: Partial<ProxyStatus>): ProxyStatus => ({
  instance: 'abc',
  version: '0.1.0',
  state: 'ready',
  denyAll: false,
  startedAt: 0,
  tenants: [],
  workers: [],
  lastEvent: 0,
  ...changes,
});

class Fixture implements StatusSource, AsyncDisposable {
  now: ProxyStatus | undefined = statusOf({});
  server!: StatusServer;

  static async start(): Promise<Fixture> {
    const fixture = new Fixture();
    fixture.server = await StatusServer.start({ host: '127.0.0.1', port: 0, source: fixture });
    return fixture;
  }

  async status(): Promise<ProxyStatus> {
    if (this.now === undefined) throw new Error('a secret reason');
    return this.now;
  }

  async authority() {
    return { certificates: [], bundlePem: '-----BEGIN CERTIFICATE-----\n' };
  }

  async ask(path: string, method = 'GET'): Promise<{ status: number; type: string | null; body: string }> {
    const response = await fetch(`http://${this.server.address}${path}`, { method });
    return {
      status: response.status,
      type: response.headers.get('content-type'),
      body: await response.text(),
    };
  }

  async raw(bytes: string): Promise<string> {
    const [host, port] = this.server.address.split(':');
    const socket = connect({ host: host!, port: Number(port) });
    await once(socket, 'connect');
    socket.write(bytes);
    return String(await readAll(socket));
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.server[Symbol.asyncDispose]();
  }
}

describe('the status listener', () => {
  test('says whether it lives, whether it is ready and why not, what it counts, and whom to trust', async () => {
    await using fixture = await Fixture.start();
    assert.deepEqual(await fixture.ask('/healthz'), {
      status: 200,
      type: 'text/plain; charset=utf-8',
      body: 'ok\n',
    });
    assert.equal((await fixture.ask('/readyz?verbose')).status, 200);
    assert.match((await fixture.ask('/metrics')).body, /^openshell_proxy_ready 1$/m);
    assert.deepEqual(await fixture.ask('/ca.pem'), {
      status: 200,
      type: 'application/x-pem-file',
      body: '-----BEGIN CERTIFICATE-----\n',
    });
  });

  const readiness: readonly [string, Partial<ProxyStatus>, number, object][] = [
    [
      'nobody to serve',
      { state: 'denying' },
      503,
      { ready: false, state: 'denying', reason: 'there is no tenant, so everything is denied' },
    ],
    [
      'nothing installed',
      { state: 'denying', tenants: [waiting] },
      503,
      {
        ready: false,
        state: 'denying',
        reason: 'nothing is installed for 1 of 1 tenants, so everything is denied to them',
        waiting: ['one'],
      },
    ],
    [
      'denying asked for',
      { state: 'denying', denyAll: true, tenants: [waiting] },
      200,
      { ready: true, state: 'denying' },
    ],
    [
      'draining, whatever was asked for',
      { state: 'draining', denyAll: true },
      503,
      { ready: false, state: 'draining', reason: 'the proxy is stopping and takes no new connections' },
    ],
  ];
  test('is ready exactly when clients may be sent here', async (t) => {
    await using fixture = await Fixture.start();
    for (const [what, now, status, body] of readiness) {
      await t.test(what, async () => {
        fixture.now = statusOf(now);
        const answer = await fixture.ask('/readyz');
        assert.equal(answer.status, status);
        assert.deepEqual(JSON.parse(answer.body), body);
        assert.equal((await fixture.ask('/healthz')).status, 200);
      });
    }
  });

  test('keeps to itself what went wrong', async () => {
    await using fixture = await Fixture.start();
    fixture.now = undefined;
    const answer = await fixture.ask('/metrics');
    assert.equal(answer.status, 503);
    assert.doesNotMatch(answer.body, /secret/);
  });

  test('is no proxy, changes nothing and has no other pages', async () => {
    await using fixture = await Fixture.start();
    const cases: readonly [string, RegExp][] = [
      ['GET /constructor HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n', /^HTTP\/1.1 404 /],
      ['GET http://127.0.0.1/healthz HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n', /^HTTP\/1.1 404 /],
      [
        'POST /healthz HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n',
        /^HTTP\/1.1 405 .*allow: GET, HEAD/is,
      ],
      [
        'HEAD /healthz HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n',
        /^HTTP\/1.1 200 .*Content-Length: 3.*\r\n\r\n$/s,
      ],
      [`GET / HTTP/1.1\r\nHost: a\r\nX: ${'x'.repeat(9000)}\r\n\r\n`, /^HTTP\/1.1 431 /],
      ['nonsense\r\n\r\n', /^HTTP\/1.1 400 /],
    ];
    for (const [bytes, expected] of cases) assert.match(await fixture.raw(bytes), expected);
    // Nobody is connected anywhere.
    assert.doesNotMatch(
      await fixture.raw('CONNECT a.example:443 HTTP/1.1\r\nHost: a.example\r\n\r\n'),
      / 200 /,
    );
  });

  test('that cannot listen says where', async () => {
    await using fixture = await Fixture.start();
    const [host = '', port] = fixture.server.address.split(':');
    await assert.rejects(StatusServer.start({ host, port: Number(port), source: fixture }), {
      code: 'listen_failed',
      message: new RegExp(`cannot serve the status on 127\\.0\\.0\\.1:${port}`),
    });
  });
});
