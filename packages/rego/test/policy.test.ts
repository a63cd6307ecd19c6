import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import {
  BOOLEAN,
  type BuiltinContext,
  BuiltinError,
  compile,
  isNumber,
  NUMBER,
  RegoError,
  toDouble,
  type Value,
} from '../src/index.ts';

test('a query answers for one input after another', () => {
  const query = compile(
    { 'a.rego': 'package a\nallow if input.user in data.users' },
    { data: { users: ['ann'] } },
  ).query('data.a.allow');
  assert.equal(query({ user: 'ann' }), true);
  assert.equal(query({ user: 'bob' }), undefined);
  assert.equal(query(), undefined);
});

test('data is replaced in part without compiling again', () => {
  const policy = compile({ 'a.rego': 'package a\np := data.d' }, { data: { d: { x: 1, y: 2 } } });
  const query = policy.query('data.a.p');
  policy.setData(3, ['d', 'x']);
  assert.deepEqual(query(), { x: 3, y: 2 });
  policy.setData({ d: 4 });
  assert.equal(query(), 4);
});

test('the index of rules chooses only what can hold, and all that can', () => {
  const rules = Array.from(
    { length: 50 },
    (_, i) => `p contains ${i} if { input.h == "h${i % 10}"; input.n > ${i} }`,
  );
  const module = [
    'package a',
    ...rules,
    'p contains "any" if input.n > 0',
    'p contains "in" if input.h in {"h1", "h2"}',
  ];
  const query = compile({ 'a.rego': module.join('\n') }).query('data.a.p');
  assert.deepEqual(query({ h: 'h1', n: 25 }), [1, 11, 21, 'any', 'in']);
  assert.deepEqual(query({ h: 'h3', n: 4 }), [3, 'any']);
  assert.deepEqual(query({ h: 'other', n: 4 }), ['any']);
  assert.deepEqual(query({ n: 4 }), ['any']);
});

describe('own built-ins', () => {
  const double = {
    name: 'my.double',
    args: [NUMBER],
    result: NUMBER,
    call: ([value]: readonly unknown[]) => {
      if (!isNumber(value as number)) throw new BuiltinError('not a number');
      return toDouble(value as number) * 2;
    },
  };

  test('are called as those of OPA', () => {
    const policy = compile({ 'a.rego': 'package a\np := my.double(input)' }, { builtins: [double] });
    assert.equal(policy.query('data.a.p')(4), 8);
    assert.throws(() => policy.query('data.a.p')('x', { strictBuiltinErrors: true }), RegoError);
  });

  test('do not exist for others', () => {
    assert.throws(() => compile({ 'a.rego': 'package a\np := my.double(1)' }), RegoError);
  });
});

describe('abilities that are granted', () => {
  const module = { 'a.rego': 'package a\np := net.lookup_ip_addr("db.internal")' };

  test('names are looked up by what the embedder hands in', () => {
    const policy = compile(module, { granted: { lookupIpAddr: () => ['10.0.0.1'] } });
    assert.deepEqual(policy.query('data.a.p')(), ['10.0.0.1']);
  });

  test('without it the built-in fails', () => {
    const query = compile(module).query('data.a.p');
    assert.equal(query(), undefined);
    assert.throws(() => query(undefined, { strictBuiltinErrors: true }), RegoError);
  });
});

test('the clock stands still during an evaluation and can be set', () => {
  const query = compile({ 'a.rego': 'package a\np := [time.now_ns(), time.now_ns()]' }).query('data.a.p');
  assert.deepEqual(query(undefined, { nowNs: 5n }), [5, 5]);
});

test('print is heard, also of what is undefined', () => {
  const said: string[] = [];
  const query = compile({ 'a.rego': 'package a\np if print("a", input.x, input.y)' }).query('data.a.p');
  assert.equal(query({ x: 1 }, { print: (text) => said.push(text) }), true);
  assert.deepEqual(said, ['a 1 <undefined>']);
});

describe('documents that depend on data alone', () => {
  const module = `package a
by_host[e.host] contains name if { some name, p in data.policies; some e in p }
allow contains name if some name in by_host[input.host]
seen := x if x := by_host.x with data.policies as {"other": [{"host": "x"}]}
`;
  const policy = compile(
    { 'a.rego': module },
    { data: { policies: { one: [{ host: 'x' }, { host: 'y' }] } } },
  );

  test('are computed once and seen by all evaluations', () => {
    const query = policy.query('data.a.allow');
    assert.deepEqual(query({ host: 'x' }), ['one']);
    assert.deepEqual(query({ host: 'y' }), ['one']);
    assert.deepEqual(query({ host: 'z' }), []);
  });

  test('are other ones where with replaces data', () => {
    assert.deepEqual(policy.query('data.a.seen')(), ['other']);
    assert.deepEqual(policy.query('data.a.allow')({ host: 'x' }), ['one']);
  });

  test('are not shared when a built-in asked for the time', () => {
    const late = {
      name: 'my.late',
      args: [],
      result: BOOLEAN,
      call: (_args: readonly Value[], { nowNs }: BuiltinContext) => nowNs > 5n,
    };
    const modules = { 'a.rego': 'package a\nlate := my.late()\nresult := [late, late]' };
    const query = compile(modules, { builtins: [late] }).query('data.a.result');
    assert.deepEqual(query(undefined, { nowNs: 1n }), [false, false]);
    assert.deepEqual(query(undefined, { nowNs: 9n }), [true, true]);
  });

  test('are computed again when data changes', () => {
    const query = policy.query('data.a.allow');
    policy.setData({ two: [{ host: 'x' }] }, ['policies']);
    assert.deepEqual(query({ host: 'x' }), ['two']);
  });
});
