import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { CALL_RULES } from '../session/index.ts';
import {
  generatedFacts,
  PINNED,
  PROTO,
  pinnedFacts,
  withoutOneofs,
  writtenFacts,
} from './test-support/descriptor-facts.ts';

/** The calls of the contract as the service calls them. */
const NAMES: Readonly<Record<string, string>> = {
  status: 'GetStatus',
  authority: 'GetAuthority',
  events: 'FollowEvents',
};

describe('the descriptor', () => {
  test('of the generated TypeScript is the one of the .proto', () => {
    const written = writtenFacts();
    assert.ok(written.length > 100);
    assert.deepEqual(withoutOneofs(generatedFacts()).sort(), written.sort());
  });

  for (const version of PINNED)
    test(`still has everything of protocol ${version} as it was: calls, fields, numbers, types`, () => {
      const now = new Set(generatedFacts());
      const then = pinnedFacts(version);
      assert.ok(then.length > 100);
      assert.ok(then.some((fact) => fact.endsWith(' in oneof content')));
      assert.deepEqual(
        then.filter((fact) => !now.has(fact)),
        [],
      );
    });

  test('says of each call which version brought it, as the rules of the contract do', () => {
    const text = readFileSync(PROTO, 'utf8');
    for (const [call, { since }] of Object.entries(CALL_RULES)) {
      const name = NAMES[call] ?? `${call[0]?.toUpperCase()}${call.slice(1)}`;
      assert.match(text, new RegExp(`// Version ${since}\\.[^\\n]*\\n  rpc ${name}\\(`), name);
    }
  });
});
