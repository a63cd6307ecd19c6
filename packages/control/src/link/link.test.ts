import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { encodeFrame, FrameReader } from './frame.ts';
import { LINK_FRAME_BYTES } from './protocol.ts';
import { readNodeMessage, readOpening, readProxyMessage, readUnsupported } from './read.ts';

const HASH = 'a'.repeat(64);
const binary = { path: '/usr/bin/curl', sha256: HASH, pinned: true };
const evidence = { kind: 'process', pid: 7, executable: binary, ancestors: [binary], argv: ['curl', '-v'] };
const flow = {
  family: 4,
  clientAddress: '127.0.0.1',
  clientPort: 40_000,
  serverAddress: '198.18.0.1',
  serverPort: 443,
};
const stream = { kind: 'stream', tenant: 'box-1', adapter: 'transparent', flow, name: 'a.example', evidence };
const session = { kind: 'session', tenant: 'box-1', version: '0.1.0' };
const ready = {
  kind: 'ready',
  generation: 1,
  policyHash: HASH,
  authorityPem: 'PEM',
  environment: { KEY: 'placeholder' },
};
const refusal = {
  code: 'no_policy',
  host: 'a.example',
  reason: 'none',
  binary: '/usr/bin/curl',
  port: 443,
  subject: undefined,
  remedy: 'allow it',
};

const protocolFault = { code: 'link_protocol' };

describe('frames', () => {
  test('come out as they went in, however the bytes are cut', () => {
    const messages = [{ a: 1 }, { text: 'é'.repeat(3000) }, {}];
    const bytes = Buffer.concat([...messages.map(encodeFrame), Buffer.from('behind')]);
    for (const size of [1, 3, 1000, bytes.length]) {
      const reader = new FrameReader();
      const found: unknown[] = [];
      for (let at = 0; at < bytes.length; at += size) {
        reader.push(bytes.subarray(at, at + size));
        while (found.length < messages.length) {
          const frame = reader.next();
          if (frame === undefined) break;
          found.push(frame.value);
        }
      }
      assert.deepEqual(found, messages);
      assert.equal(String(reader.rest()), 'behind');
    }
  });

  const broken: readonly (readonly [string, Buffer])[] = [
    ['longer than the bound', Buffer.from([0, 1, 0, 1])],
    ['that is no JSON', Buffer.from('\0\0\0\x02{]', 'latin1')],
    ['that is no UTF-8', Buffer.from([0, 0, 0, 3, 0x22, 0xff, 0x22])],
    ['without anything', Buffer.from([0, 0, 0, 0])],
  ];
  for (const [what, bytes] of broken)
    test(`${what} are refused, without a word of what was in them`, () => {
      const reader = new FrameReader();
      reader.push(bytes);
      assert.throws(() => reader.next(), protocolFault);
    });

  test('that the other side would refuse are not made', () =>
    assert.throws(() => encodeFrame({ text: 'x'.repeat(LINK_FRAME_BYTES) }), protocolFault));
});

describe('messages', () => {
  test('are read as they are', () => {
    assert.deepEqual(readOpening(stream), stream);
    assert.deepEqual(readOpening(session), session);
    assert.deepEqual(
      readOpening({ ...stream, evidence: { kind: 'unknown', reason: 'gone' } }).kind,
      'stream',
    );
    const question = { kind: 'question', id: 3, name: 'a.example', type: 'AAAA' };
    assert.deepEqual(readNodeMessage(question), question);
    for (const message of [
      ready,
      { kind: 'waiting', why: 'w' },
      { kind: 'answer', id: 1, known: true },
      { kind: 'refusal', refusal },
      { kind: 'pong' },
    ])
      assert.deepEqual(readProxyMessage(message), message);
    assert.deepEqual(readUnsupported({ speaks: ['openshell-link/9'] })?.speaks, ['openshell-link/9']);
    assert.equal(readUnsupported({ kind: 'pong' }), undefined);
  });

  test('of a later program may say more than we know', () =>
    assert.deepEqual(readOpening({ ...session, later: { x: 1 } }), session));

  const openings: readonly (readonly [string, unknown])[] = [
    ['no object', [session]],
    ['of no kind', { tenant: 'box-1' }],
    ['with a tenant that is no name', { ...session, tenant: 'a\nb' }],
    ['with a tenant that is too long', { ...session, tenant: 'x'.repeat(129) }],
    ['with a version for a terminal', { ...session, version: '\u001b[2J' }],
    ['by no adapter', { ...stream, adapter: 'forward' }],
    ['without a flow', { ...stream, flow: undefined }],
    ['in a family that is none', { ...stream, flow: { ...flow, family: 5 } }],
    ['to an address of the other family', { ...stream, flow: { ...flow, serverAddress: '::1' } }],
    ['to an address in another spelling', { ...stream, flow: { ...flow, serverAddress: '198.18.00.1' } }],
    ['to port 0', { ...stream, flow: { ...flow, serverPort: 0 } }],
    ['with a name in another spelling', { ...stream, name: 'A.example.' }],
    ['with an address for a name', { ...stream, name: '10.0.0.1' }],
    ['without evidence', { ...stream, evidence: undefined }],
    [
      'by a program without an absolute path',
      { ...stream, evidence: { ...evidence, executable: { ...binary, path: 'curl' } } },
    ],
    [
      'by a program with a NUL in its path',
      { ...stream, evidence: { ...evidence, executable: { ...binary, path: '/a\0b' } } },
    ],
    [
      'by a program with half a hash',
      { ...stream, evidence: { ...evidence, executable: { ...binary, sha256: 'ab' } } },
    ],
    [
      'by a program whose pin is a text',
      { ...stream, evidence: { ...evidence, executable: { ...binary, pinned: 'true' } } },
    ],
    ['with an ancestor that is none', { ...stream, evidence: { ...evidence, ancestors: [{}] } }],
    [
      'with ancestors without end',
      { ...stream, evidence: { ...evidence, ancestors: new Array(257).fill(binary) } },
    ],
    ['with arguments that are no texts', { ...stream, evidence: { ...evidence, argv: [1] } }],
  ];
  for (const [what, value] of openings)
    test(`an opening ${what} is refused`, () => assert.throws(() => readOpening(value), protocolFault));

  const others: readonly (readonly [string, () => unknown])[] = [
    ['a question about no name', () => readNodeMessage({ kind: 'question', id: 1, name: 'a b', type: 'A' })],
    [
      'a question with a strange type',
      () => readNodeMessage({ kind: 'question', id: 1, name: 'a.b', type: 'a\n' }),
    ],
    ['a message of an unknown kind', () => readNodeMessage({ kind: 'ready' })],
    ['a generation without a hash', () => readProxyMessage({ ...ready, policyHash: '' })],
    ['placeholders that are no texts', () => readProxyMessage({ ...ready, environment: { A: 1 } })],
    ['an answer to nothing', () => readProxyMessage({ kind: 'answer', known: true })],
  ];
  for (const [what, read] of others) test(`${what} is refused`, () => assert.throws(read, protocolFault));
});
