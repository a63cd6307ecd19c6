import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { BodyReceiver, BodySink, BodySource } from '../exchange/body.ts';
import { EventRelay } from './event-relay.ts';
import { MemberCapture } from './member-capture.ts';
import { type ResponseReading, ResponseRelay } from './response-relay.ts';
import { UsageReader } from './usage.ts';

class Sink implements BodySink {
  text = '';
  ending = '';
  full = false;
  onDrain = (): void => {};
  write(bytes: Buffer): boolean {
    this.text += bytes;
    return !this.full;
  }
  end(): void {
    this.ending += 'end';
  }
  abort(reason: string): void {
    this.ending += reason;
  }
}

const events = (): ResponseReading => ({
  kind: 'events',
  relay: new EventRelay(new UsageReader(), 100),
  dialect: 'openai',
  chunkTime: 1_000_000,
});

function relayed(reading: ResponseReading, maxBytes = 1000) {
  const sink = new Sink();
  const said: string[] = [];
  let receiver!: BodyReceiver;
  const source: BodySource = {
    length: undefined,
    start: (given) => {
      receiver = given;
    },
    resume: () => said.push('resume'),
    cancel: () => said.push('cancel'),
  };
  const relay = new ResponseRelay({
    source,
    sink,
    reading,
    maxBytes,
    abort: () => said.push('abort'),
    onEnd: (failure) => said.push(failure ?? 'complete'),
  });
  relay.start();
  return { relay, sink, said, receiver };
}

test('a full client makes the backend wait, and going on makes it go on', () => {
  const { sink, said, receiver } = relayed(events());
  sink.full = true;
  assert.equal(receiver.data(Buffer.from('data: 1\n\n')), false);
  assert.deepEqual(said, []);
  sink.onDrain();
  assert.deepEqual(said, ['resume']);
  sink.full = false;
  assert.equal(receiver.data(Buffer.from('data: 2\n\n')), true);
  receiver.end([]);
  assert.deepEqual([said.at(-1), sink.ending, sink.text], ['complete', 'end', 'data: 1\n\ndata: 2\n\n']);
});

test('after its end a relay takes nothing and says nothing', () => {
  const { relay, sink, said, receiver } = relayed(events());
  receiver.fail('reset');
  const { text } = sink;
  assert.equal(receiver.data(Buffer.from('data: 1\n\n')), false);
  receiver.end([]);
  receiver.fail('again');
  relay.stop('gone');
  sink.onDrain();
  assert.deepEqual([said, sink.text, sink.ending], [['abort', 'reset'], text, 'end']);
});

test('an event that has gone in part is closed before the error is told', () => {
  const { sink, receiver } = relayed(events());
  receiver.data(Buffer.from(`data: ${'x'.repeat(200)}`));
  receiver.fail('reset');
  assert.match(sink.text, /^data: x{200}\n\ndata: \{"error"/);
});

test('a response that is no stream is aborted, not ended', () => {
  const { sink, said, receiver } = relayed(
    { kind: 'text', usage: new MemberCapture('usage'), timeLeft: 1_000_000 },
    10,
  );
  assert.equal(receiver.data(Buffer.from('{"a":')), true);
  assert.equal(receiver.data(Buffer.from('"0123456789"}')), false);
  assert.deepEqual([sink.text, sink.ending], ['{"a":', 'it is longer than 10 bytes']);
  assert.deepEqual(said, ['abort', 'it is longer than 10 bytes']);
});

test('a client that has gone gets nothing more', () => {
  const { relay, sink, said } = relayed(events());
  relay.stop('the client has gone');
  assert.deepEqual([sink.text, sink.ending, said], ['', '', ['abort', 'the client has gone']]);
});
