import assert from 'node:assert/strict';
import type { Socket } from 'node:net';
import { describe, test } from 'node:test';
import { generation } from '@openshell/base';
import { compilePolicy, parsePolicy } from '@openshell/policy';
import { policyAlone, type TenantSettings } from '../tenant/settings.ts';
import { Fixture, type FixtureOptions, readAll, readUntil } from '../test-support/fixture.ts';

/** A policy for `api.example:80` whose endpoint has these lines. */
export function settingsOf(endpoint: string, number = 1): TenantSettings {
  const text = `version: 1
network_policies:
  api:
    binaries: [{ path: /usr/bin/curl }]
    endpoints: [{ host: api.example, port: 80, ${endpoint} }]
`;
  const parsed = parsePolicy(text);
  assert.ok(parsed.ok, JSON.stringify(!parsed.ok && parsed.problems));
  return policyAlone(compilePolicy(parsed.policy, generation(number)));
}

const READ_ONLY = 'protocol: rest, access: read-only';
const FULL = 'protocol: rest, access: full';

async function start(endpoint: string, options: Partial<FixtureOptions> = {}): Promise<Fixture> {
  return Fixture.start({ allow: [], settings: settingsOf(endpoint), ...options });
}

/** Answers each request of a connection with what `answer` says about its text. */
function origin(answer: (request: string) => string): (socket: Socket) => void {
  return (socket) => {
    let text = '';
    socket.on('data', (chunk) => {
      text += chunk.toString('latin1');
      const end = text.indexOf('\r\n\r\n');
      if (end < 0) return;
      const request = text;
      text = '';
      socket.write(answer(request), 'latin1');
    });
  };
}

const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';

describe('an inspected connection', () => {
  test('lets an allowed request through and answers a refused one, on one connection', async () => {
    await using fixture = await start(READ_ONLY);
    const seen: string[] = [];
    await fixture.origin(
      'api.example',
      origin((request) => {
        seen.push(request);
        return OK;
      }),
    );
    const socket = await fixture.tunnel('api.example:80');
    socket.write('GET /a?b=c HTTP/1.1\r\nHost: api.example\r\nX: y\r\n\r\n');
    const first = await readUntil(socket, '\r\n\r\nok');
    assert.match(
      first,
      /^HTTP\/1.1 200 OK\r\nX-OpenShell-Trace-Id: [0-9a-f]{32}\r\nContent-Length: 2\r\n\r\nok$/,
    );
    socket.write('POST /a HTTP/1.1\r\nHost: api.example\r\nContent-Length: 3\r\n\r\nabc');
    const refused = await readUntil(socket, '}\n');
    assert.match(refused, /^HTTP\/1.1 403 Forbidden\r\n/);
    assert.equal(JSON.parse(refused.slice(refused.indexOf('{'))).error, 'policy_denied');
    socket.end('GET /again HTTP/1.1\r\nHost: api.example\r\n\r\n');
    assert.match(String(await readAll(socket)), /ok$/);
    assert.deepEqual(seen, [
      'GET /a?b=c HTTP/1.1\r\nHost: api.example\r\nX: y\r\n\r\n',
      'GET /again HTTP/1.1\r\nHost: api.example\r\n\r\n',
    ]);
  });

  test('judges pipelined requests one by one and answers them in order', async () => {
    await using fixture = await start(READ_ONLY);
    await fixture.origin(
      'api.example',
      origin((request) => OK.replace('ok', request.slice(5, 7))),
    );
    const socket = await fixture.tunnel('api.example:80');
    const request = (method: string, path: string): string =>
      `${method} ${path} HTTP/1.1\r\nHost: api.example\r\n\r\n`;
    socket.end(request('GET', '/11') + request('DELETE', '/22') + request('GET', '/33'));
    const answers = String(await readAll(socket));
    assert.match(answers, /^HTTP\/1.1 200 [\s\S]*11HTTP\/1.1 403 [\s\S]*}\nHTTP\/1.1 200 [\s\S]*33$/);
  });

  test('streams a large body both ways', async () => {
    await using fixture = await start(FULL);
    const size = 5_000_000;
    let got = 0;
    await fixture.origin('api.example', (socket) => {
      socket.once('data', () => socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${size}\r\n\r\n`));
      socket.on('data', (chunk) => {
        got += chunk.length;
        if (got > size) socket.write(Buffer.alloc(size, 'x'));
      });
    });
    const socket = await fixture.tunnel('api.example:80');
    socket.write(`PUT /a HTTP/1.1\r\nHost: api.example\r\nContent-Length: ${size}\r\n\r\n`);
    socket.end(Buffer.alloc(size, 'y'));
    const answer = await readAll(socket);
    assert.equal(answer.length - answer.indexOf('\r\n\r\n') - 4, size);
  });

  test('refuses another host than the connection was allowed for', async () => {
    await using fixture = await start(FULL);
    await fixture.origin(
      'api.example',
      origin(() => OK),
    );
    const socket = await fixture.tunnel('api.example:80');
    socket.write('GET / HTTP/1.1\r\nHost: api.example\r\n\r\n');
    await readUntil(socket, 'ok');
    socket.end('GET / HTTP/1.1\r\nHost: other.example\r\n\r\n');
    assert.match(String(await readAll(socket)), /403 Forbidden[\s\S]*request_authority_mismatch/);
  });

  test('answers 502 where the origin does not answer', async () => {
    await using fixture = await start(FULL);
    await fixture.origin('api.example', (socket) => socket.destroy());
    const socket = await fixture.tunnel('api.example:80');
    socket.end('GET / HTTP/1.1\r\nHost: api.example\r\n\r\n');
    assert.match(String(await readAll(socket)), /^HTTP\/1.1 502 [\s\S]*upstream_/);
  });
});
