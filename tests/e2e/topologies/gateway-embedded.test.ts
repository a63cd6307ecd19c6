import assert from 'node:assert/strict';
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { httpOrigin } from '../../support/origin.ts';

const MAIN = fileURLToPath(new URL('../../../examples/gateway-embedded/main.ts', import.meta.url));

const run = promisify(execFile);

/** Standard output of the example, line by line; ends with it. */
async function* lines({ stdout }: ChildProcess): AsyncGenerator<string> {
  yield* createInterface({ input: stdout! });
}

test('the gateway that embeds a proxy serves a sandbox by its policy, and shows what it decides', async () => {
  await using origin = await httpOrigin();
  const gateway = spawn(process.execPath, [MAIN, `${origin.port}`], { stdio: ['ignore', 'pipe', 'inherit'] });
  await using _ended = {
    [Symbol.asyncDispose]: async () => {
      gateway.kill('SIGKILL');
      if (gateway.exitCode === null && gateway.signalCode === null) await once(gateway, 'exit');
    },
  };
  const shown = lines(gateway);
  const next = async (): Promise<string> => `${(await shown.next()).value}`;
  const proxy = /^sandbox-1 uses (http:\/\/127\.0\.0\.1:\d+)$/.exec(await next())?.[1];
  assert.ok(proxy);
  const curl = async (...args: string[]): Promise<string> =>
    (await run('curl', ['-sS', '--max-time', '10', '-x', proxy, '-w', ' %{http_code}', ...args])).stdout;

  assert.equal(await curl('http://origin.test/page'), 'origin GET /page\n 200');
  assert.match(await next(), /ALLOWED .*origin\.test/);
  assert.match(await curl('-X', 'DELETE', 'http://origin.test/page'), /policy_denied.* 403$/s);
  assert.match(await next(), /DENIED DELETE .*origin\.test/);
  assert.match(await curl('http://elsewhere.test/'), /elsewhere\.test.* 403$/s);
  assert.match(await next(), /DENIED .*elsewhere\.test/);
  assert.equal(origin.connections, 1);

  gateway.kill('SIGTERM');
  const [code] = await once(gateway, 'exit');
  assert.equal(code, 0);
});
