import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { readFile, rename, writeFile } from 'node:fs/promises';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { describe, test } from 'node:test';
import { connect as connectTls } from 'node:tls';
import { sandboxId } from '@openshell/base';
import { connectProxy, PROTOCOL } from '@openshell/control';
import { encodeFrame, LINK_VERSIONS } from '@openshell/control/link';
import { LOOPBACK, portOf, readAll, readUntil } from '../test-support/fixture.ts';
import { type Identity, LinkAuthority } from '../test-support/link-authority.ts';
import { get, inFolder, PROGRAM, Program } from '../test-support/program.ts';

const policyFor = (host: string, port = 80): string =>
  `version: 1\nnetwork_policies:\n  test:\n    endpoints: [{ host: ${host}, port: ${port} }]\n`;

/** Answers every request with 204, or, where a connection begins with a line, repeats what it is sent. */
async function origin(): Promise<Server & AsyncDisposable> {
  const server = createServer((socket) => {
    socket.on('error', () => {});
    socket.once('data', (first) => {
      if (String(first).startsWith('GET')) socket.end('HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n');
      else {
        socket.write(first);
        socket.pipe(socket);
      }
    });
  });
  await once(server.listen(0, LOOPBACK), 'listening');
  return server;
}

const resolving = (server: Server, ...names: string[]): string[] =>
  names.flatMap((name) => ['--resolve', `${name}=${LOOPBACK}:${portOf(server)}`]);

const statusOf = async (program: Program): Promise<(path: string) => Promise<Response>> => {
  const [, url = ''] = await program.said(/status at (http:\S+)\/readyz/);
  return (path) => fetch(url + path);
};

interface Nodes {
  readonly clientCa: string;
  readonly server: Identity;
  readonly node: Identity;
}

/** Shakes hands as a node, and is believed. */
async function dialLink(port: number, { clientCa, node }: Nodes): Promise<void> {
  const socket = connectTls({ host: LOOPBACK, port, ca: clientCa, ...node, ALPNProtocols: LINK_VERSIONS });
  socket.write(encodeFrame({ kind: 'session', tenant: 'box', version: '1' }));
  try {
    await once(socket, 'data');
  } finally {
    socket.destroy();
  }
}

describe('the program in operation', () => {
  test('denies everything until somebody controls it, and is told by who comes in at its socket', () =>
    inFolder(async (at) => {
      await using server = await origin();
      using program = new Program([
        ...['--listen', '127.0.0.1:0', '--tenant', 'build', '--control', `unix:${at('control')}`],
        ...['--status', '127.0.0.1:0', ...resolving(server, 'one.example')],
      ]);
      const port = await program.port();
      const status = await statusOf(program);
      assert.match(await get(port, 'http://one.example/'), /^HTTP\/1.1 403 /);
      assert.equal((await status('/readyz')).status, 503);
      const control = connectProxy({ kind: 'unix', path: at('control') });
      {
        await using session = await control.connect({ name: 'test', protocol: PROTOCOL, role: 'controller' });
        await session.apply({
          tenant: sandboxId('build'),
          parts: { policy: { kind: 'text', name: 'p', text: policyFor('one.example') } },
          mode: 'install',
        });
        assert.match(await (await status('/metrics')).text(), /^openshell_proxy_controller_connected 1$/m);
      }
      // What was installed outlasts who installed it.
      assert.match(await get(port, 'http://one.example/'), /^HTTP\/1.1 204 /);
      assert.equal((await status('/readyz')).status, 200);
      assert.match(await (await status('/ca.pem')).text(), /^-----BEGIN CERTIFICATE-----/);
      const metrics = await (await status('/metrics')).text();
      assert.match(metrics, /^openshell_proxy_tenant_generation\{tenant="build"\} 1$/m);
      assert.equal((await program.stop()).code, 0);
    }));

  test('serves tenants of a file, each by its own policy, and follows the files by itself', () =>
    inFolder(async (at) => {
      await using server = await origin();
      const hash = (password: string): string => createHash('sha256').update(password).digest('hex');
      const tenant = (id: string): string =>
        `  - { id: ${id}, policy: ${id}.yaml, recognised_by: [{ username: ${id}, password_sha256: ${hash(`${id}-secret`)} }] }\n`;
      await writeFile(at('tenants.yaml'), `tenants:\n${tenant('one')}${tenant('two')}`);
      for (const id of ['one', 'two']) await writeFile(at(`${id}.yaml`), policyFor(`${id}.example`));
      using program = new Program([
        ...['--listen', '127.0.0.1:0', '--tenants', at('tenants.yaml'), '--log-format', 'json'],
        ...['--events', at('events'), ...resolving(server, 'one.example', 'two.example')],
      ]);
      const port = await program.port();
      const as = (id: string, host: string) =>
        get(port, `http://${host}/`, `Proxy-Authorization: Basic ${btoa(`${id}:${id}-secret`)}\r\n`);
      assert.match(await get(port, 'http://one.example/'), /^HTTP\/1.1 407 /);
      assert.match(await as('one', 'one.example'), /^HTTP\/1.1 204 /);
      assert.match(await as('one', 'two.example'), /^HTTP\/1.1 403 /);
      assert.match(await as('two', 'two.example'), /^HTTP\/1.1 204 /);
      assert.match(await as('two', 'one.example'), /^HTTP\/1.1 403 /);
      // Nobody sends a signal: the file that is renamed into place is seen.
      await writeFile(at('new'), policyFor('two.example'));
      await rename(at('new'), at('one.yaml'));
      await program.said(/"generation":2/);
      assert.match(await as('one', 'two.example'), /^HTTP\/1.1 204 /);
      const { said } = await program.stop();
      const lines = said
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line));
      for (const { time, level, message } of lines) {
        assert.equal(new Date(time).toISOString(), time);
        assert.ok(['info', 'warning', 'error'].includes(level) && message.length > 0);
      }
      const refused = lines.find(({ message }) => /refused two\.example:80/.test(message));
      assert.equal(refused.tenant, 'one');
      assert.equal(refused.generation, 1);
      // The line and the event are found by the same id.
      assert.match(await readFile(at('events'), 'utf8'), new RegExp(`"uid":"${refused.trace_id}"`));
      assert.doesNotMatch(said + (await readFile(at('events'), 'utf8')), /-secret/);
    }));

  test('drains: it is not ready, takes nobody, lets what is open go on, and ends with it; a second signal ends it at once', () =>
    inFolder(async (at) => {
      await using server = await origin();
      await writeFile(at('policy.yaml'), policyFor('one.example', 443));
      for (const twice of [false, true]) {
        using program = new Program([
          ...['--listen', '127.0.0.1:0', '--policy', at('policy.yaml'), '--status', '127.0.0.1:0'],
          ...resolving(server, 'one.example'),
        ]);
        const port = await program.port();
        const status = await statusOf(program);
        const tunnel = connect({ host: LOOPBACK, port });
        tunnel.write('CONNECT one.example:443 HTTP/1.1\r\nHost: one.example:443\r\n\r\n');
        assert.match(await readUntil(tunnel, '\r\n\r\n'), / 200 /);
        program.child.kill('SIGTERM');
        await program.said(/stopping: open connections may go on for 30 s/);
        assert.equal((await status('/readyz')).status, 503);
        assert.equal((await status('/healthz')).status, 200);
        await assert.rejects(get(port, 'http://one.example/'), { code: 'ECONNREFUSED' });
        tunnel.write('still there\n');
        assert.equal(await readUntil(tunnel, '\n'), 'still there\n');
        if (twice) program.child.kill('SIGTERM');
        else tunnel.end();
        assert.equal((await program.ended()).code, twice ? 143 : 0);
        tunnel.destroy();
      }
    }));

  test('ends at once where clients only keep their connections, and with the last answer where one waits for it', () =>
    inFolder(async (at) => {
      const asked = Promise.withResolvers<Socket>();
      await using server = createServer((socket) => {
        socket.on('error', () => {});
        socket.on('data', (bytes) => {
          if (String(bytes).startsWith('GET /slow')) asked.resolve(socket);
          else socket.write('HTTP/1.1 204 No Content\r\n\r\n');
        });
      });
      await once(server.listen(0, LOOPBACK), 'listening');
      await writeFile(at('policy.yaml'), policyFor('one.example'));
      using program = new Program([
        ...['--listen', '127.0.0.1:0', '--policy', at('policy.yaml'), '--drain-timeout', '3600'],
        ...resolving(server, 'one.example'),
      ]);
      const port = await program.port();
      const ask = (path: string): Socket => {
        const socket = connect({ host: LOOPBACK, port });
        socket.write(`GET http://one.example${path} HTTP/1.1\r\nHost: one.example\r\n\r\n`);
        return socket;
      };
      const idle = ask('/');
      assert.match(await readUntil(idle, '\r\n\r\n'), /^HTTP\/1.1 204 /);
      const waiting = ask('/slow');
      const upstream = await asked.promise;
      program.child.kill('SIGTERM');
      await once(idle.resume(), 'end');
      upstream.write('HTTP/1.1 204 No Content\r\n\r\n');
      assert.match(String(await readAll(waiting)), /^HTTP\/1.1 204 .*\r\nConnection: close\r\n/s);
      assert.equal((await program.ended()).code, 0);
    }));

  test('shows from the start how long its authority lasts, and to nodes the certificates that the files have now', () =>
    inFolder(async (at) => {
      const [first, second] = [1, 2].map(() =>
        LinkAuthority.with((authority) => ({
          clientCa: authority.caPem,
          server: authority.issue('IP:127.0.0.1', 'serverAuth'),
          node: authority.issue('URI:spiffe://test/node', 'clientAuth'),
        })),
      ) as [Nodes, Nodes];
      const put = async ({ clientCa, server: { cert, key } }: Nodes): Promise<void> => {
        for (const [name, pem] of Object.entries({ clientCa, cert, key })) await writeFile(at(name), pem);
      };
      await put(first);
      await writeFile(at('policy.yaml'), policyFor('one.example'));
      await writeFile(
        at('tenants.yaml'),
        'tenants: [{ id: box, policy: policy.yaml, recognised_by: [{ certificate: "spiffe://test/node" }] }]\n',
      );
      using program = new Program([
        ...['--tenants', at('tenants.yaml'), '--link', '127.0.0.1:0', '--link-client-ca', at('clientCa')],
        ...['--link-cert', at('cert'), '--link-key', at('key'), '--ca-out', at('ca.pem')],
        ...['--status', '127.0.0.1:0', '--workers', '2'],
      ]);
      const port = Number((await program.said(/nodes connect to port (\d+)/))[1]);
      const status = await statusOf(program);
      assert.match(
        await (await status('/metrics')).text(),
        /^openshell_proxy_authority_not_after_timestamp_seconds \d+/m,
      );
      await dialLink(port, first);
      await writeFile(at('key'), 'no key');
      program.child.kill('SIGHUP');
      await program.said(/the certificates for nodes stay as they were/);
      await dialLink(port, first);
      await put(second);
      program.child.kill('SIGHUP');
      // Each connection is with one of the workers.
      for (let believed = 0; believed < 6; )
        believed = await dialLink(port, second).then(
          () => believed + 1,
          () => 0,
        );
      await assert.rejects(dialLink(port, first));
      assert.equal((await program.stop()).code, 0);
    }));

  test('survives that it has no descriptors left, says so once, and serves again when there are some', () =>
    inFolder(async (at) => {
      await using server = await origin();
      await writeFile(at('policy.yaml'), policyFor('one.example'));
      using program = new Program(
        [
          '--nofile=96',
          ...[PROGRAM, '--listen', '127.0.0.1:0', '--policy', at('policy.yaml'), '--events', at('events')],
          ...resolving(server, 'one.example'),
        ],
        { command: 'prlimit' },
      );
      const port = await program.port();
      const flood: Socket[] = [];
      for (let index = 0; index < 200; index += 1) {
        const socket = connect({ host: LOOPBACK, port });
        socket.on('error', () => {});
        flood.push(socket);
      }
      await program.said(/of 96 file descriptors almost none is left/);
      for (const socket of flood) socket.destroy();
      await program.said(/of 96 file descriptors enough are free again/);
      assert.match(await get(port, 'http://one.example/'), /^HTTP\/1.1 204 /);
      const { code, said } = await program.stop();
      assert.equal(code, 0);
      assert.equal(said.match(/almost none is left/g)?.length, 1);
      assert.match(await readFile(at('events'), 'utf8'), /"state":"descriptors_scarce"/);
    }));

  test('hands its listener over: while another one takes its place no request is refused', () =>
    inFolder(async (at) => {
      await using server = await origin();
      await writeFile(at('policy.yaml'), policyFor('one.example'));
      // As systemd does it: the socket is listened on before, and each program finds it as descriptor 3, once it has been told to start.
      const held = createServer();
      await once(held.listen(0, LOOPBACK), 'listening');
      const port = portOf(held);
      const descriptor = (held as unknown as { _handle: { fd: number } })._handle.fd;
      const start = () =>
        new Program(
          [
            '-c',
            'read go; LISTEN_PID=$$ exec "$@"',
            ...['sh', PROGRAM, '--listen', 'fd:proxy', '--policy', at('policy.yaml')],
            ...resolving(server, 'one.example'),
          ],
          {
            command: '/bin/sh',
            stdio: ['pipe', 'pipe', 'pipe', descriptor],
            env: { ...process.env, LISTEN_FDS: '1', LISTEN_FDNAMES: 'proxy' },
          },
        );
      using first = start();
      using second = start();
      held.close();
      first.child.stdin!.end('go\n');
      await first.port();
      let requests = 0;
      const ask = async (): Promise<void> => {
        assert.match(await get(port, 'http://one.example/'), /^HTTP\/1.1 204 /);
        requests += 1;
      };
      const handedOver = (async () => {
        second.child.stdin!.end('go\n');
        await second.port();
        assert.equal((await first.stop()).code, 0);
      })();
      let going = true;
      void handedOver.finally(() => {
        going = false;
      });
      while (going) await ask();
      await handedOver;
      await ask();
      assert.ok(requests > 1);
      assert.equal((await second.stop()).code, 0);
    }));
});
