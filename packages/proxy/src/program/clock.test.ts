import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { open, readFile, writeFile } from 'node:fs/promises';
import { createServer as createHttps } from 'node:https';
import { connect } from 'node:net';
import { test } from 'node:test';
import { connect as connectTls } from 'node:tls';
import { fileURLToPath } from 'node:url';
import { LOOPBACK, portOf, readAll, readUntil } from '../test-support/fixture.ts';
import { identityFor } from '../test-support/identities.ts';
import { inFolder, Program } from '../test-support/program.ts';
import { SigningAuthority } from '../tls/authority.ts';

const SHIM = fileURLToPath(new URL('test-programs/shifted-clock.c', import.meta.url));
const DAY_S = 86_400;

const POLICY = `version: 1
network_policies:
  test:
    endpoints: [{ host: api.example, port: 443, protocol: rest, access: read-only }]
`;

/** One request over TLS that the proxy opens; what was answered, and from when to when the certificate is valid. */
async function ask(port: number): Promise<{ answer: string; from: number; to: number }> {
  const socket = connect({ host: LOOPBACK, port });
  socket.write('CONNECT api.example:443 HTTP/1.1\r\nHost: api.example:443\r\n\r\n');
  await readUntil(socket, '\r\n\r\n');
  // This process has another clock, so it is the test that looks at the dates.
  const tls = connectTls({
    socket,
    servername: 'api.example',
    rejectUnauthorized: false,
    ALPNProtocols: ['http/1.1'],
  });
  await once(tls, 'secureConnect');
  const { valid_from: from, valid_to: to } = tls.getPeerCertificate();
  tls.write('GET / HTTP/1.1\r\nHost: api.example\r\nConnection: close\r\n\r\n');
  return { answer: String(await readAll(tls)), from: Date.parse(from), to: Date.parse(to) };
}

test(
  'a clock that jumps a day ahead and back stops neither requests nor events, and certificates fit it each time',
  { skip: existsSync('/usr/bin/gcc') ? false : 'gcc is not installed' },
  () =>
    inFolder(async (at) => {
      execFileSync('gcc', ['-shared', '-fPIC', '-O1', '-Wall', '-Werror', '-o', at('shim.so'), SHIM, '-ldl']);
      await writeFile(at('policy.yaml'), POLICY);
      // Valid on every one of these days.
      const past = Date.now() - 5 * DAY_S * 1000;
      const upstream = SigningAuthority.create(past);
      await writeFile(at('upstream.pem'), upstream.certificatePem);
      await using origin = createHttps(identityFor(upstream, 'api.example', past), (_, response) => {
        response.end('there');
      });
      await once(origin.listen(0, LOOPBACK), 'listening');
      await using clock = await open(at('clock'), 'w+');
      const shift = async (seconds: number): Promise<void> => {
        const bytes = Buffer.alloc(8);
        bytes.writeBigInt64LE(BigInt(seconds));
        await clock.write(bytes, 0, 8, 0);
      };
      await shift(0);
      using program = new Program(
        [
          ...['--listen', '127.0.0.1:0', '--policy', at('policy.yaml'), '--events', at('events')],
          ...['--upstream-ca', at('upstream.pem'), '--resolve', `api.example=${LOOPBACK}:${portOf(origin)}`],
        ],
        { env: { ...process.env, LD_PRELOAD: at('shim.so'), SHIFTED_CLOCK: at('clock') } },
      );
      const port = await program.port();
      for (const days of [0, 1, 0]) {
        await shift(days * DAY_S);
        const { answer, from, to } = await ask(port);
        assert.match(answer, /^HTTP\/1.1 200 .*there/s);
        const there = Date.now() + days * DAY_S * 1000;
        assert.ok(from <= there && there <= to, `${new Date(from)} to ${new Date(to)} on day ${days}`);
      }
      // What waits, waits as long as ever: a reload, and the end.
      await shift(-DAY_S);
      await writeFile(at('policy.yaml'), POLICY.replace('read-only', 'full'));
      await program.said(/in force as generation 2/);
      assert.equal((await program.stop()).code, 0);
      const times = (await readFile(at('events'), 'utf8'))
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line))
        .filter(({ class_uid }) => class_uid === 4002)
        .map(({ time }) => Math.round((time - Date.now()) / DAY_S / 1000) + 0);
      assert.deepEqual(times, [0, 1, 0]);
    }),
);
