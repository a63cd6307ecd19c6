import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { RegoError } from '../error.ts';
import { parseModule, parseQuery } from './parse.ts';

const failure = (parse: () => unknown): RegoError => {
  try {
    parse();
  } catch (error) {
    assert.ok(error instanceof RegoError, String(error));
    return error;
  }
  throw new assert.AssertionError({ message: 'expected a parse error' });
};

describe('what is no module is refused with its place', () => {
  for (const [text, place, message] of [
    ['', '1:1', 'empty module'],
    ['package foo.', '1:13', 'unexpected eof token: expected ident'],
    ['package a\np { true }', '2:3', '`if` keyword is required before rule body'],
    ['package a\np := "x', '2:6', 'non-terminated string'],
    ['package a\np := "\\q"', '2:6', 'illegal string literal'],
    ['package a\np := 012', '2:6', 'expected number'],
    ['package a\np := 1 2', '2:8', 'unexpected number token'],
    ['package a\np if {}', '2:7', 'found empty body'],
    ['package a\np if { x := 1 y := 2 }', '2:15', 'expected \\n or ; or }'],
    ['package a\nimport foo.bar', '2:1', 'unexpected import path'],
    ['package a\np := [1,,2]', '2:9', 'unexpected , token'],
    ['package a\np := $"{}"', '2:6', 'found empty expression'],
    ['package a\np', '2:1', 'var cannot be used for rule name'],
    ['package a\np := ^', '2:6', 'illegal token'],
  ] as const) {
    test(JSON.stringify(text), () => {
      const error = failure(() => parseModule('m.rego', text));
      assert.equal(error.code, 'rego_parse_error');
      assert.ok(error.message.includes(message), error.message);
      assert.ok(error.describe().startsWith(`m.rego:${place}: rego_parse_error: `), error.describe());
    });
  }
});

test('an error shows the offending line with a mark below its column', () => {
  const error = failure(() => parseModule('m.rego', 'package a\n\tp := )'));
  assert.deepEqual(error.describe().split('\n').slice(1), ['\t\tp := )', '\t\t     ^']);
});

describe('versions', () => {
  test('v0 knows bodies without if, several after one head, and partial sets in brackets', () => {
    const module = parseModule('m.rego', 'package a\np[x] { x = 1 } { x = 2 }', { version: 'v0' });
    assert.equal(module.rules.length, 2);
    assert.equal(module.rules[0]?.head.key?.type, 'var');
  });

  test('v0 learns the keywords of v1 by importing them', () => {
    const text = 'package a\nimport rego.v1\np contains x if some x in [1]';
    assert.equal(parseModule('m.rego', text, { version: 'v0' }).version, 'v1');
    assert.throws(
      () => parseModule('m.rego', text.replace('import rego.v1', ''), { version: 'v0' }),
      RegoError,
    );
  });

  test('keywords are names after and before a dot', () => {
    const module = parseModule(
      'm.rego',
      'package a.if\nimport data.b.default as c\nif.with := 1\np := input.not.else',
    );
    assert.deepEqual(module.package.path, ['a', 'if']);
    assert.equal(module.rules.length, 2);
  });
});

describe('ambiguities are read as OPA reads them', () => {
  test('a bar after a single term begins a comprehension', () => {
    assert.equal(
      parseModule('m', 'package a\np := {x | x = 1}').rules[0]?.head.value?.type,
      'set comprehension',
    );
    assert.equal(parseModule('m', 'package a\np := {x | {1}, {2}}').rules[0]?.head.value?.type, 'set');
    assert.equal(parseModule('m', 'package a\np := [x | x = 1][0]').rules[0]?.head.value?.type, 'ref');
  });

  test('a brace after if begins a body, or a term when it is no body', () => {
    assert.equal(parseModule('m', 'package a\np if {1, 2}[x]').rules[0]?.body[0]?.statement.type, 'term');
    assert.equal(parseModule('m', 'package a\np if { true; false }').rules[0]?.body.length, 2);
  });

  test('a comma before in makes a key only outside of lists', () => {
    const [pair] = parseQuery('k, v in xs');
    assert.equal(
      pair?.statement.type === 'term' &&
        pair.statement.term.type === 'call' &&
        pair.statement.term.args.length,
      3,
    );
    const [list] = parseQuery('x = [k, v in xs]');
    assert.equal(list?.statement.type, 'term');
  });
});

describe('hostile text', () => {
  for (const [name, text] of [
    ['nested arrays', `package a\np := ${'['.repeat(100_000)}`],
    ['nested braces', `package a\np := ${'{'.repeat(100_000)}`],
    ['nested parentheses', `package a\np := ${'('.repeat(100_000)}1`],
    ['nested templates', `package a\np := ${'$"{'.repeat(10_000)}`],
    ['readings without end', `package a\np := ${'[a | '.repeat(200)}x${', y]'.repeat(200)}`],
    ['ten megabytes', `package a\np := "${'x'.repeat(10_000_000)}"`],
  ] as const) {
    test(`${name} end in a parse error`, () => {
      assert.equal(failure(() => parseModule('m.rego', text)).code, 'rego_parse_error');
    });
  }

  const fragments = fc.constantFrom(
    ...[
      'p',
      'x',
      ' ',
      '\n',
      '{',
      '}',
      '[',
      ']',
      '(',
      ')',
      ':=',
      '=',
      '==',
      '|',
      ',',
      '.',
      ';',
      ':',
      '"',
      '`',
      '$"',
      '\\',
    ],
    ...[
      'if',
      'in',
      'some',
      'every',
      'not',
      'with',
      'as',
      'else',
      'default',
      'contains',
      'import data.a',
      '1',
      '-',
      '# c',
      '_',
    ],
  );

  test('any row of pieces of the language is a module or a parse error', () => {
    fc.assert(
      fc.property(fc.array(fragments, { maxLength: 40 }), (pieces) => {
        try {
          parseModule('m.rego', `package a\n${pieces.join('')}`);
        } catch (error) {
          assert.ok(error instanceof RegoError, String(error));
          assert.ok(error.location !== undefined);
        }
      }),
      { numRuns: 3000 },
    );
  });

  test('any text at all is a module or a parse error', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 200 }), (text) => {
        try {
          parseModule('m.rego', text);
        } catch (error) {
          assert.ok(error instanceof RegoError, String(error));
        }
      }),
      { numRuns: 1000 },
    );
  });
});

describe('metadata', () => {
  test('blocks belong to what follows them', () => {
    const text = `# METADATA
# description: whole
# authors:
# - Jane Doe <jane@example.com>
package a

# METADATA
# title: a rule
# related_resources:
# - https://example.com
p := 1`;
    const module = parseModule('m.rego', text);
    assert.deepEqual(module.annotations[0]?.fields, {
      description: 'whole',
      authors: [{ name: 'Jane Doe', email: 'jane@example.com' }],
      scope: 'package',
    });
    assert.deepEqual(module.rules[0]?.annotations[0]?.target, ['a', 'p']);
    assert.deepEqual(module.rules[0]?.annotations[0]?.fields.related_resources, [
      { ref: 'https://example.com' },
    ]);
  });

  test('a block that is no YAML, or describes nothing, is an error', () => {
    assert.throws(() => parseModule('m', 'package a\n# METADATA\n# a: [\np := 1'), RegoError);
    assert.throws(() => parseModule('m', 'package a\np := 1\n# METADATA\n# title: x\n'), RegoError);
  });
});

describe('else', () => {
  for (const text of [
    'x := data.b else := 1',
    'x := data.b else := 1 if { true }',
    'x := 1 if { true } else := 2 else := 3',
  ]) {
    test(`needs a body in front of it: ${text}`, () => {
      assert.throws(() => parseModule('a.rego', `package a\n${text}\n`), /unexpected else keyword/);
    });
  }
});
