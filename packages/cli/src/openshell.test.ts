import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Io } from './io.ts';
import { openshell } from './openshell.ts';
import { plain } from './output/style.ts';
import { BrokenPipe } from './output/write.ts';

const io = (changes: Partial<Io> = {}): Io & { readonly messages: string[] } => {
  const messages: string[] = [];
  const err = (text: string) => void messages.push(text);
  return { out: () => {}, err, outStyle: plain, errStyle: plain, env: {}, messages, ...changes };
};

const closed = (): never => {
  throw new BrokenPipe();
};

test('a reader that has gone ends the program as SIGPIPE would', async () => {
  assert.equal(await openshell(['version'], io({ out: closed })), 141);
});

test('an error that nobody reads keeps its exit code', async () => {
  assert.equal(await openshell(['run', '--nonsense'], io({ err: closed })), 125);
});

test('an error that nobody foresaw is shown whole, and asks to be reported', async () => {
  const broken = io({
    out: () => {
      throw new TypeError('x is not a function');
    },
  });
  assert.equal(await openshell(['version'], broken), 2);
  assert.match(
    broken.messages.join(''),
    /a mistake in OpenShell itself; please report.*\nTypeError: x is not a function\n +at /,
  );
});
