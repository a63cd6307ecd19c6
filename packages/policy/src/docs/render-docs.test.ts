import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { policyFrom } from '../testing/policies.ts';
import { renderSchemaDocs } from './render-docs.ts';

test('docs/policy.md is what the schema renders to', async () => {
  const file = new URL('../../../../docs/policy.md', import.meta.url);
  const written = await readFile(file, 'utf8');
  const command = 'bin/node packages/policy/src/docs/render-docs.ts > docs/policy.md';
  assert.ok(written === renderSchemaDocs(), `docs/policy.md is out of date; write it again with: ${command}`);
});

test('the policy that the page begins with loads', () => {
  const [, yaml] = /```yaml\n([\s\S]*?)```/.exec(renderSchemaDocs()) ?? [];
  assert.deepEqual(policyFrom(yaml ?? '').networkPolicies[0]?.endpoints[0]?.host, 'registry.npmjs.org');
});
