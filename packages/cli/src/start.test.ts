import assert from 'node:assert/strict';
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import { checkout, runProgram } from './test/program.ts';
import { scratch } from './test/scratch.ts';

const architecture = process.arch === 'arm64' ? 'arm64' : 'x64';

/** A checkout with the start scripts and one program, which prints its arguments. */
const smallCheckout = (t: TestContext): string => {
  const root = scratch(t);
  cpSync(join(checkout, 'bin'), join(root, 'bin'), { recursive: true });
  mkdirSync(join(root, 'packages/cli/src'), { recursive: true });
  const main =
    'const words: readonly string[] = process.argv.slice(1);\nconsole.log(JSON.stringify(words));\n';
  writeFileSync(join(root, 'packages/cli/src/main.ts'), main);
  mkdirSync(join(root, 'node_modules'), { mode: 0o755 });
  mkdirSync(join(root, 'user'), { mode: 0o755 });
  return root;
};

const withNode = (t: TestContext): string => {
  const root = smallCheckout(t);
  const modules = join(root, 'node_modules');
  mkdirSync(join(modules, `node-linux-${architecture}/bin`), { recursive: true });
  symlinkSync(process.execPath, join(modules, `node-linux-${architecture}/bin/node`));
  return root;
};

/** Where a user who does not own the checkout has compiled code kept. */
const userCache = (root: string): string => join(root, 'user/cache');

const start = (root: string, ...words: readonly string[]) =>
  runProgram(words, { file: join(root, 'bin/openshell'), env: { XDG_CACHE_HOME: userCache(root) } });

describe('the start of a program', { concurrency: 4 }, () => {
  test('keeps SIGUSR1 from opening a debugger', async (t) => {
    const root = withNode(t);
    // A listener takes the signal away from Node.js, which the program's own would too: it is counted before there is one.
    const main = `console.log(process.listenerCount('SIGUSR1'));
process.once('SIGUSR1', () => process.exit());
process.kill(process.pid, 'SIGUSR1');
setInterval(() => {}, 1000);
`;
    writeFileSync(join(root, 'packages/cli/src/main.ts'), main);
    const { code, out, err } = await start(root);
    assert.deepEqual({ code, out, err }, { code: 0, out: '1\n', err: '' });
  });

  test('hands over every word as it is', async (t) => {
    const root = withNode(t);
    const words = ['a b', '', '--', '*', '-x', '$HOME', 'ü\n'];
    const { code, out, err } = await start(root, ...words);
    assert.deepEqual({ code, err }, { code: 0, err: '' });
    assert.deepEqual(JSON.parse(out), [join(root, 'packages/cli/src/main.ts'), ...words]);
  });

  test('keeps compiled code for the next start, where nobody else can write', async (t) => {
    const root = withNode(t);
    await start(root);
    const cache = join(root, 'node_modules/.cache/openshell');
    assert.ok(existsSync(cache));
    assert.equal(statSync(cache).mode & 0o777, 0o700);
    assert.equal((await start(root)).code, 0);
  });

  for (const path of ['node_modules', 'node_modules/.cache', 'node_modules/.cache/openshell']) {
    test(`keeps compiled code elsewhere where others can write ${path}`, async (t) => {
      const root = withNode(t);
      const cache = join(root, 'node_modules/.cache/openshell');
      mkdirSync(cache, { recursive: true, mode: 0o755 });
      chmodSync(join(root, path), 0o777);
      assert.equal((await start(root)).code, 0);
      assert.deepEqual(readdirSync(cache), []);
      assert.ok(existsSync(join(userCache(root), 'openshell')));
    });
  }

  test('neither reads nor writes compiled code through a symbolic link', async (t) => {
    const root = withNode(t);
    mkdirSync(join(root, 'elsewhere'), { mode: 0o755 });
    mkdirSync(join(root, 'node_modules/.cache'), { mode: 0o755 });
    symlinkSync(join(root, 'elsewhere'), join(root, 'node_modules/.cache/openshell'));
    chmodSync(join(root, 'elsewhere'), 0o777);
    assert.equal((await start(root)).code, 0);
    assert.deepEqual(readdirSync(join(root, 'elsewhere')), []);
  });

  test('keeps no compiled code where others can write everywhere', async (t) => {
    const root = withNode(t);
    for (const path of ['node_modules', 'user']) chmodSync(join(root, path), 0o777);
    assert.equal((await start(root)).code, 0);
    assert.equal(existsSync(join(root, 'node_modules/.cache')), false);
    assert.equal(existsSync(userCache(root)), false);
  });

  test('without a Node.js says what to run, with exit code 125', async (t) => {
    const root = smallCheckout(t);
    const { code, out, err } = await start(root, '--version');
    assert.deepEqual({ code, out }, { code: 125, out: '' });
    assert.match(
      err,
      new RegExp(`there is no Node.js in ${root}/node_modules .*\n {2}Run 'npm ci' in ${root}\\.\n$`),
    );
  });
});
