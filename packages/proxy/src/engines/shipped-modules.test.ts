import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { check, compile, formatModule, runTests } from '@openshell/rego';

const folder = new URL('../../rego/', import.meta.url);
const modules = Object.fromEntries(
  readdirSync(folder)
    .filter((name) => name.endsWith('.rego'))
    .map((name) => [name, readFileSync(new URL(name, folder), 'utf8')]),
);

describe('the modules that we ship', () => {
  test('pass their own tests, which reach every line', () => {
    const { tests, coverage } = runTests(compile(modules));
    assert.deepEqual(
      tests.filter(({ outcome }) => outcome !== 'pass').map(({ name, outcome }) => `${name}: ${outcome}`),
      [],
    );
    assert.ok(tests.length >= 10);
    const { files } = coverage;
    for (const name of ['policy.rego', 'requests.rego'])
      assert.deepEqual(files[name]?.notCovered ?? [], [], name);
  });

  for (const [name, text] of Object.entries(modules)) {
    test(`${name} is written as "openshell rego fmt" writes it`, () => {
      assert.equal(formatModule(name, text), text);
    });
  }

  test('pass the strict checks', () => {
    assert.deepEqual(check(modules, { strict: true }), []);
  });
});
