import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { FileWatch } from './watch.ts';

/** Waits for changes one by one; those that nobody has waited for are counted. */
class Changes {
  count = 0;
  #next = Promise.withResolvers<void>();

  readonly seen = (): void => {
    this.count += 1;
    this.#next.resolve();
  };

  async next(): Promise<void> {
    await this.#next.promise;
    this.#next = Promise.withResolvers();
  }
}

async function inFolder(use: (at: (name: string) => string) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'openshell-watch-'));
  try {
    await use((name) => join(folder, name));
  } finally {
    await rm(folder, { recursive: true });
  }
}

// Timers of the watch keep nothing alive; the process has to be kept for them.
const alive = async (work: Promise<void>): Promise<void> => {
  const timer = setInterval(() => {}, 1000);
  await work.finally(() => clearInterval(timer));
};

describe('watched files', () => {
  test('that are written, replaced, removed and made again are changes; others in the directory are not', () =>
    alive(
      inFolder(async (at) => {
        await writeFile(at('a'), '1');
        const changes = new Changes();
        using _watch = new FileWatch({
          files: () => [at('a')],
          onChange: changes.seen,
          settleMs: 10,
          pollMs: 3_600_000,
        });
        await writeFile(at('other'), '1');
        await writeFile(at('a'), '22');
        await changes.next();
        await writeFile(at('new'), '333');
        await rename(at('new'), at('a'));
        await changes.next();
        await rm(at('a'));
        await changes.next();
        await writeFile(at('a'), '1');
        await changes.next();
        assert.equal(changes.count, 4);
      }),
    ));

  test('of a Kubernetes volume change when ..data is swapped, as one change', () =>
    alive(
      inFolder(async (at) => {
        for (const version of ['..1', '..2']) {
          await mkdir(at(version));
          for (const name of ['a', 'b']) await writeFile(at(join(version, name)), version);
        }
        await symlink('..1', at('..data'));
        for (const name of ['a', 'b']) await symlink(`..data/${name}`, at(name));
        const changes = new Changes();
        using _watch = new FileWatch({
          files: () => [at('a'), at('b')],
          onChange: changes.seen,
          settleMs: 10,
          pollMs: 3_600_000,
        });
        await symlink('..2', at('..data_tmp'));
        await rename(at('..data_tmp'), at('..data'));
        await changes.next();
        assert.equal(changes.count, 1);
      }),
    ));

  test('in a directory that comes later are found by looking', () =>
    alive(
      inFolder(async (at) => {
        const changes = new Changes();
        using _watch = new FileWatch({
          files: () => [at('later/a')],
          onChange: changes.seen,
          settleMs: 10,
          pollMs: 20,
        });
        await mkdir(at('later'));
        await writeFile(at('later/a'), '1');
        await changes.next();
      }),
    ));

  test('that somebody is about to read anyway are no change', () =>
    alive(
      inFolder(async (at) => {
        await writeFile(at('a'), '1');
        const changes = new Changes();
        using watch = new FileWatch({
          files: () => [at('a')],
          onChange: changes.seen,
          settleMs: 10,
          pollMs: 3_600_000,
        });
        await writeFile(at('a'), '22');
        watch.settle();
        await writeFile(at('b'), '1');
        await rm(at('a'));
        await changes.next();
        assert.equal(changes.count, 1);
      }),
    ));
});
