import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { runInProcess, runProgram } from '../test/program.ts';
import { scratch } from '../test/scratch.ts';

const RULES = `package shop

default allow := false

allow if {
	input.user in data.staff
	print("asked by", input.user)
}
`;
const TESTS = `package shop_test

import data.shop

test_staff if shop.allow with input as {"user": "ann"} with data.staff as ["ann"]

test_wrong if shop.allow with input as {"user": "bob"} with data.staff as []

todo_test_later if false
`;

const folder = (t: TestContext, more: Readonly<Record<string, string>> = {}): string => {
  const directory = scratch(t);
  const all = { 'shop.rego': RULES, 'data.yaml': 'staff: [ann]\n', 'input.json': '{"user": "ann"}', ...more };
  for (const [name, text] of Object.entries(all)) writeFileSync(join(directory, name), text);
  return directory;
};

describe('openshell rego eval', () => {
  test('answers with rules, data and input, as a program of its own', async (t) => {
    const directory = folder(t);
    const args = [
      '-d',
      'shop.rego',
      '--data',
      'data.yaml',
      '-i',
      'input.json',
      '-f',
      'pretty',
      'data.shop.allow',
    ];
    const outcome = await runProgram(['rego', 'eval', ...args], { directory });
    assert.deepEqual([outcome.code, outcome.out], [0, 'true\n']);
    assert.match(outcome.err, /^asked by ann\n/);
  });

  test('takes its input from standard input, and YAML too', async (t) => {
    const directory = folder(t);
    const args = ['-d', 'shop.rego', '-d', 'data.yaml', '-i', '-', 'data.shop.allow', '-f', 'values'];
    const { out } = await runProgram(['rego', 'eval', ...args], { directory, input: 'user: bob\n' });
    assert.equal(out, '[\n  false\n]\n');
  });

  const ANSWERS: readonly (readonly [args: string[], out: string])[] = [
    [['-f', 'pretty', '1 == 2'], 'false\n'],
    [['-f', 'pretty', 'input.x'], 'undefined\n'],
    [['input.x'], '{}\n'],
    [['-f', 'values', 'x := [7, 8][_]'], '[\n  true\n]\n[\n  true\n]\n'],
    [['-f', 'pretty', 'x := [7, 8][i]'], 'x  i\n7  0\n8  1\n'],
    [['-f', 'values', '{1, 2}'], '[\n  [\n    1,\n    2\n  ]\n]\n'],
  ];
  for (const [args, out] of ANSWERS) {
    test(args.join(' '), async () => {
      assert.deepEqual(await runInProcess(['rego', 'eval', ...args]), { code: 0, out, err: '' });
    });
  }

  const MISTAKES: readonly (readonly [args: string[], code: number, err: RegExp])[] = [
    [['x +'], 1, /^1:\d: rego_parse_error/],
    [['nothing(1)'], 1, /rego_type_error: undefined function nothing/],
    [['-f', 'xml', '1'], 2, /--format: there is no 'xml'/],
    [['-d', '/nonexistent/x.rego', '1'], 2, /x\.rego cannot be read: there is no such file/],
    [['-i', '/nonexistent/x.json', '1'], 2, /there is no such file/],
    [
      [
        'count([1 | some a in numbers.range(1, 3000); some b in numbers.range(1, 3000); some c in [1, 2]; a + b < c])',
      ],
      1,
      /eval_limit_error/,
    ],
  ];
  for (const [args, code, err] of MISTAKES) {
    test(`refuses: ${args.join(' ')}`, async () => {
      const outcome = await runInProcess(['rego', 'eval', ...args]);
      assert.equal(outcome.code, code);
      assert.match(outcome.err, err);
    });
  }
});

describe('openshell rego check', () => {
  test('is content with valid rules, those that build on openshell.policy included', async (t) => {
    const extended =
      'package openshell.sandbox\n\nimport data.openshell.policy\n\negress_authorization := policy.deny("no")\n';
    const directory = folder(t, { 'sandbox.rego': extended });
    assert.deepEqual(await runInProcess(['rego', 'check', directory]), { code: 0, out: '', err: '' });
  });

  test('shows the place and the line of what is wrong', async (t) => {
    const directory = folder(t, { 'bad.rego': 'package bad\n\nallow if {\n\tx == \u001b[31m\n}\n' });
    const { code, out } = await runInProcess(['rego', 'check', directory]);
    assert.equal(code, 1);
    assert.match(out, /bad\.rego:4:\d+: rego_parse_error: .*\n {8}x == \\u001b\[31m\n +\^\n/);
    const { out: json } = await runInProcess(['rego', 'check', '--json', directory]);
    const [error] = JSON.parse(json).errors;
    assert.deepEqual(
      [error.code, error.line, error.file],
      ['rego_parse_error', 4, join(directory, 'bad.rego')],
    );
  });

  test('is stricter when asked, and knows the older language', async (t) => {
    const directory = folder(t, { 'unused.rego': 'package unused\n\nimport data.shop\n' });
    assert.equal((await runInProcess(['rego', 'check', directory])).code, 0);
    assert.equal((await runInProcess(['rego', 'check', '--strict', directory])).code, 1);
    const old = join(folder(t, { 'old.rego': 'package old\n\nallow { true }\n' }), 'old.rego');
    assert.equal((await runInProcess(['rego', 'check', old])).code, 1);
    assert.equal((await runInProcess(['rego', 'check', '--v0-compatible', old])).code, 0);
  });
});

describe('openshell rego test', () => {
  test('names what fails and what is left for later', async (t) => {
    const directory = folder(t, { 'shop_test.rego': TESTS });
    const { code, out } = await runInProcess(['rego', 'test', directory]);
    assert.equal(code, 1);
    assert.match(out, /shop_test\.rego:7:1: fail: data\.shop_test\.test_wrong\n/);
    assert.match(out, /shop_test\.rego:9:1: skip: data\.shop_test\.todo_test_later\n/);
    assert.match(out, /\n1 passed, 1 failed, 1 skipped\n$/);
  });

  test('runs some, shows all of them, and what they reach', async (t) => {
    const directory = folder(t, { 'shop_test.rego': TESTS });
    const { code, out } = await runInProcess(['rego', 'test', '-v', '--run', 'test_staff$', '-c', directory]);
    assert.equal(code, 0);
    assert.match(out, /:5:1: pass: data\.shop_test\.test_staff\n {4}asked by ann\n1 passed\n/);
    assert.match(out, /shop\.rego: \d+(?:\.\d)? %, not reached: 3\n/);
    assert.match(out, /coverage: \d+(?:\.\d)? %\n$/);
  });

  test('prints JSON for programs', async (t) => {
    const directory = folder(t, { 'shop_test.rego': TESTS });
    const { out } = await runInProcess(['rego', 'test', '--json', '--coverage', directory]);
    const { tests, coverage } = JSON.parse(out);
    assert.deepEqual(
      tests.map(({ name, outcome }: { name: string; outcome: string }) => [name, outcome]),
      [
        ['data.shop_test.test_staff', 'pass'],
        ['data.shop_test.test_wrong', 'fail'],
        ['data.shop_test.todo_test_later', 'skip'],
      ],
    );
    assert.equal(typeof coverage.percent, 'number');
  });

  test('does not take no test for success', async (t) => {
    const directory = folder(t);
    const outcome = await runInProcess(['rego', 'test', directory]);
    assert.equal(outcome.code, 2);
    assert.match(outcome.err, /there is no test to run/);
    assert.equal((await runInProcess(['rego', 'test', '--run', '(', directory])).code, 2);
  });
});

describe('openshell rego fmt', () => {
  const UGLY = 'package a\nallow   if   input.x==1 # why\n';
  const FORMATTED = 'package a\n\nallow if input.x == 1 # why\n';

  test('prints the formatted text, of standard input too', async () => {
    const outcome = await runProgram(['rego', 'fmt', '-'], { input: UGLY });
    assert.deepEqual(outcome, { code: 0, out: FORMATTED, err: '' });
  });

  test('names and shows what would change, then changes it', async (t) => {
    const directory = folder(t, { 'ugly.rego': UGLY });
    const file = join(directory, 'ugly.rego');
    const checked = await runInProcess(['rego', 'fmt', '--check', directory]);
    assert.deepEqual(checked, { code: 1, out: `${file}\n`, err: '' });
    const { out } = await runInProcess(['rego', 'fmt', '--diff', directory]);
    assert.equal(
      out,
      `--- ${file}\n+++ ${file}\n@@\n package a\n-allow   if   input.x==1 # why\n+\n+allow if input.x == 1 # why\n`,
    );
    assert.equal(readFileSync(file, 'utf8'), UGLY);
    await runInProcess(['rego', 'fmt', '-w', directory]);
    assert.equal(readFileSync(file, 'utf8'), FORMATTED);
    assert.equal((await runInProcess(['rego', 'fmt', '--check', directory])).code, 0);
  });

  test('leaves alone what is no Rego', async (t) => {
    const directory = folder(t, { 'bad.rego': 'package a\nallow if {' });
    const { code, err } = await runInProcess(['rego', 'fmt', '-w', join(directory, 'bad.rego')]);
    assert.equal(code, 1);
    assert.match(err, /bad\.rego:2:\d+: rego_parse_error/);
  });
});

describe('rules and data', () => {
  test('of a directory stand below its names, and of a bundle where it says', async (t) => {
    const directory = folder(t);
    writeFileSync(
      join(directory, 'b.tar.gz'),
      gzipSync(tar({ 'data.json': '{"n": 1}', 'm.rego': 'package m\n\nx := data.n + 1\n' })),
    );
    const { out } = await runInProcess([
      'rego',
      'eval',
      '-d',
      join(directory, 'b.tar.gz'),
      '-f',
      'pretty',
      'data.m.x',
    ]);
    assert.equal(out, '2\n');
  });

  test('that contradict each other are refused', async (t) => {
    const directory = folder(t, { 'more.json': '{"staff": {}}' });
    const { code, err } = await runInProcess(['rego', 'eval', '-d', directory, '1']);
    assert.equal(code, 2);
    assert.match(err, /has "staff" where another file has something else/);
  });
});

test('openshell rego data prints a policy as rules see it', async (t) => {
  const directory = folder(t, {
    'policy.yaml':
      'version: 1\nnetwork_policies: { p: { endpoints: [{ host: a.example.com, port: 443 }] } }\n',
    'wrong.yaml': 'version: 1\nnetwork: {}\n',
  });
  const { code, out } = await runInProcess(['rego', 'data', join(directory, 'policy.yaml')]);
  assert.equal(code, 0);
  const data = JSON.parse(out);
  assert.deepEqual(data.network_policies.p.endpoints[0].ports, [443]);
  assert.equal(data.egress_index.hosts['a.example.com'].length, 1);
  assert.equal((await runInProcess(['rego', 'data', join(directory, 'wrong.yaml')])).code, 2);
});

/** A tar archive of regular files (POSIX ustar header). */
const tar = (files: Readonly<Record<string, string>>): Buffer => {
  const blocks: Buffer[] = [];
  for (const [name, text] of Object.entries(files)) {
    const header = Buffer.alloc(512);
    header.write(name, 0);
    header.write('0000644\0', 100);
    header.write(`${text.length.toString(8).padStart(11, '0')}\0`, 124);
    header.write('        0', 148);
    header.write('ustar\x0000', 257);
    const sum = header.reduce((total, byte, index) => total + (index >= 148 && index < 156 ? 32 : byte), 0);
    header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148);
    const content = Buffer.alloc(Math.ceil(text.length / 512) * 512);
    content.write(text);
    blocks.push(header, content);
  }
  return Buffer.concat([...blocks, Buffer.alloc(1024)]);
};
