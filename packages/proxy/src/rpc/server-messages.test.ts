import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { RpcMessage } from '@openshell/policy';
import fc from 'fast-check';
import type { BodyReceiver, BodySource } from '../exchange/body.ts';
import { type Limits, limitsWith } from '../limits.ts';
import { ByteBudget } from '../tenant/byte-budget.ts';
import type { RpcId } from './messages.ts';
import { filterServerMessages } from './server-messages.ts';

/** A source that delivers pieces while it may, and remembers what was asked of it. */
class Pieces implements BodySource {
  readonly length = undefined;
  readonly #pieces: Buffer[];
  #receiver: BodyReceiver | undefined;
  #paused = false;
  cancelled = false;

  constructor(pieces: readonly Buffer[]) {
    this.#pieces = [...pieces];
  }

  start(receiver: BodyReceiver): void {
    this.#receiver = receiver;
    this.#run();
  }

  resume(): void {
    assert.ok(this.#paused, 'only a paused source is resumed');
    this.#paused = false;
    this.#run();
  }

  cancel(): void {
    this.cancelled = true;
  }

  #run(): void {
    while (!this.#paused && !this.cancelled) {
      const piece = this.#pieces.shift();
      if (!piece) {
        this.#receiver?.end([]);
        return;
      }
      const more = this.#receiver?.data(piece);
      // The receiver has no right to it any more.
      piece.fill(0x21);
      if (!more) this.#paused = true;
    }
  }
}

interface Outcome {
  readonly text: string;
  /** Undefined: it ended as it should. */
  readonly failure: string | undefined;
  readonly refused: readonly (readonly [method: string, id: RpcId | undefined])[];
  readonly cancelled: boolean;
}

interface Case {
  readonly pieces: readonly (string | Buffer)[];
  readonly status?: number;
  readonly fields?: Readonly<Record<string, string>>;
  readonly decide?: (message: RpcMessage) => boolean | Promise<boolean>;
  /** Says to be full after every write, and resumes later. */
  readonly slow?: boolean;
  readonly limits?: Partial<Limits>;
  readonly budget?: ByteBudget;
}

const EVENTS = { 'Content-Type': 'text/event-stream' };
const JSON_BODY = { 'Content-Type': 'application/json' };
const withoutSampling = (message: RpcMessage): boolean => message.method !== 'sampling/createMessage';

function filter(given: Case): Promise<Outcome> {
  const {
    pieces,
    status = 200,
    fields = EVENTS,
    decide = withoutSampling,
    slow = false,
    limits = {},
    budget = new ByteBudget(1 << 30),
  } = given;
  const source = new Pieces(pieces.map((piece) => Buffer.from(piece)));
  const refused: [string, RpcId | undefined][] = [];
  const filtered = filterServerMessages(source, {
    budget,
    head: {
      status,
      fields: Object.entries(fields).map(([name, value]) => ({ name, lowerName: name.toLowerCase(), value })),
    },
    dialect: { protocol: 'mcp', strictToolNames: true },
    limits: limitsWith(limits),
    decide,
    onRefused: (message, id) => refused.push([message.method, id]),
  });
  return new Promise((resolve) => {
    let text = '';
    let full = false;
    const settle = (failure: string | undefined): void =>
      resolve({ text, failure, refused, cancelled: source.cancelled });
    filtered.start({
      data: (bytes) => {
        assert.ok(!full, 'nothing comes to a full receiver');
        text += bytes.toString();
        if (!slow) return true;
        full = true;
        setImmediate(() => {
          full = false;
          filtered.resume();
        });
        return false;
      },
      end: () => {
        assert.ok(!full);
        settle(undefined);
      },
      fail: settle,
    });
  });
}

const request = (method: string, id: RpcId = 1): string =>
  JSON.stringify({ jsonrpc: '2.0', id, method, params: {} });
const notification = (method: string): string => JSON.stringify({ jsonrpc: '2.0', method });
const RESULT = '{"jsonrpc":"2.0","id":1,"result":{"n":1.0}}';
const SAMPLING = request('sampling/createMessage', 's');

test('a message that is not allowed is taken out of the stream; the others go through', async () => {
  const stream = `data: ${request('roots/list')}\n\nid: 7\ndata: ${SAMPLING}\n\n: ping\n\nevent: message\nid: 8\ndata: ${RESULT}\n\n`;
  const outcome = await filter({ pieces: [stream] });
  assert.equal(outcome.text, `data: ${request('roots/list')}\n\n:\nid: 8\ndata: ${RESULT}\n\n`);
  assert.deepEqual(outcome.refused, [['sampling/createMessage', 's']]);
  assert.equal(outcome.failure, undefined);
});

test('a refused message leaves a batch, and a batch of refused messages leaves the stream', async () => {
  const outcome = await filter({
    pieces: [
      `data: [${RESULT},${SAMPLING},${notification('n')}]\n\ndata: [${SAMPLING}]\n\ndata: [${RESULT}]\n\n`,
    ],
  });
  assert.equal(
    outcome.text,
    `data: [{"jsonrpc":"2.0","id":1,"result":{"n":1}},${notification('n')}]\n\ndata: [${RESULT}]\n\n`,
  );
  assert.equal(outcome.refused.length, 2);
});

test('what carries no message goes through: ids to resume from, times to wait, the endpoint of the older transport', async () => {
  const stream = 'id: 1\ndata:\n\nretry: 100\n\nevent: endpoint\ndata: /messages?session=1\n\n';
  const outcome = await filter({ pieces: [stream], decide: () => assert.fail('nothing to decide') });
  assert.equal(outcome.text, 'id: 1\ndata: \n\nretry: 100\n\nevent: endpoint\ndata: /messages?session=1\n\n');
});

test('an event that cannot be understood ends the stream before a byte of it goes on', async () => {
  const good = `data: ${RESULT}\n\n`;
  const cases: [event: string | Buffer, failure: RegExp][] = [
    ['data: hello\n\n', /not acceptable JSON/],
    ['data: {"jsonrpc":"2.0","method":"a","method":"b"}\n\n', /twice/],
    ['data: {"jsonrpc":"2.0","method":"a","Method":"b"}\n\n', /differs from "method"/],
    ['data: {"a":1}\n\n', /"jsonrpc"/],
    ['data: []\n\n', /empty batch/],
    ['event: other\ndata: x\n\n', /not acceptable JSON/],
    ['event: endpoint\ndata: {"jsonrpc":"2.0"}\n\n', /neither a call nor a response/],
    ['event: endpoint\ndata: a b\n\n', /not acceptable JSON/],
    [Buffer.from('data: \xff\n\n', 'latin1'), /UTF-8/],
    [`data: ${'x'.repeat(2000)}`, /more than 1000 bytes/],
  ];
  for (const [event, failure] of cases) {
    const outcome = await filter({ pieces: [good, event, good], limits: { rpcServerMessageBytes: 1000 } });
    assert.equal(outcome.text, good, String(event));
    assert.match(outcome.failure ?? '', failure, String(event));
    assert.ok(outcome.cancelled);
  }
});

test('an event that the stream ends within is dropped', async () => {
  const outcome = await filter({ pieces: [`data: ${RESULT}\n`] });
  assert.deepEqual([outcome.text, outcome.failure], ['', undefined]);
});

test('what is gathered is held within the budget of the sandbox, and given back however it ends', async () => {
  const pieces = ['data: {"jsonrpc":"2.0",', '"id":1,"result":{}}\n\n', 'data: {"jso'];
  for (const [capacity, failure] of [
    [10, /as many bytes/],
    [100, undefined],
  ] as const) {
    const budget = new ByteBudget(capacity);
    const outcome = await filter({ pieces, budget });
    if (failure === undefined) assert.equal(outcome.failure, undefined);
    else assert.match(outcome.failure ?? '', failure);
    assert.equal(budget.taken, 0);
  }
});

test('a JSON answer goes through as a whole, or fails', async () => {
  const cases: [status: number, body: string, text: string, failure?: RegExp][] = [
    [200, RESULT, RESULT],
    [200, `[${RESULT},${SAMPLING}]`, '[{"jsonrpc":"2.0","id":1,"result":{"n":1}}]'],
    [200, '', ''],
    [200, SAMPLING, '', /policy refuses/],
    [200, '{"a":1}', '', /"jsonrpc"/],
    [200, '{', '', /not acceptable JSON/],
    [200, `{"a":"${'x'.repeat(1000)}"}`, '', /more than 1000 bytes/],
    [401, '{"error":"invalid_token","Error":1}', '{"error":"invalid_token","Error":1}'],
    [400, RESULT, RESULT],
    [400, SAMPLING, '', /policy refuses/],
    [400, '{"Method":"sampling/createMessage"}', '', /differs from "method"/],
    [400, `[[${SAMPLING}]]`, '', /JSON object/],
  ];
  for (const [status, body, text, failure] of cases) {
    const outcome = await filter({
      pieces: [body],
      status,
      fields: JSON_BODY,
      limits: { rpcServerMessageBytes: 1000 },
    });
    assert.equal(outcome.text, text, body);
    if (failure) assert.match(outcome.failure ?? '', failure, body);
    else assert.equal(outcome.failure, undefined, body);
  }
});

test('other types of body are no answer, except for pages that say what went wrong', async () => {
  const html = { 'Content-Type': 'text/html' };
  const cases: [
    status: number,
    fields: Case['fields'],
    pieces: (string | Buffer)[],
    text: string,
    failure?: RegExp,
  ][] = [
    [200, html, ['<p>'], '', /content type/],
    [200, {}, [RESULT], '', /content type/],
    [200, { 'Content-Type': 'text/plain' }, [], ''],
    [202, {}, [], ''],
    [200, { ...JSON_BODY, 'Content-Encoding': 'gzip' }, ['x'], '', /Content-Encoding/],
    [500, html, [' \n', '<p>', '{'], '<p>{'],
    [404, {}, ['Not Found'], 'Not Found'],
    [404, { 'Content-Type': 'text/plain' }, [' {"error":', '"x"}'], ' {"error":"x"}'.trimStart()],
    [404, { 'Content-Type': 'text/plain' }, [SAMPLING], '', /policy refuses/],
    [404, html, [Buffer.from(SAMPLING, 'utf16le')], '', /not acceptable JSON/],
    [404, html, [Buffer.from(`\ufeff${SAMPLING}`)], '', /cannot be told/],
    [500, { ...html, 'Content-Encoding': 'gzip' }, [Buffer.from([0x1f, 0x8b])], '', /Content-Encoding/],
  ];
  for (const [status, fields, pieces, text, failure] of cases) {
    const outcome = await filter({ pieces, status, fields: fields ?? {} });
    const what = `${status} ${JSON.stringify(fields)} ${pieces.join('')}`;
    assert.equal(outcome.text.trimStart(), text, what);
    if (failure) assert.match(outcome.failure ?? '', failure, what);
    else assert.equal(outcome.failure, undefined, what);
  }
});

test('any split, any pace and decisions that take time give the same stream', async () => {
  const part = fc.constantFrom(
    `data: ${RESULT}\n\n`,
    `data: ${SAMPLING}\r\n\r\n`,
    `id: 1\rdata: [${SAMPLING},${notification('n')}]\r\r`,
    ': c\n',
    'data: {"jsonrpc":"2.0",\ndata: "method":"m"}\n\n',
    'data: broken\n\n',
  );
  await fc.assert(
    fc.asyncProperty(
      fc.array(part, { maxLength: 5 }),
      fc.array(fc.nat(300), { maxLength: 5 }),
      fc.boolean(),
      fc.boolean(),
      async (parts, cuts, slow, late) => {
        const bytes = Buffer.from(parts.join(''));
        const places = [
          0,
          ...cuts.map((cut) => Math.min(cut, bytes.length)).sort((a, b) => a - b),
          bytes.length,
        ];
        const pieces = places.slice(1).map((end, index) => bytes.subarray(places[index], end));
        const decide = (message: RpcMessage) =>
          late ? Promise.resolve(withoutSampling(message)) : withoutSampling(message);
        const { text, failure, refused } = await filter({ pieces, slow, decide });
        const whole = await filter({ pieces: [bytes] });
        assert.deepEqual([text, failure, refused], [whole.text, whole.failure, whole.refused]);
        assert.ok(!text.includes('sampling'));
      },
    ),
    { numRuns: 150 },
  );
});

test('a decision that fails is a refusal of the whole stream', async () => {
  const outcome = await filter({
    pieces: [`data: ${RESULT}\n\n`],
    decide: () => Promise.reject(new Error('no answer')),
  });
  assert.deepEqual([outcome.text, outcome.cancelled], ['', true]);
  assert.match(outcome.failure ?? '', /could not be decided/);
});

test('a client that goes away while a decision is under way gets nothing more', async () => {
  const source = new Pieces([Buffer.from(`data: ${SAMPLING}\n\n`)]);
  const decision = Promise.withResolvers<boolean>();
  const filtered = filterServerMessages(source, {
    budget: new ByteBudget(1 << 30),
    head: {
      status: 200,
      fields: [{ name: 'Content-Type', lowerName: 'content-type', value: 'text/event-stream' }],
    },
    dialect: { protocol: 'mcp', strictToolNames: true },
    limits: limitsWith(),
    decide: () => decision.promise,
    onRefused: () => assert.fail('nobody is told'),
  });
  const unexpected = () => assert.fail('nothing may come');
  filtered.start({ data: unexpected, end: unexpected, fail: unexpected });
  filtered.cancel();
  decision.resolve(false);
  await decision.promise;
  await new Promise(setImmediate);
  assert.ok(source.cancelled);
});
