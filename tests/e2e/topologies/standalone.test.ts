import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { describe, test } from 'node:test';
import { promisify } from 'node:util';
import { needsProgram, ROOT } from '../../support/paths.ts';
import { Scratch } from '../../support/scratch.ts';

const EXAMPLE = `${ROOT}/examples/standalone`;
const run = promisify(execFile);

describe('the proxy on its own', () => {
  test('the example allows, refuses, follows its policy and keeps the last good one', {
    skip: needsProgram('curl'),
  }, async () => {
    const { stdout } = await run(`${EXAMPLE}/run`);
    const [, allowed, written, elsewhere, changed, mistaken, said] = stdout.split(/^# .*\n/m);
    assert.match(allowed ?? '', /api\.test got GET \/items\n200\n/);
    assert.match(written ?? '', /"remedy":.*\n403\n/);
    assert.match(elsewhere ?? '', /"reason":"no endpoint of the policy allows elsewhere\.test:80".*\n403\n/);
    assert.match(changed ?? '', /api\.test got POST \/items\n200\n/);
    assert.match(mistaken ?? '', /api\.test got GET \/items\n200\n\{"ready":true,"state":"ready"\}\n/);
    assert.match(said ?? '', /policy\.yaml:1:\d+: .*generation 2 stays in force/s);
  });

  test('the units of systemd are ones that it takes', { skip: needsProgram('systemd-analyze') }, async () => {
    using scratch = new Scratch();
    for (const kind of ['socket', 'service']) {
      const unit = await readFile(`${EXAMPLE}/openshell-proxy.${kind}`, 'utf8');
      // It asks whether the program is there, which it is not on a machine that only tests.
      await writeFile(
        scratch.join(`openshell-proxy.${kind}`),
        unit.replace('/usr/local/bin/openshell-proxy', `${ROOT}/bin/openshell-proxy`),
      );
    }
    const { stderr } = await run('systemd-analyze', [
      'verify',
      scratch.join('openshell-proxy.service'),
      scratch.join('openshell-proxy.socket'),
    ]);
    assert.doesNotMatch(stderr, /openshell-proxy\.(service|socket)/);
  });
});
