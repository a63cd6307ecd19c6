import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LIMITS } from '../limits.ts';
import { Place } from './place.ts';
import type { WorkerHandle } from './worker-handle.ts';

/** A worker that does nothing but end. */
function workerThatEnds(): { readonly worker: WorkerHandle; end(): void } {
  const { promise, resolve } = Promise.withResolvers<void>();
  return { worker: { ended: promise, kill: resolve } as unknown as WorkerHandle, end: resolve };
}

test('a worker that ends is replaced, and one that ends again and again is given up, which is said', async () => {
  const ends: (() => void)[] = [];
  const said: string[] = [];
  const replaced: (() => void)[] = [];
  const givenUp = Promise.withResolvers<string>();
  const place = new Place({
    index: 0,
    begin: async () => {
      const { worker, end } = workerThatEnds();
      ends.push(end);
      return worker;
    },
    onLost: () => said.push('lost'),
    onReplaced: () => replaced.shift()?.(),
    onFailed: (why, again) => again === undefined && givenUp.resolve(why),
  });
  await place.open();
  for (let count = 1; count <= LIMITS.workerRestarts.value; count += 1) {
    const next = new Promise<void>((resolve) => replaced.push(resolve));
    ends.at(-1)!();
    await next;
    assert.equal(place.restarts, count);
    assert.equal(place.isGivenUp, false);
  }
  ends.at(-1)!();
  assert.match(await givenUp.promise, /10 times in a minute/);
  assert.equal(place.isGivenUp, true);
  assert.equal(place.worker, undefined);
  assert.equal(ends.length, LIMITS.workerRestarts.value + 1);
  assert.equal(said.length, LIMITS.workerRestarts.value + 1);
});

test('a worker that ends when all are to end is not replaced', async () => {
  const { worker, end } = workerThatEnds();
  let begun = 0;
  const place = new Place({
    index: 0,
    begin: async () => {
      begun += 1;
      return worker;
    },
    onLost: () => assert.fail('it was told to end'),
    onReplaced: () => assert.fail('nobody was to be replaced'),
    onFailed: () => assert.fail('nothing has failed'),
  });
  await place.open();
  place.stop();
  end();
  await worker.ended;
  assert.equal(begun, 1);
});
