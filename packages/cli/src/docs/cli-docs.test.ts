import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { commandSpecs } from '../command/table.ts';
import { regenerate, renderCliDocs } from './render-cli-docs.ts';

test('docs/cli.md says what the commands are described as', async () => {
  const file = readFileSync(new URL('../../../../docs/cli.md', import.meta.url), 'utf8');
  assert.equal(file, renderCliDocs(await commandSpecs()), `docs/cli.md is out of date. Run: ${regenerate}`);
});
