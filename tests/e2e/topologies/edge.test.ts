import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

const EXAMPLE = fileURLToPath(new URL('../../../examples/edge/run', import.meta.url));

const DIRECTORIES = ['/usr/sbin', '/usr/bin', '/sbin', '/bin'];
const missing = ['ip', 'unshare', 'nsenter', 'openssl'].find(
  (program) => !DIRECTORIES.some((directory) => existsSync(`${directory}/${program}`)),
);
const skip = missing === undefined ? false : `${missing} is not on this machine`;

/** What the example prints, by the titles of its parts. */
async function play(): Promise<readonly string[]> {
  const example = spawn(EXAMPLE, { stdio: ['ignore', 'pipe', 'inherit'], timeout: 50_000 });
  let printed = '';
  example.stdout.setEncoding('utf8').on('data', (text: string) => (printed += text));
  const [code] = await once(example, 'close');
  assert.equal(code, 0, printed);
  return printed.split(/^# .*\n/m).slice(1);
}

test('a sandbox on one machine uses its proxy on another, and nothing else', { skip }, async () => {
  const [first = '', captured = '', refused = '', inspected = '', stranger = '', outage = ''] = await play();

  assert.match(
    first,
    /^openshell: waiting: the proxy at \S+ cannot be reached.*\n(?:.*\n)*origin GET \/first\n/,
  );
  assert.match(captured, /^origin GET \/captured\n/);

  assert.match(refused, /refused curl .* -> elsewhere\.test:80: no endpoint .*\n/, 'the person is told why');
  assert.match(refused, /refused other .*not for \S+\/other /, 'and that another program is another one');
  assert.equal(refused.match(/^403$/gm)?.length, 2);

  assert.match(inspected, /^TOKEN is openshell:resolve:env:TOKEN here\norigin GET \/read\n/);
  assert.match(inspected, /refused curl .* POST \/write is not allowed/);
  assert.match(inspected, /^403\nthe origin saw: GET \/read Bearer the-value-that-stays-here\n/m);
  const inside = [first, captured, refused, inspected.replace(/^the origin saw.*$/m, ''), stranger, outage];
  assert.ok(!inside.join('').includes('the-value'), 'the value is on the proxy’s machine alone');

  assert.match(stranger, /the proxy has no sandbox box for this node's certificate\n/);
  assert.match(stranger, /^it ended with 125$/m);
  assert.doesNotMatch(stranger, /must not be printed/);

  const [, lost, back, after] =
    /^origin GET \/before\n([\s\S]*)^(openshell: the proxy at \S+ is back.*\n)([\s\S]*)/m.exec(outage) ?? [];
  assert.match(lost ?? '', /^openshell: connections are refused until the proxy is back: /m);
  assert.match(lost ?? '', /^curl failed with \d+$/m);
  assert.equal(outage.match(/connections are refused/g)?.length, 1, 'it is said once');
  assert.ok(back);
  assert.match(after ?? '', /^origin GET \/after\n/m);
});
