import assert from 'node:assert/strict';
import { once } from 'node:events';
import { describe, test } from 'node:test';
import { eventLine } from '@openshell/audit';
import { clientHello } from '../test-support/client-hello.ts';
import { lookup } from '../test-support/dns-client.ts';
import { closeReason, Fixture, LOOPBACK, readAll, readUntil } from '../test-support/fixture.ts';

const echo = { allow: ['echo.example:7'] };

/** A fixture in which `echo.example:7` is a server that sends everything back. */
async function withEcho(options: Partial<Parameters<typeof Fixture.start>[0]> = {}): Promise<Fixture> {
  const fixture = await Fixture.start({ ...echo, ...options });
  await fixture.origin('echo.example', (socket) => socket.pipe(socket));
  return fixture;
}

const lines = (fixture: Fixture): string[] => fixture.sink.events.map(eventLine);

describe('CONNECT', () => {
  test('an allowed destination is joined, both ways, until both sides end', async () => {
    await using fixture = await withEcho();
    const socket = await fixture.tunnel('echo.example:7');
    socket.write('hello ');
    socket.end('world');
    assert.equal(String(await readAll(socket)), 'hello world');
    await closeReason(socket);
    await fixture.tenant.close();
    assert.equal(
      lines(fixture)[0],
      'NET:OPEN [INFO] ALLOWED curl(12) -> echo.example:7 [policy:p engine:builtin]',
    );
    assert.match(
      lines(fixture)[1]!,
      /^NET:CLOSE \[INFO\] curl\(12\) -> echo.example:7 \[policy:p engine:builtin in:11 out:11 ms:\d+\]$/,
    );
  });

  test('bytes that come along with the head are passed on', async () => {
    await using fixture = await withEcho();
    const socket = await fixture.client();
    socket.end('CONNECT Echo.Example.:7 HTTP/1.0\r\n\r\nearly');
    assert.equal(String(await readAll(socket)), 'HTTP/1.1 200 Connection Established\r\n\r\nearly');
  });

  test('the synthetic address of a name means the name', async () => {
    await using fixture = await withEcho();
    const socket = await fixture.tunnel(`${await lookup(fixture, 'echo.example')}:7`);
    socket.end('x');
    assert.equal(String(await readAll(socket)), 'x');
    assert.match(await fixture.ask('CONNECT 198.18.9.9:7 HTTP/1.1\r\nHost: x\r\n\r\n'), /^HTTP\/1.1 403 /);
  });

  test('a destination that policy does not allow is answered with the reason and the remedy', async () => {
    await using fixture = await withEcho();
    const answer = await fixture.ask('CONNECT [2001:DB8::1]:443 HTTP/1.1\r\nHost: x\r\n\r\n');
    const [head = '', body = ''] = answer.split('\r\n\r\n');
    assert.match(head, /^HTTP\/1.1 403 Forbidden\r\n/);
    assert.match(head, new RegExp(`Content-Length: ${Buffer.byteLength(body)}\r\nConnection: close$`));
    const { trace_id, ...said } = JSON.parse(body);
    assert.match(head, new RegExp(`\r\nX-OpenShell-Trace-Id: ${trace_id}\r\n`));
    assert.deepEqual(said, {
      error: 'policy_denied',
      layer: 'l4',
      detail: 'CONNECT [2001:db8::1]:443 not permitted by policy',
      reason: 'no policy allows this host',
      host: '2001:db8::1',
      port: 443,
      binary: '/usr/bin/curl',
      generation: 1,
      remedy: 'allow 2001:db8::1:443',
      next_steps: [],
    });
    assert.equal(fixture.refusals.length, 1);
    assert.equal(
      lines(fixture)[0],
      'NET:OPEN [MED] DENIED curl(12) -> [2001:db8::1]:443 [policy:- engine:builtin] [reason:no policy allows this host]',
    );
  });

  test('another binary is denied, and is told which policy has the endpoint', async () => {
    await using fixture = await withEcho({ binary: '/usr/bin/git' });
    const answer = await fixture.ask('CONNECT echo.example:7 HTTP/1.1\r\nHost: x\r\n\r\n');
    assert.match(answer, /^HTTP\/1.1 403 /);
    assert.match(answer, /"policy":"p"/);
  });

  test('a name with a forbidden address is refused, however many good ones it has', async () => {
    const lookup = async (): Promise<string[]> => ['93.184.216.34', LOOPBACK];
    await using fixture = await Fixture.start({ ...echo, resolver: { lookup } });
    const answer = await fixture.ask('CONNECT echo.example:7 HTTP/1.1\r\nHost: x\r\n\r\n');
    assert.match(answer, /^HTTP\/1.1 403 /);
    assert.match(answer, /"error":"ssrf_denied"/);
    assert.match(lines(fixture)[0]!, /DENIED .* engine:ssrf/);
  });

  test('a name that cannot be resolved, a closed port and a slow resolver each have their answer', async () => {
    const lookup = (host: string): Promise<string[]> => {
      if (host === 'slow.example') return new Promise(() => {});
      throw new Error('ENOTFOUND');
    };
    await using fixture = await Fixture.start({
      allow: ['none.example:1', 'closed.example:1', 'slow.example:1'],
      resolver: { lookup },
      overrides: [{ name: 'closed.example', address: LOOPBACK, toPort: 1 }],
      limits: { resolveTime: 20 },
    });
    const ask = (host: string): Promise<string> =>
      fixture.ask(`CONNECT ${host}:1 HTTP/1.1\r\nHost: x\r\n\r\n`);
    assert.match(await ask('none.example'), /^HTTP\/1.1 502 .*"error":"resolve_failed"/s);
    assert.match(await ask('slow.example'), /^HTTP\/1.1 502 .*"error":"resolve_failed"/s);
    assert.match(await ask('closed.example'), /^HTTP\/1.1 502 .*"error":"upstream_unreachable"/s);
    assert.match(
      fixture.refusals.at(-1)!.reason,
      /^policy allows it, but the connection failed: .*ECONNREFUSED/,
    );
  });

  test('what cannot be understood is answered and leads nowhere', async () => {
    await using fixture = await withEcho({ limits: { headBytes: 200 } });
    const table: [string, number][] = [
      ['CONNECT echo.example HTTP/1.1\r\nHost: x\r\n\r\n', 400],
      ['CONNECT echo.example:0 HTTP/1.1\r\nHost: x\r\n\r\n', 400],
      ['CONNECT echo.example:65536 HTTP/1.1\r\nHost: x\r\n\r\n', 400],
      ['CONNECT ::1:443 HTTP/1.1\r\nHost: x\r\n\r\n', 400],
      ['CONNECT [echo.example]:7 HTTP/1.1\r\nHost: x\r\n\r\n', 400],
      ['CONNECT user@echo.example:7 HTTP/1.1\r\nHost: x\r\n\r\n', 400],
      ['CONNECT echo.example:7 HTTP/1.1\r\n\r\n', 400],
      ['CONNECT echo.example:7 HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\n', 400],
      ['CONNECT echo.example:7 HTTP/2.0\r\nHost: x\r\n\r\n', 505],
      ['CONNECT echo.example:7\r\n\r\n', 400],
      ['\u0016\u0003\u0001', 400],
      [`CONNECT echo.example:7 HTTP/1.1\r\nHost: ${'x'.repeat(300)}\r\n\r\n`, 431],
    ];
    for (const [request, status] of table) {
      assert.match(
        await fixture.ask(request),
        new RegExp(`^HTTP/1.1 ${status} .*\\{"error":"[a-z_]+","detail":`, 's'),
        request,
      );
    }
    assert.equal(fixture.engine.asked.length, 0);
  });

  test('a head that takes too long is answered 408, one that is cut short 400', async () => {
    await using fixture = await withEcho({ limits: { headTime: 30 } });
    const silent = await fixture.client();
    silent.write('CONNECT echo');
    assert.match(String(await readAll(silent)), /^HTTP\/1.1 408 /);
    const socket = await fixture.client();
    socket.end('CONNECT echo');
    assert.match(String(await readAll(socket)), /^HTTP\/1.1 400 /);
  });

  test('a TLS server name that contradicts the name of the tunnel is refused with an alert', async () => {
    await using fixture = await withEcho();
    const socket = await fixture.tunnel('echo.example:7');
    socket.write(clientHello('other.example'));
    assert.deepEqual([...(await readAll(socket))], [21, 3, 3, 0, 2, 2, 49]);
    assert.equal(fixture.refusals[0]?.code, 'name_contradiction');
  });

  test('the same server name in another case passes, and so does TLS without one', async () => {
    await using fixture = await withEcho();
    for (const name of ['ECHO.example', undefined]) {
      const hello = clientHello(name);
      const socket = await fixture.tunnel('echo.example:7');
      socket.end(hello);
      assert.deepEqual(await readAll(socket), hello);
    }
  });

  test('the end of the sandbox ends its tunnels, and their last events come before it', async () => {
    await using fixture = await withEcho();
    const socket = await fixture.tunnel('echo.example:7');
    const reason = closeReason(socket);
    await fixture.tenant.close();
    assert.equal(await reason, 'ECONNRESET');
    assert.equal(fixture.sink.events.at(-1)?.type_uid, 400102);
    assert.equal(fixture.sink.events.at(-1)?.status_detail, 'the sandbox is closing');
    assert.equal(fixture.tenant.status().connections, 0);
  });

  test('a reset is passed on as a reset', async () => {
    await using fixture = await Fixture.start({ allow: ['reset.example:7'] });
    await fixture.origin('reset.example', (socket) => socket.once('data', () => socket.resetAndDestroy()));
    const socket = await fixture.tunnel('reset.example:7');
    socket.write('x');
    assert.equal(await closeReason(socket), 'ECONNRESET');
  });

  test('a program that cannot be identified is decided as unknown', async () => {
    const identify = async (): Promise<never> => {
      throw new Error('no such process');
    };
    await using fixture = await withEcho({ binary: '/usr/bin/curl', evidence: { identify } });
    assert.match(await fixture.ask('CONNECT echo.example:7 HTTP/1.1\r\nHost: x\r\n\r\n'), /^HTTP\/1.1 403 /);
    assert.deepEqual(fixture.engine.asked[0]?.evidence, { kind: 'unknown', reason: 'no such process' });
  });

  test('the flow that evidence is asked for is the one of the client', async () => {
    const flows: unknown[] = [];
    await using fixture = await withEcho({
      evidence: {
        identify: async (flow) => {
          flows.push(flow);
          return { kind: 'unknown', reason: 'test' };
        },
      },
    });
    const socket = await fixture.tunnel('echo.example:7');
    const { localAddress, localPort, remotePort } = socket;
    assert.deepEqual(flows, [
      {
        family: 4,
        clientAddress: localAddress,
        clientPort: localPort,
        serverAddress: LOOPBACK,
        serverPort: remotePort,
      },
    ]);
  });

  test('data in both directions keeps its order and content under back-pressure', async () => {
    await using fixture = await withEcho();
    const socket = await fixture.tunnel('echo.example:7');
    const sent = Buffer.alloc(8 << 20, 0);
    for (let i = 0; i < sent.length; i += 4) sent.writeUInt32LE((i * 2654435761) >>> 0, i);
    sent[0] = 1;
    socket.end(sent);
    await once(socket, 'finish');
    assert.ok((await readAll(socket)).equals(sent));
  });

  test('a server that speaks first is heard before the client says anything', async () => {
    await using fixture = await Fixture.start({ allow: ['ssh.example:22'] });
    await fixture.origin('ssh.example', (socket) => socket.write('SSH-2.0-test\r\n'));
    const socket = await fixture.tunnel('ssh.example:22');
    assert.equal(await readUntil(socket, '\r\n'), 'SSH-2.0-test\r\n');
  });
});
