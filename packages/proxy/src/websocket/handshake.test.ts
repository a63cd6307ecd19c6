import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { RequestMessage, ResponseHead } from '../exchange/exchange.ts';
import type { HeaderField } from '../http/request-head.ts';
import {
  checkUpgradeRequest,
  checkUpgradeResponse,
  offerFields,
  sessionFields,
  type WebSocketOffer,
} from './handshake.ts';
import type { RelayRules } from './rules.ts';

/** RFC 6455 section 1.3. */
const KEY = 'dGhlIHNhbXBsZSBub25jZQ==';
const ACCEPT = 's3pPLMBiTxaQ9kYGzzhZRbK+xOo=';

const UNREAD: RelayRules = {};
const READ: RelayRules = { client: {}, server: {} };

type Pairs = readonly (readonly [name: string, value: string])[];

const fieldsOf = (pairs: Pairs): HeaderField[] =>
  pairs.map(([name, value]) => ({ name, lowerName: name.toLowerCase(), value }));

const request = (pairs: Pairs, changes: Partial<RequestMessage> = {}): RequestMessage => ({
  method: 'GET',
  target: '/chat',
  scheme: 'https',
  authority: 'example.com',
  version: '1.1',
  fields: fieldsOf(pairs),
  expectsContinue: false,
  upgrade: 'websocket',
  ...changes,
});

const HANDSHAKE: Pairs = [
  ['Sec-WebSocket-Key', KEY],
  ['Sec-WebSocket-Version', '13'],
];

function offerOf(more: Pairs = [], rules: RelayRules = UNREAD): WebSocketOffer {
  const result = checkUpgradeRequest(request([...HANDSHAKE, ...more]), rules);
  assert.equal(result.kind, 'offer', JSON.stringify(result));
  return result.kind === 'offer' ? result.offer : assert.fail();
}

const offered = (value: string, rules?: RelayRules): string | undefined => {
  const offer = offerOf([['Sec-WebSocket-Extensions', value]], rules);
  return fieldValue(offerFields([], offer), 'sec-websocket-extensions');
};

const fieldValue = (fields: readonly HeaderField[], name: string): string | undefined =>
  fields.find(({ lowerName }) => lowerName === name)?.value;

describe('the handshake of a client', () => {
  const faults: [string, Pairs, Partial<RequestMessage>, number][] = [
    ['is not to WebSocket', HANDSHAKE, { upgrade: undefined }, 400],
    ['is no GET', HANDSHAKE, { method: 'POST' }, 400],
    ['comes in HTTP/1.0', HANDSHAKE, { version: '1.0' }, 400],
    ['has no key', [['Sec-WebSocket-Version', '13']], {}, 400],
    ['has two keys', [...HANDSHAKE, ['Sec-WebSocket-Key', KEY]], {}, 400],
    ['has a short key', [['Sec-WebSocket-Key', 'AAAA'], HANDSHAKE[1]!], {}, 400],
    [
      'has a key with stray bits',
      [['Sec-WebSocket-Key', 'dGhlIHNhbXBsZSBub25jZR=='], HANDSHAKE[1]!],
      {},
      400,
    ],
    ['has no version', [HANDSHAKE[0]!], {}, 400],
    ['has two versions', [...HANDSHAKE, HANDSHAKE[1]!], {}, 400],
    ['has an old version', [HANDSHAKE[0]!, ['Sec-WebSocket-Version', '8']], {}, 426],
    ['has a list of versions', [HANDSHAKE[0]!, ['Sec-WebSocket-Version', '13, 8']], {}, 426],
    ['names a subprotocol twice', [...HANDSHAKE, ['Sec-WebSocket-Protocol', 'a, b, a']], {}, 400],
    ['names a subprotocol that is no token', [...HANDSHAKE, ['Sec-WebSocket-Protocol', 'a b']], {}, 400],
    ['has an empty subprotocol', [...HANDSHAKE, ['Sec-WebSocket-Protocol', '']], {}, 400],
    ['has a malformed extension', [...HANDSHAKE, ['Sec-WebSocket-Extensions', 'a; =b']], {}, 400],
    ['has an empty extension', [...HANDSHAKE, ['Sec-WebSocket-Extensions', 'a, ']], {}, 400],
    ['has an unclosed quote', [...HANDSHAKE, ['Sec-WebSocket-Extensions', 'a; b="c']], {}, 400],
  ];
  for (const [what, pairs, changes, status] of faults) {
    test(`is refused where it ${what}`, () => {
      const result = checkUpgradeRequest(request(pairs, changes), UNREAD);
      assert.equal(result.kind === 'fault' && result.status, status);
    });
  }

  test('goes on with what was understood of it and nothing else', () => {
    const pairs: Pairs = [
      ['Origin', 'https://example.com'],
      ...HANDSHAKE,
      ['Sec-WebSocket-Protocol', 'mqtt'],
      ['Sec-WebSocket-Protocol', 'graphql-ws , chat'],
      ['Sec-WebSocket-Accept', 'x'],
      ['Sec-WebSocket-Magic', 'x'],
      ['Sec-WebSocket-Extensions', 'x-webkit-deflate-frame; no_context_takeover'],
    ];
    const fields = offerFields(fieldsOf(pairs), offerOf(pairs.slice(3)));
    assert.deepEqual(
      fields.map(({ name, value }) => [name, value]),
      [
        ['Origin', 'https://example.com'],
        ['Sec-WebSocket-Version', '13'],
        ['Sec-WebSocket-Key', KEY],
        ['Sec-WebSocket-Protocol', 'mqtt, graphql-ws, chat'],
      ],
    );
  });

  const unread: [string, string | undefined][] = [
    ['permessage-deflate', 'permessage-deflate'],
    ['permessage-deflate; client_max_window_bits', 'permessage-deflate; client_max_window_bits'],
    ['permessage-deflate;server_max_window_bits = "10"', 'permessage-deflate; server_max_window_bits=10'],
    [
      'bzip, permessage-deflate; client_no_context_takeover',
      'permessage-deflate; client_no_context_takeover',
    ],
    ['permessage-deflate; server_max_window_bits=16, permessage-deflate', 'permessage-deflate'],
    ['permessage-deflate; server_max_window_bits=08', undefined],
    ['permessage-deflate; server_max_window_bits', undefined],
    ['permessage-deflate; client_no_context_takeover=1', undefined],
    ['permessage-deflate; client_no_context_takeover; client_no_context_takeover', undefined],
    ['permessage-deflate; new_thing', undefined],
    ['permessage-bzip2', undefined],
  ];
  for (const [value, expected] of unread) {
    test(`offers ${expected ?? 'nothing'} for ${value}`, () => assert.equal(offered(value), expected));
  }

  test('offers no compression across messages that are read', () => {
    const both = 'permessage-deflate; server_no_context_takeover; client_no_context_takeover';
    assert.equal(offered('permessage-deflate', READ), both);
    assert.equal(
      offered('permessage-deflate', { client: {} }),
      'permessage-deflate; client_no_context_takeover',
    );
    assert.equal(offered('identity', READ), undefined);
  });
});

describe('the answer of a server', () => {
  const OFFER = offerOf([
    ['Sec-WebSocket-Protocol', 'chat, graphql-ws'],
    ['Sec-WebSocket-Extensions', 'permessage-deflate; client_max_window_bits=12'],
  ]);
  const accepted: Pairs = [['Sec-WebSocket-Accept', ACCEPT]];
  const head = (pairs: Pairs, status = 101): ResponseHead => ({ status, fields: fieldsOf(pairs) });
  const extension = (value: string): Pairs => [...accepted, ['Sec-WebSocket-Extensions', value]];

  const faults: [string, Pairs, WebSocketOffer][] = [
    ['has no Sec-WebSocket-Accept', [], OFFER],
    ['accepts another key', [['Sec-WebSocket-Accept', ACCEPT.replace('s3', 'S3')]], OFFER],
    ['accepts twice', [...accepted, ...accepted], OFFER],
    ['chooses another subprotocol', [...accepted, ['Sec-WebSocket-Protocol', 'mqtt']], OFFER],
    ['chooses a subprotocol in another case', [...accepted, ['Sec-WebSocket-Protocol', 'CHAT']], OFFER],
    ['chooses two subprotocols', [...accepted, ['Sec-WebSocket-Protocol', 'chat, graphql-ws']], OFFER],
    ['chooses a subprotocol unasked', [...accepted, ['Sec-WebSocket-Protocol', 'chat']], offerOf()],
    ['compresses unasked', extension('permessage-deflate'), offerOf()],
    ['chooses another extension', extension('permessage-bzip2'), OFFER],
    ['compresses twice', extension('permessage-deflate, permessage-deflate'), OFFER],
    ['has a malformed extension', extension('permessage-deflate;;'), OFFER],
    ['has an unknown parameter', extension('permessage-deflate; x'), OFFER],
    ['wants more window than was offered', extension('permessage-deflate; client_max_window_bits=13'), OFFER],
    ['has a window without a size', extension('permessage-deflate; client_max_window_bits'), OFFER],
    [
      'bounds a window that was not offered',
      extension('permessage-deflate; client_max_window_bits=10'),
      offerOf([['Sec-WebSocket-Extensions', 'permessage-deflate']]),
    ],
    [
      'ignores the window that was asked for',
      extension('permessage-deflate'),
      offerOf([['Sec-WebSocket-Extensions', 'permessage-deflate; server_max_window_bits=10']]),
    ],
    [
      'compresses across messages that are read',
      extension('permessage-deflate; client_no_context_takeover'),
      offerOf([['Sec-WebSocket-Extensions', 'permessage-deflate']], READ),
    ],
  ];
  for (const [what, pairs, offer] of faults) {
    test(`is refused where it ${what}`, () => {
      assert.equal(checkUpgradeResponse(head(pairs), offer, UNREAD).kind, 'fault');
    });
  }

  test('is refused where it is not 101', () => {
    assert.equal(checkUpgradeResponse(head(accepted, 200), OFFER, UNREAD).kind, 'fault');
  });

  test('goes to the client as it was understood', () => {
    const pairs: Pairs = [
      ['Server', 'x'],
      ...extension('permessage-deflate; client_max_window_bits="9"'),
      ['Sec-WebSocket-Protocol', 'graphql-ws'],
      ['Sec-WebSocket-Magic', 'x'],
    ];
    const result = checkUpgradeResponse(head(pairs), OFFER, UNREAD);
    assert.ok(result.kind === 'session');
    assert.deepEqual(
      sessionFields(fieldsOf(pairs), OFFER, result.session).map(({ name, value }) => [name, value]),
      [
        ['Server', 'x'],
        ['Sec-WebSocket-Accept', ACCEPT],
        ['Sec-WebSocket-Protocol', 'graphql-ws'],
        ['Sec-WebSocket-Extensions', 'permessage-deflate; client_max_window_bits=9'],
      ],
    );
  });

  test('tells the client not to compress across messages, where a server does not say so', () => {
    const offer = offerOf([['Sec-WebSocket-Extensions', 'permessage-deflate']], { client: {} });
    const result = checkUpgradeResponse(head(extension('permessage-deflate')), offer, { client: {} });
    assert.ok(result.kind === 'session');
    assert.equal(
      fieldValue(sessionFields([], offer, result.session), 'sec-websocket-extensions'),
      'permessage-deflate; client_no_context_takeover',
    );
  });
});
