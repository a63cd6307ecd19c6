import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { brotliCompressSync, deflateSync, gzipSync, zstdCompressSync } from 'node:zlib';
import { decodedBody } from './decoded-body.ts';
import { isRefusal, type MaskedResponse, type Used } from './injection.ts';
import {
  bodyOf,
  bound,
  everyCut,
  field,
  fieldsOf,
  injected,
  requestTo,
  storeOf,
  Taken,
  toHost,
} from './testing/store.ts';

const SECRET = 'ghp_S3cret/Value+0123456789';
const MARK = 'openshell:resolve:env:TOKEN';
const HOST = toHost('api.example.com');
const environment = { TOKEN: SECRET, PIN: '1234' };
const store = storeOf([bound('TOKEN', HOST.host)], { environment });

async function usedFor(method = 'GET'): Promise<Used> {
  const { used } = await injected(store, requestTo('/', { A: MARK }, { method }), HOST);
  assert.ok(used);
  return used;
}

async function taken(response: MaskedResponse): Promise<Taken> {
  const receiver = new Taken();
  response.body.start(receiver);
  await receiver.finished;
  return receiver;
}

function masked(
  used: Used,
  fields: Readonly<Record<string, string>>,
  pieces: readonly Buffer[],
): MaskedResponse {
  const response = used.response({ status: 200, fields: fieldsOf(fields) }, bodyOf(pieces));
  assert.ok(!isRefusal(response));
  return response;
}

describe('a response that echoes a value has its placeholder instead', () => {
  test('in fields', async () => {
    const used = await usedFor();
    const response = masked(
      used,
      { 'Set-Cookie': `t=${SECRET}; Secure`, Location: `/?t=${encodeURIComponent(SECRET)}` },
      [],
    );
    assert.deepEqual(
      response.head.fields.map(({ value }) => value),
      [`t=${MARK}; Secure`, `/?t=${MARK}`],
    );
  });

  for (const [name, write] of Object.entries({
    plain: (text: string) => text,
    'percent-encoded': encodeURIComponent,
    'in JSON': (text: string) => JSON.stringify(text).slice(1, -1).replaceAll('/', '\\/'),
  })) {
    test(`in a body, ${name}, wherever it is cut`, async () => {
      const used = await usedFor();
      for (const pieces of everyCut(Buffer.from(`{"token":"${write(SECRET)}"}`))) {
        const out = await taken(masked(used, {}, pieces));
        assert.equal(out.text, `{"token":"${MARK}"}`);
      }
    });
  }

  test('as part of Basic credentials in base64', async () => {
    const text = Buffer.from(`user:${SECRET}`).toString('base64');
    const out = await taken(masked(await usedFor(), {}, [Buffer.from(`echo ${text}`)]));
    assert.ok(out.text.includes(MARK));
    assert.ok(!Buffer.from(out.text.slice(5), 'base64').toString().includes(SECRET.slice(3)));
  });

  test('in trailers, interim responses and messages', async () => {
    const used = await usedFor();
    const trailers = [field('X-Echo', SECRET)];
    const response = used.response({ status: 200, fields: [] }, bodyOf([Buffer.from('ok')], trailers));
    assert.ok(!isRefusal(response));
    assert.equal((await taken(response)).trailers?.[0]?.value, MARK);
    assert.equal(used.fields(trailers)[0]?.value, MARK);
    assert.equal(store.maskText(`you said ${SECRET}, ü`, HOST), `you said ${MARK}, ü`);
  });

  for (const [encoding, compress] of [
    ['gzip', gzipSync],
    ['deflate', deflateSync],
    ['br', brotliCompressSync],
    ['zstd', zstdCompressSync],
  ] as const) {
    test(`in ${encoding}, although it was not asked for`, async () => {
      const bytes = compress(Buffer.from(`secret: ${SECRET}`));
      const response = masked(await usedFor(), { 'Content-Encoding': encoding, ETag: 'x' }, [
        bytes.subarray(0, 9),
        bytes.subarray(9),
      ]);
      assert.deepEqual(
        response.head.fields.map(({ name }) => name),
        ['ETag'],
      );
      assert.equal((await taken(response)).text, `secret: ${MARK}`);
    });
  }

  test('also when a later request brings it back that held nothing', async () => {
    const { used } = await injected(store, requestTo('/'), HOST);
    assert.ok(used);
    assert.equal((await taken(masked(used, {}, [Buffer.from(SECRET)]))).text, MARK);
  });
});

test('what cannot be searched is refused', async () => {
  const used = await usedFor();
  for (const [status, encoding] of [
    [200, 'compress'],
    [200, 'gzip, br'],
    [206, 'gzip'],
  ] as const) {
    const head = { status, fields: fieldsOf({ 'Content-Encoding': encoding }) };
    const response = used.response(head, bodyOf([Buffer.from('x')]));
    assert.ok(isRefusal(response) && response.status === 502);
  }
});

test('responses without a body keep their fields as they are', async () => {
  const used = await usedFor('HEAD');
  const head = { status: 200, fields: fieldsOf({ 'Content-Encoding': 'gzip' }) };
  const response = used.response(head, bodyOf([]));
  assert.ok(!isRefusal(response));
  assert.equal(response.head.fields.length, 1);
});

test('encoded bodies that lie or do not end fail, and so do those that grow beyond the limit', async () => {
  const bomb = gzipSync(Buffer.alloc(1_000_000));
  for (const [body, limit, reason] of [
    [bomb, 65_536, /larger than 65536 bytes/],
    [Buffer.from('not gzip at all'), 65_536, /not encoded as it says/],
    [gzipSync(Buffer.from('hello')).subarray(0, 12), 65_536, /not encoded as it says/],
  ] as const) {
    const receiver = new Taken();
    decodedBody(bodyOf([body]), 'zip', limit).start(receiver);
    await receiver.finished;
    assert.match(receiver.failure ?? '', reason);
    assert.ok(receiver.text.length <= limit);
  }
});

test('a live stream is not held back', async () => {
  const used = await usedFor();
  let push: (text: string) => void = () => {};
  const response = used.response(
    { status: 200, fields: [] },
    {
      length: undefined,
      start: (receiver) => {
        push = (text) => void receiver.data(Buffer.from(text));
      },
      resume() {},
      cancel() {},
    },
  );
  assert.ok(!isRefusal(response));
  const receiver = new Taken();
  response.body.start(receiver);
  for (const event of ['data: 1\n\n', 'data: 2\n\n']) {
    push(event);
    assert.equal(receiver.pieces.at(-1), event);
  }
});

test('hosts that no credential is bound to are not looked at', async () => {
  const { used, request } = await injected(
    store,
    requestTo('/', { 'Accept-Encoding': 'gzip' }),
    toHost('other.test'),
  );
  assert.equal(used, undefined);
  assert.equal(request.fields[0]?.value, 'gzip');
});

test('a value too short to be told from other text is let be', async () => {
  const short = storeOf([bound('PIN', HOST.host)], { environment });
  assert.equal(short.maskText('room 1234', HOST), 'room 1234');
});
