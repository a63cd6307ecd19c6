import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { knownFailures, runSuite } from '../conformance/suite.ts';

const beside = fileURLToPath(new URL('../../../../shared/conformance/rego', import.meta.url));
const folder = process.env.OPENSHELL_CONFORMANCE ?? beside;
const missing = existsSync(folder) ? false : `no cases at ${folder}; set OPENSHELL_CONFORMANCE`;

test("OPA's own cases pass, but for those that CONFORMANCE.md explains", { skip: missing }, () => {
  const known = knownFailures(readFileSync(new URL('../CONFORMANCE.md', import.meta.url), 'utf8'));
  const { passed, failures } = runSuite(folder);
  const unexpected = failures.filter(({ note }) => !known.has(note));
  assert.deepEqual(
    unexpected.map(({ note, difference }) => `${note}: ${difference}`),
    [],
  );
  assert.ok(passed / (passed + failures.length) >= 0.99);
});
