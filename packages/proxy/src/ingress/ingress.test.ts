import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { hash } from 'node:crypto';
import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { describe, test } from 'node:test';
import { promisify } from 'node:util';
import { MemorySink, type SecurityEvent } from '@openshell/audit';
import { sandboxId } from '@openshell/base';
import type { Recognition } from '@openshell/control';
import { type Limits, limitsWith } from '../limits.ts';
import { EgressProxy } from '../proxy.ts';
import { policyAlone } from '../tenant/settings.ts';
import type { Tenant } from '../tenant/tenant.ts';
import { FakeEngine } from '../test-support/engine.ts';
import { closeReason, LOOPBACK, portOf, readAll, readUntil } from '../test-support/fixture.ts';
import { Ingress, TenantDirectory } from './index.ts';

const run = promisify(execFile);

const user = (username: string, password: string): Recognition => ({
  kind: 'credentials',
  username,
  passwordSha256: hash('sha256', password),
});
const basic = (text: string): string =>
  `Proxy-Authorization: Basic ${Buffer.from(text).toString('base64')}\r\n`;

/** A shared listener with tenants that may each reach `ID.example:80`, where a web server echoes the head of each request. */
class Shared implements AsyncDisposable {
  readonly directory = new TenantDirectory();
  readonly sinks = new Map<string, MemorySink>();
  readonly strangers: SecurityEvent[] = [];
  readonly ingress: Ingress;
  readonly #proxy: EgressProxy;
  readonly #web: Server;
  readonly #server: Server;
  readonly #clients: Socket[] = [];

  static async start(limits: Partial<Limits> = {}): Promise<Shared> {
    const web = createServer((socket) => {
      let text = '';
      socket.on('error', () => {});
      socket.on('data', (chunk) => {
        text += chunk.toString('latin1');
        if (!text.includes('\r\n\r\n')) return;
        socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${text.length}\r\n\r\n${text}`, 'latin1');
        text = '';
      });
    });
    const server = createServer({ allowHalfOpen: true, pauseOnConnect: true });
    await once(web.listen(0, LOOPBACK), 'listening');
    await once(server.listen(0, '0.0.0.0'), 'listening');
    return new Shared(web, server, limits);
  }

  private constructor(web: Server, server: Server, limits: Partial<Limits>) {
    this.#web = web;
    this.#server = server;
    const overrides = ['a', 'b'].map((id) => ({
      name: `${id}.example`,
      address: LOOPBACK,
      toPort: portOf(web),
    }));
    this.#proxy = new EgressProxy({ overrides, limits });
    const events = (event: SecurityEvent): number => this.strangers.push(event);
    this.ingress = new Ingress({ directory: this.directory, limits: limitsWith(limits), events });
    this.ingress.serve(server);
  }

  get port(): number {
    return portOf(this.#server);
  }

  add(id: string, ...recognitions: Recognition[]): Tenant {
    const sink = new MemorySink(100);
    this.sinks.set(id, sink);
    const tenant = this.#proxy.addTenant({
      id: sandboxId(id),
      listeners: {},
      evidence: { identify: async () => ({ kind: 'unknown', reason: 'nobody knows' }) },
      settings: policyAlone(new FakeEngine({ allow: [`${id}.example:80`] })),
      events: (event) => sink.write(event),
    });
    this.directory.add(tenant, recognitions);
    return tenant;
  }

  async client(from = LOOPBACK): Promise<Socket> {
    const socket = connect({ host: LOOPBACK, port: this.port, localAddress: from, allowHalfOpen: true });
    this.#clients.push(socket);
    socket.on('error', () => {});
    await once(socket, 'connect');
    return socket;
  }

  /** How a connection ends that is not taken: the reset may come before the client knows that it has connected. */
  refused(from: string): Promise<string | undefined> {
    const socket = connect({ host: LOOPBACK, port: this.port, localAddress: from });
    return closeReason(socket);
  }

  /** Everything that is answered to these bytes. */
  async ask(bytes: string, from = LOOPBACK): Promise<string> {
    const socket = await this.client(from);
    socket.end(bytes, 'latin1');
    return (await readAll(socket)).toString('latin1');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.ingress.destroy();
    for (const socket of this.#clients) socket.destroy();
    await this.#proxy.close();
    this.#web.close();
  }
}

const get = (id: string, fields = ''): string =>
  `GET http://${id}.example/ HTTP/1.1\r\nHost: ${id}.example\r\n${fields}\r\n`;

describe('a listener that tenants share', () => {
  test('knows tenants by their credentials, and tells the origin nothing of them', async () => {
    await using shared = await Shared.start();
    shared.add('a', user('a', 'secret-a'));
    shared.add('b', user('b', 'secret-b'));
    for (const id of ['a', 'b']) {
      const text = await shared.ask(get(id, basic(`${id}:secret-${id}`)));
      assert.match(text, /^HTTP\/1.1 200 OK/);
      assert.doesNotMatch(text, /proxy-authorization/i);
    }
    assert.match(await shared.ask(get('b', basic('a:secret-a'))), /^HTTP\/1.1 403 /);
    for (const id of ['a', 'b'])
      assert.ok(shared.sinks.get(id)!.events.every((event) => event.metadata.tenant_uid === id));
    assert.equal(shared.sinks.get('b')!.events.length, 1);
    assert.doesNotMatch(JSON.stringify([...shared.sinks.values()]), /secret-/);
  });

  const strangers: [string, string, RegExp][] = [
    ['says nothing', get('a'), /"credentials_missing".*HTTPS_PROXY/],
    ['has a wrong password', get('a', basic('a:hunter2')), /"credentials_wrong"/],
    ['is no user', get('a', basic('mallory:hunter2')), /"credentials_wrong"/],
    [
      'says nothing with CONNECT',
      'CONNECT a.example:80 HTTP/1.1\r\nHost: a.example:80\r\n\r\n',
      /"credentials_missing"/,
    ],
  ];
  for (const [who, request, body] of strangers)
    test(`asks for credentials of a client that ${who}`, async () => {
      await using shared = await Shared.start();
      const tenant = shared.add('a', user('a', 'secret-a'));
      for (let i = 0; i < 3; i++) {
        const text = await shared.ask(request);
        assert.match(text, /^HTTP\/1.1 407 .*\r\nProxy-Authenticate: Basic realm="openshell"/s);
        assert.match(text, body);
      }
      assert.equal(tenant.status().counters.accepted, 0);
      shared.ingress.destroy();
      assert.deepEqual(
        shared.strangers.map((event) => event.unmapped?.count),
        [1, 2],
      );
      assert.doesNotMatch(JSON.stringify(shared.strangers), /hunter2|mallory/);
    });

  test('wants the same credentials with each request of a connection', async () => {
    await using shared = await Shared.start();
    shared.add('a', user('a', 'secret-a'));
    const b = shared.add('b', user('b', 'secret-b'));
    for (const other of ['', basic('b:secret-b'), basic('a:hunter2')]) {
      const socket = await shared.client();
      const authorized = get('a', basic('a:secret-a'));
      socket.write(authorized);
      await readUntil(socket, '\r\n\r\nGET / HTTP/1.1\r\n');
      socket.write(authorized);
      await readUntil(socket, '\r\n\r\nGET / HTTP/1.1\r\n');
      socket.write(get('a', other) + authorized);
      assert.match((await readAll(socket)).toString(), /HTTP\/1.1 407 .*"credentials_(wrong|missing)".*$/s);
    }
    assert.equal(shared.sinks.get('a')!.events.length, 6);
    assert.equal(b.status().counters.accepted, 0);
  });

  test('knows tenants by where they come from, before it reads anything, whatever they say', async () => {
    await using shared = await Shared.start();
    const a = shared.add('a', { kind: 'source', network: '127.0.0.0/24' });
    const b = shared.add('b', user('b', 'secret-b'), { kind: 'source', network: '127.0.1.0/24' });
    const silent = await shared.client('127.0.0.7');
    while (a.status().connections === 0) await new Promise(setImmediate);
    silent.destroy();
    assert.match(await shared.ask(get('a'), '127.0.0.7'), /^HTTP\/1.1 200 OK/);
    assert.match(await shared.ask(get('b', basic('b:secret-b')), '127.0.0.7'), /^HTTP\/1.1 403 /);
    assert.match(await shared.ask(get('b'), '127.0.1.1'), /^HTTP\/1.1 200 OK/);
    assert.match(await shared.ask(get('b', basic('b:secret-b')), '127.0.2.1'), /^HTTP\/1.1 200 OK/);
    assert.match(await shared.ask(get('b'), '127.0.2.1'), /^HTTP\/1.1 407 /);
    assert.equal(b.status().counters.accepted, 2);
  });

  test('takes everybody else for the tenant that has all addresses, but not who has wrong credentials', async () => {
    await using shared = await Shared.start();
    shared.add('a', { kind: 'source', network: '0.0.0.0/0' });
    assert.match(await shared.ask(get('a', basic('who:ever'))), /^HTTP\/1.1 200 OK/);
    shared.add('b', user('b', 'secret-b'));
    assert.match(await shared.ask(get('a')), /^HTTP\/1.1 200 OK/);
    assert.match(await shared.ask(get('b', basic('b:secret-b'))), /^HTTP\/1.1 200 OK/);
    assert.match(await shared.ask(get('a', basic('who:ever'))), /^HTTP\/1.1 407 /);
  });

  test('tells who comes from nowhere that credentials would not help', async () => {
    await using shared = await Shared.start();
    shared.add('a', { kind: 'source', network: '192.0.2.0/24' });
    const text = await shared.ask(get('a', basic('a:a')));
    assert.match(text, /^HTTP\/1.1 403 .*"source_unknown"/s);
    assert.doesNotMatch(text, /Proxy-Authenticate/);
  });

  test('speaks SOCKS5 with user names and passwords', async () => {
    await using shared = await Shared.start();
    shared.add('a', user('a', 'secret-a'));
    const ask = (bytes: string): Promise<string> => shared.ask(bytes);
    const greeting = '\x05\x02\x00\x02';
    const target = '\x05\x01\x00\x03\x09a.example\x00\x50';
    const request = 'GET / HTTP/1.1\r\nHost: a.example\r\n\r\n';
    assert.match(
      await ask(`${greeting}\x01\x01a\x08secret-a${target}${request}`),
      /^\x05\x02\x01\x00\x05\x00\x00\x01\x00{6}HTTP\/1.1 200 OK/,
    );
    assert.equal(await ask(`${greeting}\x01\x01a\x05wrong${target}`), '\x05\x02\x01\x01');
    assert.equal(await ask(`\x05\x01\x00${target}`), '\x05\xff');
    assert.equal(await ask(`${greeting}\x02\x01a`), '\x05\x02');
    assert.equal(await ask('\x04\x01\x00\x50\x7f\x00\x00\x01\x00'), '\x00\x5b\x00\x00\x00\x00\x00\x00');
    const codes = shared.strangers.map((event) => event.unmapped?.code);
    assert.deepEqual(codes, ['credentials_wrong', 'credentials_missing', 'malformed']);
  });

  test('bounds how many it does not know yet, in all and from one address, and harms nobody whom it knows', async () => {
    await using shared = await Shared.start({ ingressConnections: 3, ingressConnectionsPerAddress: 2 });
    shared.add('a', user('a', 'secret-a'));
    shared.add('b', { kind: 'source', network: '127.0.9.0/24' });
    const waiting = async (from: string): Promise<Socket> => {
      const before = shared.ingress.newcomers;
      const socket = await shared.client(from);
      while (shared.ingress.newcomers === before) await new Promise(setImmediate);
      return socket;
    };
    const first = await waiting('127.0.3.1');
    await waiting('127.0.3.1');
    assert.equal(await shared.refused('127.0.3.1'), 'ECONNRESET');
    await waiting('127.0.3.2');
    assert.equal(await shared.refused('127.0.3.3'), 'ECONNRESET');
    assert.match(await shared.ask(get('b'), '127.0.9.1'), /^HTTP\/1.1 200 OK/);
    first.write(get('a', basic('a:secret-a')));
    await readUntil(first, '200 OK');
    assert.match(await shared.ask(get('a', basic('a:secret-a')), '127.0.3.3'), /^HTTP\/1.1 200 OK/);
    assert.equal(shared.strangers[0]?.unmapped?.code, 'too_many');
  });

  test('gives nobody longer than a head may take, and reads no more than a head may have', async () => {
    await using shared = await Shared.start({ headTime: 20 });
    shared.add('a', user('a', 'secret-a'));
    const socket = await shared.client();
    socket.write('GET http://a.exa');
    assert.match((await readAll(socket)).toString(), /^HTTP\/1.1 408 /);
    assert.match(await shared.ask(`GET http://a.example/${'x'.repeat(20_000)}`), /^HTTP\/1.1 431 /);
    const socks = await shared.client();
    socks.write('\x05\x02\x00\x02\x01', 'latin1');
    assert.equal(await closeReason(socks), undefined);
  });

  test('hands over who had connected before it closed, and takes nobody after', async () => {
    await using shared = await Shared.start();
    shared.add('a', user('a', 'secret-a'));
    const socket = await shared.client();
    while (shared.ingress.newcomers === 0) await new Promise(setImmediate);
    const { port } = shared;
    const closed = shared.ingress.close();
    socket.end(get('a', basic('a:secret-a')));
    assert.match((await readAll(socket)).toString(), /^HTTP\/1.1 200 OK/);
    await closed;
    const late = connect(port, LOOPBACK);
    const [error] = await once(late, 'error');
    assert.equal(error.code, 'ECONNREFUSED');
  });

  test('is what curl expects of a proxy with a password', async () => {
    await using shared = await Shared.start();
    shared.add('a', user('a', 'secret-a'));
    const curl = (proxy: string, ...more: string[]) =>
      run('curl', ['-sS', '--noproxy', '', '--proxy', proxy, ...more, 'http://a.example/']);
    const at = `${LOOPBACK}:${shared.port}`;
    for (const proxy of [`http://a:secret-a@${at}`, `socks5h://a:secret-a@${at}`])
      assert.match((await curl(proxy)).stdout, /^GET \/ HTTP/);
    assert.match((await curl(`http://a:secret-a@${at}`, '--proxytunnel')).stdout, /^GET \/ HTTP/);
    assert.match((await curl(`http://a:wrong@${at}`)).stdout, /"credentials_wrong"/);
    await assert.rejects(curl(`http://${at}`, '--proxytunnel'), { code: 56 });
    for (const proxy of [`socks5h://a:wrong@${at}`, `socks5h://${at}`])
      await assert.rejects(curl(proxy), { code: 97 });
  });
});
