import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { renderLimitsDocs } from './docs/limits-docs.ts';
import { LIMITS, limitsWith } from './limits.ts';

test('docs/limits.md is what the table of limits renders to', async () => {
  const file = new URL('../../../docs/limits.md', import.meta.url);
  const command = 'bin/node packages/proxy/src/docs/limits-docs.ts > docs/limits.md';
  assert.equal(await readFile(file, 'utf8'), renderLimitsDocs(), `make it again with: ${command}`);
});

test('limits can be changed one by one', () => {
  const limits = limitsWith({ headBytes: 5 });
  assert.equal(limits.headBytes, 5);
  assert.equal(limits.headTime, LIMITS.headTime.value);
});
