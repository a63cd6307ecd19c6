import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import type { Arguments } from '../command/arguments.ts';
import { parseArguments } from '../command/parse.ts';
import { run } from '../command/table/run.ts';
import { expectRejection } from '../test/expect-error.ts';
import { scratch } from '../test/scratch.ts';
import { readDecider } from './rules.ts';

const RULES = 'package openshell.sandbox\n';

const files = (t: TestContext): ((name: string) => string) => {
  const directory = scratch(t);
  const at = (name: string): string => join(directory, name);
  writeFileSync(at('policy.yaml'), 'version: 1\n');
  writeFileSync(at('other.yaml'), 'version: 1\n');
  writeFileSync(at('plain.yaml'), 'team: a\n');
  writeFileSync(at('list.yaml'), '- a\n');
  writeFileSync(at('broken.yaml'), 'a: [\n');
  writeFileSync(at('rules.rego'), RULES);
  writeFileSync(at('rules_test.rego'), 'package t\n');
  writeFileSync(at('policy.wasm'), 'no wasm');
  return at;
};

const decide = (words: readonly string[]) => readDecider(parseArguments(run, [...words, 'x']) as Arguments);

describe('who decides', () => {
  test('is the built-in evaluator when nothing else is asked for', async (t) => {
    const at = files(t);
    assert.deepEqual(await decide([]), {});
    assert.deepEqual(await decide(['--policy', at('policy.yaml')]), { policy: { file: at('policy.yaml') } });
  });

  test('are rules, with a policy as their data', async (t) => {
    const at = files(t);
    const decider = await decide(['--policy-rules', at('rules.rego'), '--policy-data', at('policy.yaml')]);
    assert.deepEqual(decider, {
      policy: { file: at('policy.yaml') },
      rules: { kind: 'rego', modules: { [at('rules.rego')]: RULES }, version: 'v1', data: {} },
    });
  });

  test('are the rules of a directory without its tests, with other data besides', async (t) => {
    const at = files(t);
    const rules = scratch(t);
    writeFileSync(join(rules, 'a.rego'), RULES);
    writeFileSync(join(rules, 'a_test.rego'), 'package t\n');
    const decider = await decide([
      '--policy-rules',
      rules,
      '--policy',
      at('policy.yaml'),
      '--policy-data',
      at('plain.yaml'),
    ]);
    assert.deepEqual(decider, {
      policy: { file: at('policy.yaml') },
      rules: {
        kind: 'rego',
        modules: { [join(rules, 'a.rego')]: RULES },
        version: 'v1',
        data: { team: 'a' },
      },
    });
  });

  test('is our own module when rego is asked for without rules', async () => {
    const { rules } = await decide(['--policy-engine', 'rego']);
    assert.deepEqual(rules, { kind: 'rego', modules: {}, version: 'v1', data: {} });
  });

  test('is an OPA server, or a compiled program', async (t) => {
    const at = files(t);
    const url = 'http://127.0.0.1:8181';
    assert.deepEqual((await decide(['--opa-url', url])).rules, { kind: 'opa', url });
    const { rules } = await decide(['--policy-wasm', at('policy.wasm')]);
    assert.equal(rules?.kind, 'wasm');
  });
});

describe('a line that says it wrongly is refused:', () => {
  const CASES: readonly (readonly [words: (at: (name: string) => string) => string[], message: RegExp])[] = [
    [() => ['--policy-engine', 'cedar'], /there is no 'cedar'\nWrite one of: builtin, rego, opa, wasm/],
    [() => ['--policy-engine', 'opa'], /needs --opa-url/],
    [() => ['--policy-engine', 'wasm'], /needs --policy-wasm/],
    [
      (at) => ['--policy-engine', 'builtin', '--policy-rules', at('rules.rego')],
      /--policy-rules is for --policy-engine rego, not for builtin/,
    ],
    [
      (at) => ['--policy-rules', at('rules.rego'), '--opa-url', 'http://h'],
      /--policy-rules is for --policy-engine rego, not for opa/,
    ],
    [(at) => ['--policy-rules', at('none.rego')], /none\.rego cannot be read: there is no such file/],
    [(at) => ['--policy-rules', at('policy.wasm')], /is no Rego, data or bundle/],
    [(at) => ['--policy-data', at('none.yaml')], /--policy-data: .*no such file/],
    [(at) => ['--policy-data', at('list.yaml')], /has no names at its top/],
    [(at) => ['--policy-data', at('broken.yaml')], /broken\.yaml cannot be parsed: .* at line \d/],
    [(at) => ['--policy', at('policy.yaml'), '--policy-data', at('other.yaml')], /are both policies/],
  ];
  for (const [words, message] of CASES) {
    test(words((name) => name).join(' '), (t) => expectRejection(decide(words(files(t))), message));
  }
});
