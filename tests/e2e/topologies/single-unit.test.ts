import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { needsProgram, ROOT } from '../../support/paths.ts';

const run = promisify(execFile);

test('a sandbox with its proxy in the same process reads what it may, and nothing else', {
  skip: needsProgram('curl'),
}, async () => {
  const { stdout } = await run(`${ROOT}/examples/single-unit/run`);
  const [, allowed, captured, others, files, suggested] = stdout.split(/^# .*\n/m);
  assert.match(allowed ?? '', /^http_proxy is http:\/\/127\.0\.0\.1:\d+\napi\.test got GET \/items\n200\n/);
  assert.match(captured ?? '', /^api\.test got GET \/items\n200\n/);
  assert.match(captured ?? '', /"rule":"POST \/items".*\n403\n/);
  assert.match(
    captured ?? '',
    /^openshell: refused curl \(\/usr\/bin\/curl\) -> api\.test:80: POST \/items /m,
  );
  assert.match(others ?? '', /refused curl .* -> elsewhere\.test:80: no endpoint of the policy allows /);
  assert.match(others ?? '', /refused other .* -> api\.test:80: .* not for \S+\/inside\/other /);
  assert.equal(others?.match(/^403$/gm)?.length, 2);
  assert.match(files ?? '', /^touch: .*Read-only file system\nhere\n/);
  assert.match(suggested ?? '', /allow: \{ method: POST, path: \/items \}/);
});
