import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFile, writeFile } from 'node:fs/promises';
import { createServer as createHttps } from 'node:https';
import { connect, createServer, type Socket } from 'node:net';
import { describe, test } from 'node:test';
import { connect as connectTls, type TLSSocket } from 'node:tls';
import { sandboxId } from '@openshell/base';
import { type ControlSession, connectProxy, PROTOCOL, type ProxyStatus } from '@openshell/control';
import { LOOPBACK, portOf, readAll, readUntil } from '../test-support/fixture.ts';
import { identityFor } from '../test-support/identities.ts';
import { inFolder, PROGRAM, Program } from '../test-support/program.ts';
import { SigningAuthority } from '../tls/authority.ts';

const TENANT = sandboxId('build');

const policyFor = (...hosts: readonly string[]): string => `version: 1
network_policies:
  test:
    endpoints:
${hosts.map((host) => `      - { host: ${host}, port: 443 }\n`).join('')}\
      - { host: inspected.example, port: 443, protocol: rest, access: full }
`;

const apply = (session: ControlSession, ...hosts: readonly string[]) =>
  session.apply({
    tenant: TENANT,
    parts: { policy: { kind: 'text', name: 'p', text: policyFor(...hosts) } },
    mode: 'install',
  });

/** A connection through the proxy that is answered with 200, and then repeats what it is sent. */
async function tunnel(port: number, host: string): Promise<Socket> {
  const socket = connect({ host: LOOPBACK, port }).on('error', () => undefined);
  socket.write(`CONNECT ${host}:443 HTTP/1.1\r\nHost: ${host}:443\r\n\r\n`);
  assert.match(await readUntil(socket, '\r\n\r\n'), / 200 /);
  return socket;
}

async function repeats(socket: Socket): Promise<void> {
  if (socket.destroyed) throw new Error('it has ended');
  socket.write('still there\n');
  assert.equal(await readUntil(socket, '\n'), 'still there\n');
}

const connections = ({ workers }: ProxyStatus): readonly number[] => workers.map((one) => one.connections);

/** Tunnels until each worker has one. */
async function tunnelsOfBoth(session: ControlSession, port: number, host: string): Promise<Socket[]> {
  const sockets: Socket[] = [];
  while (sockets.length < 64) {
    sockets.push(await tunnel(port, host));
    if (connections(await session.status()).every((count) => count > 0)) return sockets;
  }
  return assert.fail('one worker of two gets all connections');
}

async function inspected(port: number, ca: string): Promise<string | undefined> {
  const socket = await tunnel(port, 'inspected.example');
  const tls: TLSSocket = connectTls({
    socket,
    ca,
    servername: 'inspected.example',
    ALPNProtocols: ['http/1.1'],
  });
  tls.write('GET / HTTP/1.1\r\nHost: inspected.example\r\nConnection: close\r\n\r\n');
  return /^HTTP\/1\.1 (\d+)/.exec(String(await readAll(tls)))?.[1];
}

describe('openshell-proxy --workers 2', () => {
  test('serves with both, loses with one its own connections alone, and replaces it with all that was applied', () =>
    inFolder(async (at) => {
      await using echo = createServer((socket) => socket.on('error', () => undefined).pipe(socket));
      await once(echo.listen(0, LOOPBACK), 'listening');
      const upstream = SigningAuthority.create();
      await using origin = createHttps(identityFor(upstream, 'inspected.example'), (_, response) =>
        response.end(),
      );
      await once(origin.listen(0, LOOPBACK), 'listening');
      await writeFile(at('upstream.pem'), upstream.certificatePem);
      using program = new Program([
        ...['--workers', '2', '--listen', '127.0.0.1:0', '--tenant', TENANT, '--events', at('events')],
        ...['--control', `unix:${at('control')}`, '--upstream-ca', at('upstream.pem')],
        ...['one', 'two'].flatMap((name) => ['--resolve', `${name}.example=${LOOPBACK}:${portOf(echo)}`]),
        ...['--resolve', `inspected.example=${LOOPBACK}:${portOf(origin)}`],
      ]);
      const port = await program.port();
      await program.said(/controllers connect to/);
      const control = connectProxy({ kind: 'unix', path: at('control') });
      await using session = await control.connect({ name: 'test', protocol: PROTOCOL, role: 'controller' });
      await apply(session, 'one.example');
      await apply(session, 'one.example', 'two.example');
      const open = await tunnelsOfBoth(session, port, 'two.example');

      const before = await session.status();
      const lost = before.workers[0]!;
      process.kill(lost.pid, 'SIGKILL');
      await program.said(/worker 0 serves again/);
      const answers = await Promise.allSettled(open.map(repeats));
      const rest = answers.filter(({ status }) => status === 'fulfilled');
      assert.equal(rest.length, open.length - lost.connections);

      const after = await session.status();
      assert.equal(after.state, 'ready');
      assert.deepEqual(
        after.workers.map(({ restarts }) => restarts),
        [1, 0],
      );
      assert.notEqual(after.workers[0]!.pid, lost.pid);
      assert.equal(after.tenants[0]!.installed?.generation, 2);
      const accepted = ({ tenants }: ProxyStatus): number => tenants[0]!.counters.accepted;
      assert.ok(accepted(after) >= accepted(before), 'what a worker has counted outlasts it');
      // The new one lets through what only the second generation does.
      const more = await tunnelsOfBoth(session, port, 'two.example');
      const third = await apply(session, 'two.example');
      assert.equal(third.installed.generation, 3);

      // Whoever trusts the new authority alone is answered by both workers.
      const [first] = (await session.authority()).certificates;
      assert.equal(await inspected(port, first!.pem), '200');
      await session.rotateAuthority('prepare');
      await session.rotateAuthority('activate');
      const { certificates } = await session.rotateAuthority('retire');
      const [signing] = certificates;
      assert.notEqual(signing!.fingerprint, first!.fingerprint);
      for (let count = 0; count < 16; count += 1) assert.equal(await inspected(port, signing!.pem), '200');

      for (const socket of [...open, ...more]) socket.destroy();
      const { code, said } = await program.stop();
      assert.equal(code, 0, said);
      const events = await readFile(at('events'), 'utf8');
      for (const state of ['worker_lost', 'worker_replaced', 'authority_activated'])
        assert.equal(events.split(`"state":"${state}"`).length, 2, `${state}, once`);
    }));

  test('workers end with the first process, after their connections, and have the sockets that it was given', () =>
    inFolder(async (at) => {
      await using echo = createServer((socket) => socket.on('error', () => undefined).pipe(socket));
      await once(echo.listen(0, LOOPBACK), 'listening');
      await writeFile(at('policy.yaml'), policyFor('one.example'));
      const held = createServer();
      await once(held.listen(0, LOOPBACK), 'listening');
      const port = portOf(held);
      const descriptor = (held as unknown as { _handle: { fd: number } })._handle.fd;
      using program = new Program(
        [
          '-c',
          'LISTEN_PID=$$ exec "$@"',
          ...['sh', PROGRAM, '--workers', '2', '--listen', 'fd:proxy', '--policy', at('policy.yaml')],
          ...['--resolve', `one.example=${LOOPBACK}:${portOf(echo)}`],
        ],
        {
          command: '/bin/sh',
          stdio: ['ignore', 'pipe', 'pipe', descriptor],
          env: { ...process.env, LISTEN_FDS: '1', LISTEN_FDNAMES: 'proxy' },
        },
      );
      await program.said(/serving on fd:proxy/);
      held.close();
      const open = await tunnel(port, 'one.example');
      // Each process has it as its standard error, so it ends with the last of them.
      const allEnded = once(program.child.stderr!, 'end');
      program.child.kill('SIGKILL');
      await once(program.child, 'exit');
      await repeats(open);
      open.end();
      await allEnded;
    }));
});
