import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { describe, test } from 'node:test';
import type { SecurityEvent } from '../event.ts';
import { configEvent } from '../events/config.ts';
import { FanOutSink } from './fan-out.ts';
import { openFileSink } from './file.ts';
import { MemorySink } from './memory.ts';
import { streamSink } from './stream.ts';

const event = (message: string): SecurityEvent => configEvent({ state: 'loaded', message });
const failOnError = (error: Error): never => assert.fail(error);

async function inTemporaryFolder(use: (folder: string) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'openshell-audit-'));
  try {
    await use(folder);
  } finally {
    await rm(folder, { recursive: true });
  }
}

const messages = (text: string): string[] =>
  text
    .split('\n')
    .slice(0, -1)
    .map((line) => JSON.parse(line).message);

describe('the file sink', () => {
  test('appends one line an event, in order, readable by its owner only', () =>
    inTemporaryFolder(async (folder) => {
      const path = join(folder, 'events');
      for (const batch of [['a', 'b'], ['c\n']]) {
        const sink = await openFileSink({ path, onError: failOnError });
        for (const text of batch) sink.write(event(text));
        await sink.close();
        await sink.close();
        sink.write(event('after close'));
      }
      assert.deepEqual(messages(await readFile(path, 'utf8')), ['a', 'b', 'c\n']);
      assert.equal((await stat(path)).mode & 0o777, 0o600);
    }));

  test('says what is wrong with a path that cannot be written', async () => {
    await assert.rejects(openFileSink({ path: '/nonexistent/events', onError: failOnError }), {
      code: 'events_file_unwritable',
      message: /\/nonexistent\/events/,
    });
  });

  test('a full disk is reported once and nothing is thrown', async () => {
    const errors: Error[] = [];
    const sink = await openFileSink({ path: '/dev/full', onError: (error) => errors.push(error) });
    sink.write(event('a'));
    sink.write(event('b'));
    await sink.close();
    assert.deepEqual(
      errors.map((error) => 'code' in error && error.code),
      ['events_lost'],
    );
  });
});

describe('the stream sink', () => {
  test('bounds what waits for a slow reader and says how much was dropped', async () => {
    const lines: string[] = [];
    let release = (): void => {};
    const stream = new Writable({
      write(chunk, _encoding, done) {
        lines.push(String(chunk));
        if (lines.length === 1) release = done;
        else done();
      },
    });
    const sink = streamSink({ stream, onError: failOnError, maxQueued: 2 });
    sink.write(event('first'));
    await new Promise(setImmediate);
    const taken = ['second', 'third', 'lost', 'lost'].map((text) => sink.write(event(text)));
    assert.deepEqual(taken, [true, true, false, false]);
    release();
    await sink.close();
    const events = lines
      .join('')
      .split('\n')
      .slice(0, -1)
      .map((line) => JSON.parse(line));
    assert.deepEqual(
      events.slice(0, 3).map(({ message }) => message),
      ['first', 'second', 'third'],
    );
    assert.equal(events[3].finding_info.uid, 'events-dropped');
    assert.equal(events[3].count, 2);
  });

  test('writes whole lines together, never more than a pipe takes at once', async () => {
    const writes: string[] = [];
    const stream = new Writable({
      write(chunk, _encoding, done) {
        writes.push(String(chunk));
        done();
      },
    });
    const sink = streamSink({ stream, onError: failOnError });
    const texts = Array.from({ length: 50 }, (_, index) => `event ${index}`);
    for (const text of texts) assert.equal(sink.write(event(text)), true);
    await sink.close();
    assert.ok(writes.length > 1 && writes.length < 20);
    for (const written of writes) assert.ok(written.endsWith('\n') && Buffer.byteLength(written) <= 4096);
    assert.deepEqual(messages(writes.join('')), texts);
  });

  test('a reader that went away is reported once', async () => {
    const errors: Error[] = [];
    const stream = new Writable({ write: (_chunk, _encoding, done) => done(new Error('EPIPE')) });
    const sink = streamSink({ stream, onError: (error) => errors.push(error) });
    sink.write(event('a'));
    await new Promise(setImmediate);
    sink.write(event('b'));
    await sink.close();
    assert.equal(errors.length, 1);
  });
});

test('the memory sink keeps the latest events, oldest first', () => {
  const sink = new MemorySink(2);
  for (const text of ['a', 'b', 'c']) sink.write(event(text));
  assert.deepEqual(
    sink.events.map(({ message }) => message),
    ['b', 'c'],
  );
});

test('the fan-out has taken an event when one sink has', async () => {
  const memory = new MemorySink();
  const full = { write: () => false, close: async () => {} };
  assert.equal(new FanOutSink([full, memory]).write(event('a')), true);
  assert.equal(new FanOutSink([full]).write(event('a')), false);
  assert.equal(new FanOutSink([]).write(event('a')), true, 'nobody wants it');
});

test('the fan-out gives every event to each sink', async () => {
  const sinks = [new MemorySink(), new MemorySink()];
  const all = new FanOutSink(sinks);
  all.write(event('a'));
  await all.close();
  assert.deepEqual(
    sinks.map((sink) => sink.events.length),
    [1, 1],
  );
});
