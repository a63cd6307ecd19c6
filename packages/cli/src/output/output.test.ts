import assert from 'node:assert/strict';
import { closeSync, mkdirSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { scratch } from '../test/scratch.ts';
import { printable } from './printable.ts';
import { chooseStyle, colours, plain } from './style.ts';
import { writeAll } from './write.ts';

test('colours are for terminals, unless NO_COLOR says otherwise', () => {
  assert.equal(chooseStyle(true, { TERM: 'xterm' }), colours);
  assert.equal(chooseStyle(true, { NO_COLOR: '' }), colours);
  assert.equal(chooseStyle(true, { NO_COLOR: '1' }), plain);
  assert.equal(chooseStyle(true, { TERM: 'dumb' }), plain);
  assert.equal(chooseStyle(false, {}), plain);
});

test('a colour changes the look of a text, not the text', () => {
  assert.equal(colours.red('x'), '\x1b[31mx\x1b[39m');
  assert.equal(plain.red('x'), 'x');
});

const texts: readonly [text: string, shown: string][] = [
  ['plain', 'plain'],
  ['a\tb', 'a b'],
  ['\x1b[2J', '\\u001b[2J'],
  ['a\r\n', 'a\\u000d\\u000a'],
  ['\u202etxt', '\\u202etxt'],
  ['\x9b31m', '\\u009b31m'],
  ['grün 日本', 'grün 日本'],
];
for (const [text, shown] of texts) {
  test(`a terminal is shown ${JSON.stringify(shown)}`, () => assert.equal(printable(text), shown));
}

test('everything is written, however long', (t) => {
  const file = join(scratch(t), 'out');
  const descriptor = openSync(file, 'w');
  const text = 'grün\n'.repeat(100_000);
  writeAll(descriptor, text);
  closeSync(descriptor);
  assert.equal(readFileSync(file, 'utf8'), text);
});

test('an error of writing that is no broken pipe is not hidden', (t) => {
  const directory = join(scratch(t), 'directory');
  mkdirSync(directory);
  const descriptor = openSync(directory, 'r');
  t.after(() => closeSync(descriptor));
  assert.throws(() => writeAll(descriptor, 'x'), { code: 'EBADF' });
});
