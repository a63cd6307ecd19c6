import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { renderHelp, renderOverview } from './help.ts';
import { commandSpecs } from './table.ts';
import { wrap } from './wrap.ts';

const asIs = (text: string): string => text;
const commands = await commandSpecs();

for (const command of commands) {
  describe(`the help of openshell ${command.name}`, () => {
    const help = renderHelp(command, asIs);

    test('names every option and exit code', () => {
      for (const { name } of command.options) assert.ok(help.includes(`--${name}`), name);
      for (const { code } of command.exitCodes) assert.ok(help.includes(`\n  ${code} `), code);
    });

    test('has lines of at most 100 columns, examples aside', () => {
      const examples = new Set(command.examples.map(({ line }) => `  ${line}`));
      for (const line of help.split('\n')) assert.ok(line.length <= 100 || examples.has(line), line);
    });

    test('says what an error of the line costs', () => {
      assert.ok(command.exitCodes.some(({ code }) => code === String(command.failure)));
    });
  });
}

test('the overview lists every command with its summary', () => {
  const overview = renderOverview(commands, asIs);
  for (const { name, summary } of commands) assert.match(overview, new RegExp(`  ${name} +${summary}`));
});

test('examples have only options that exist', () => {
  for (const { name, options, examples } of commands) {
    const known = new Set(options.map((option) => `--${option.name}`));
    for (const { line } of examples) {
      const ours = line.includes(`openshell ${name}`) ? line.split(' -- ')[0]! : '';
      for (const [option] of ours.matchAll(/--[a-z-]+/g)) assert.ok(known.has(option), `${line}: ${option}`);
    }
  }
});

test('a word that is longer than a line stands alone', () => {
  const text = wrap(['a', 'much-too-long', 'b', 'c'], { width: 6, indent: 1 });
  assert.equal(text, ' a\n much-too-long\n b c');
});
