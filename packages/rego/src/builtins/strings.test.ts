import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Json } from '../value/index.ts';
import { BudgetSpent, call, callText, callWith, testContext } from './calling.ts';

describe('strings', () => {
  const cases: readonly (readonly [string, readonly Json[], Json])[] = [
    ['concat', ['/', ['', 'foo', 'bar']], '/foo/bar'],
    ['format_int', [15.5, 16], 'f'],
    ['format_int', [-255, 2], '-11111111'],
    ['lower', ['AbÇİ'], 'abçi'],
    ['upper', ['straße'], 'STRAßE'],
    ['split', ['a.b.c', '.'], ['a', 'b', 'c']],
    ['split', ['x😀', ''], ['x', '😀']],
    ['strings.reverse', ['1😀'], '😀1'],
    ['count', ['😀a'], 2],
    ['indexof', ['μx', 'x'], 1],
    ['indexof', ['a', 'xyz'], -1],
    ['indexof_n', ['aaa', 'aa'], [0, 1]],
    ['indexof_n', ['😀a😀a', 'a'], [1, 3]],
    ['strings.count', ['dummy', ''], 6],
    ['strings.count', ['aaa', 'aa'], 1],
    ['substring', ['a😀cd', 1, 2], '😀c'],
    ['substring', ['abc', 1, -1], 'bc'],
    ['substring', ['abc', 4, -1], ''],
    ['replace', ['foo...bar', '..', ',,'], 'foo,,.bar'],
    ['replace', ['ab', '', '-'], '-a-b-'],
    ['strings.replace_n', [{ f: 'x', foo: 'xxx' }, 'foobar'], 'xoobar'],
    ['trim', ['¡¡foo¡', '¡'], 'foo'],
    ['trim_left', ['😀😀a', '😀'], 'a'],
    ['trim_right', ['a😀😀', '😀'], 'a'],
    ['trim_prefix', ['aab', 'a'], 'ab'],
    ['trim_suffix', ['baa', 'a'], 'ba'],
    ['trim_space', ['\u00a0\t a \u3000\n'], 'a'],
    ['trim_space', ['  '], ''],
    ['strings.any_prefix_match', [['x', 'abc'], ['ab']], true],
    ['strings.any_suffix_match', ['abc', ['x']], false],
    ['contains', ['abc', 'bc'], true],
  ];
  for (const [name, args, expected] of cases) {
    test(`${name}${JSON.stringify(args)}`, () => {
      assert.deepEqual(call(name, ...args), expected);
    });
  }

  const failures: readonly (readonly [string, readonly Json[], string])[] = [
    ['substring', ['abc', -1, 1], 'negative offset'],
    ['indexof', ['abc', ''], 'empty search character'],
    ['format_int', [1, 3], 'operand 2 must be one of {2, 8, 10, 16}'],
    ['concat', ['', [1]], 'operand 2 must be array of strings but got array containing number'],
    ['concat', ['', 1], 'operand 2 must be one of {set, array} but got number'],
    ['strings.replace_n', [{ f: 1 }, 'x'], 'operand 1 non-string value found in pattern object'],
    ['strings.any_prefix_match', [1, 'x'], 'operand 1 must be one of {string, set, array} but got number'],
  ];
  for (const [name, args, message] of failures) {
    test(`${name}${JSON.stringify(args)} fails`, () => {
      assert.throws(() => call(name, ...args), { message });
    });
  }

  test('strings that would grow beyond the limit are refused before they are made', () => {
    const long = 'a'.repeat(50_000);
    assert.throws(() => call('replace', long, 'a', 'bbb'), { message: /longer than the limit/ });
    assert.throws(() => call('strings.replace_n', { a: 'bbb' }, long), { message: /longer than the limit/ });
    assert.throws(() => call('concat', long, ['', '', '']), { message: /longer than the limit/ });
    assert.throws(() => call('sprintf', '%999999d%999999d', [1, 2]), { message: /longer than the limit/ });
  });
});

describe('sprintf', () => {
  const cases: readonly (readonly [string, readonly Json[], string])[] = [
    ['hi %02d', [5], 'hi 05'],
    ['%.2f', [2.2449], '2.24'],
    ['%v', [100000000.5], '1.000000005e+08'],
    ['%v %v', [1.5, 1e6], '1.5 1000000'],
    ['%v', [['there', 5, 3.14]], '["there", 5, 3.14]'],
    ['%s', [{ a: 1 }], '{"a": 1}'],
    ['%d', ['x'], '%!d(string=x)'],
    ['%s', [5], '%!s(int=5)'],
    ['%d', [1.5], '%!d(float64=1.5)'],
    ['%d', [], '%!d(MISSING)'],
    ['x', [1, 'a'], 'x%!(EXTRA int=1, string=a)'],
    ['%[2]d %[1]d', [1, 2], '2 1'],
    ['%[3]d', [1], '%!d(BADINDEX)'],
    ['%*d|%-4d|', [4, 1, 2], '   1|2   |'],
    ['%+d % d', [1, 2], '+1  2'],
    ['%q', ['a"\n'], '"a\\"\\n"'],
    ['%x %X %#x', [255, 255, 255], 'ff FF 0xff'],
    ['% x', ['hi'], '68 69'],
    ['%b %o %c %U', [5, 8, 65, 9731], '101 10 A U+2603'],
    ['%e %g %G', [12345.678, 1e-7, 1e-7], '1.234568e+04 1e-07 1E-07'],
    ['%6.2f|%-8.1f|%08.3f', [1.239, 2.25, -5.14159], '  1.24|2.2     |-005.142'],
    ['%t', [true], '%!t(string=true)'],
    ['100%%', [], '100%'],
    ['%', [], '%!(NOVERB)'],
    ['%T', [1], 'int'],
  ];
  for (const [format, args, expected] of cases) {
    test(`${format} with ${JSON.stringify(args)}`, () => {
      assert.equal(call('sprintf', format, args), expected);
    });
  }

  test('numbers beyond a machine word keep all their digits', () => {
    assert.equal(
      callText('sprintf', '"%s %d"', '[123456789123456789123, 1208925819614629174706175]'),
      '123456789123456789123 1208925819614629174706175',
    );
    assert.equal(callText('sprintf', '"%v"', '[2e308]'), '2e308');
  });
});

describe('templates of Go', () => {
  const data = { name: 'x<y', n: 2, list: [1, 2], nested: { b: 'B', a: 'A' }, empty: [], yes: true };
  const cases: readonly (readonly [string, string])[] = [
    ['{{.name}} {{.missing}} {{.n}}', 'x<y <undefined> 2'],
    ['a {{- .n -}} b', 'a2b'],
    ['{{/* nothing */}}x', 'x'],
    ['{{if .yes}}1{{else}}2{{end}}{{if .empty}}3{{else if .n}}4{{end}}', '14'],
    ['{{range $i, $e := .list}}{{$i}}={{$e}} {{end}}', '0=1 1=2 '],
    ['{{range .empty}}x{{else}}none{{end}}', 'none'],
    ['{{range $k, $v := .nested}}{{$k}}{{$v}}{{end}}', 'aAbB'],
    ['{{with .nested}}{{.a}}{{$.n}}{{end}}', 'A2'],
    ['{{$x := "a"}}{{$x = "b"}}{{$x}}', 'b'],
    ['{{printf "%s-%05d" .name 3 | html}}', 'x&lt;y-00003'],
    [
      '{{len .list}} {{index .list 1}} {{eq .name "a" "x<y"}} {{and .yes .n}} {{not .yes}}',
      '2 2 true 2 false',
    ],
    ['{{define "t"}}[{{.}}]{{end}}{{template "t" .n}}', '[2]'],
    ['{{range .list}}{{.}}{{break}}{{end}}', '1'],
    ['{{.list}} {{.nested}}', '[1 2] map[a:A b:B]'],
  ];
  for (const [template, expected] of cases) {
    test(template, () => {
      assert.equal(call('strings.render_template', template, data), expected);
    });
  }

  test('what is no template, and templates without end, are errors', () => {
    for (const template of ['{{', '{{if}}', '{{if .x}}', '{{end}}', '{{nope}}', '{{.n.x}}', '{{$y}}']) {
      assert.throws(
        () => call('strings.render_template', template, data),
        { name: 'BuiltinError' },
        template,
      );
    }
    assert.throws(
      () => call('strings.render_template', '{{define "t"}}{{template "t"}}{{end}}{{template "t"}}', {}),
      {
        message: /maximum template depth/,
      },
    );
    assert.throws(() => call('strings.render_template', '{{if .x}}'.repeat(5_000), {}), {
      message: /too deep/,
    });
  });
});

describe('template strings and print', () => {
  test('undefined parts are shown as such', () => {
    const template = [['a', 1], []];
    assert.equal(call('internal.template_string', ['x', ...template]), 'x["a", 1][]');
  });

  test('print writes strings as they are and other values as Rego', () => {
    const lines: string[] = [];
    const context = testContext({ print: (text) => lines.push(text) });
    callWith(context, 'print', ['a', 1, ['b']]);
    assert.deepEqual(lines, ['a 1 ["b"]']);
  });

  test('a limit that ends the evaluation is not taken for a mistake in the template', () => {
    const context = testContext({
      spend: () => {
        throw new BudgetSpent();
      },
    });
    assert.throws(() => callWith(context, 'regex.match', ['a', 'a']), BudgetSpent);
    assert.throws(() => callWith(context, 'graphql.is_valid', ['{a}', 'type Query { a: Int }']), BudgetSpent);
    assert.throws(() => callWith(context, 'json.verify_schema', ['{}']), BudgetSpent);
  });
});
