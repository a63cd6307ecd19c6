import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { connect, type TLSSocket } from 'node:tls';
import { promisify } from 'node:util';
import { type Fixture, portOf, readUntil } from '../test-support/fixture.ts';
import { HOST, inspecting, originIdentity } from '../test-support/inspected.ts';
import type { AuthorityRing } from './authority-ring.ts';

const run = promisify(execFile);
const scratch = mkdtempSync(join(tmpdir(), 'rotation-'));
let fixture: Fixture;
let ring: AuthorityRing;
/** Answers that the origin holds back until it is told to give them. */
let held: (() => void)[] = [];
const origin = createServer(originIdentity(), (request, response) => {
  const answer = (): void => void response.end('ok');
  if (request.url === '/held') held.push(answer);
  else answer();
});

before(async () => {
  fixture = await inspecting('protocol: rest, access: full');
  await fixture.serves(HOST, origin);
  ring = await fixture.proxy.authority();
});
after(async () => {
  await fixture[Symbol.asyncDispose]();
  rmSync(scratch, { recursive: true });
});

async function client(ca: string): Promise<TLSSocket> {
  const socket = await fixture.tunnel(`${HOST}:443`);
  const tls = connect({ socket, servername: HOST, ca, ALPNProtocols: ['http/1.1'] });
  await once(tls, 'secureConnect');
  return tls;
}

async function ask(socket: TLSSocket, path = '/'): Promise<string> {
  socket.write(`GET ${path} HTTP/1.1\r\nHost: ${HOST}\r\n\r\n`);
  return (await readUntil(socket, '\r\n\r\n')) + (await readUntil(socket, 'ok'));
}

/** Resolves with what curl got, or the number of its error. */
async function curl(bundlePem: string): Promise<string> {
  const file = join(scratch, 'bundle.pem');
  writeFileSync(file, bundlePem);
  const proxy = `http://127.0.0.1:${portOf(fixture.servers.connect)}`;
  const args = ['-sS', '--proxy', proxy, '--cacert', file, `https://${HOST}/`];
  return run('curl', args).then(
    ({ stdout }) => stdout,
    (error: { code: number }) => `curl ${error.code}`,
  );
}

test('no request is lost in a rotation: on kept connections, on new ones, and while it waits for its answer', async () => {
  const first = ring.bundlePem;
  const kept = await client(first);
  await ask(kept);
  const untrusting = 'curl 60';
  const steps = [
    { step: 'prepare', oldClient: 'ok' },
    { step: 'activate', oldClient: 'ok' },
    { step: 'retire', oldClient: untrusting },
  ] as const;
  for (const { step, oldClient } of steps) {
    const known = ring.bundlePem;
    const waiting = await client(known);
    const arrived = once(origin, 'request');
    const waited = ask(waiting, '/held');
    await arrived;
    const { bundlePem } = ring.rotate(step);
    const fresh = await Promise.all([client(known), client(bundlePem)]);
    for (const socket of [kept, ...fresh]) assert.match(await ask(socket), /^HTTP\/1.1 200/, step);
    for (const answer of held) answer();
    held = [];
    assert.match(await waited, /^HTTP\/1.1 200/, step);
    assert.deepEqual([await curl(bundlePem), await curl(first)], ['ok', oldClient], step);
    for (const socket of [waiting, ...fresh]) socket.destroy();
  }
  assert.match(await ask(kept), /^HTTP\/1.1 200/);
  kept.destroy();
});

test('a session of before does not bring a client past a change of the authority', async () => {
  const before = await client(ring.bundlePem);
  const [session] = (await once(before, 'session')) as [Buffer];
  before.destroy();
  ring.rotate('prepare');
  const { bundlePem } = ring.rotate('activate');
  const socket = await fixture.tunnel(`${HOST}:443`);
  const tls = connect({ socket, servername: HOST, ca: bundlePem, session });
  await once(tls, 'secureConnect');
  assert.equal(tls.isSessionReused(), false);
  tls.destroy();
});
