import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { LONGEST, planGroups } from './groups.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));

test('each file runs once a group, the long ones first', () => {
  for (const { title, files } of planGroups({ root, unitOnly: false }).groups) {
    const long = files.filter((file) => LONGEST.includes(file));
    assert.deepEqual(files.slice(0, long.length), long, title);
    assert.equal(new Set(files).size, files.length, title);
  }
});

test('the long ones are there', () => {
  const files = planGroups({ root, unitOnly: false }).groups.flatMap((group) => group.files);
  assert.deepEqual(
    LONGEST.filter((file) => !files.includes(file)),
    [],
  );
});
