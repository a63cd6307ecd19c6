import assert from 'node:assert/strict';
import { test } from 'node:test';
import { colours, plain } from '../output/style.ts';
import { type Finding, renderFinding } from './finding-report.ts';

const finding: Finding = {
  label: 'error',
  message: 'no such field',
  fix: 'Write host.',
  path: 'a.b',
  line: 2,
  column: 3,
};
const source = { file: 'p.yaml', lines: ['a:', '  hots: x'] };

test('a finding shows its place, its line with a mark, and the fix', () => {
  const lines = [
    'p.yaml:2:3: error: no such field [a.b]',
    '    2 |   hots: x',
    '      |   ^',
    '  fix: Write host.',
    '',
  ];
  assert.equal(renderFinding(finding, source, plain), lines.join('\n'));
});

test('a finding without a place is its message and its fix', () => {
  const { line, column, ...rest } = finding;
  assert.equal(
    renderFinding({ ...rest, path: '' }, source, plain),
    'p.yaml: error: no such field\n  fix: Write host.\n',
  );
});

test('a finding behind the last line has no line to show', () => {
  assert.equal(renderFinding({ ...finding, line: 9 }, source, plain).split('\n').length, 3);
});

test('the mark stands below the column whatever stands before it', () => {
  const lines = ['', '\t\x1b[31m hots'];
  const text = renderFinding({ ...finding, column: 8 }, { file: 'p', lines }, plain).split('\n');
  assert.equal(text[2]!.indexOf('^'), text[1]!.indexOf('hots'));
  assert.ok(!text[1]!.includes('\x1b'));
});

test('a very long line is shown around the column', () => {
  const lines = ['', `${'x'.repeat(5000)}!${'y'.repeat(5000)}`];
  const [, line = '', mark = ''] = renderFinding(
    { ...finding, column: 5001 },
    { file: 'p', lines },
    plain,
  ).split('\n');
  assert.ok(line.length < 140);
  assert.equal(mark.indexOf('^'), line.indexOf('!'));
});

test('nothing of a policy can command the terminal', () => {
  const hostile = { ...finding, message: '\x1b[2J', fix: '\x07', path: '\u202e' };
  const text = renderFinding(hostile, { file: '\x1b]0;x\x07', lines: ['', '\x1b[2J'] }, plain);
  assert.doesNotMatch(text, /[\x00-\x09\x0b-\x1f\u202e]/);
});

test('colours are added and nothing else', () => {
  const coloured = renderFinding(finding, source, colours);
  assert.equal(coloured.replace(/\x1b\[\d+m/g, ''), renderFinding(finding, source, plain));
});
