import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { RequestContent, RpcMessage } from '@openshell/policy';
import { limitsWith } from '../limits.ts';
import type { RpcDialect } from './messages.ts';
import { readRpcRequest } from './rpc-request.ts';

const LIMITS = limitsWith();
const MCP: RpcDialect = { protocol: 'mcp', strictToolNames: true };
const JSON_RPC: RpcDialect = { protocol: 'json-rpc', strictToolNames: true };

type Fields = Readonly<Record<string, string>>;

const fieldList = (fields: Fields) =>
  Object.entries(fields).map(([name, value]) => ({ name, lowerName: name.toLowerCase(), value }));

function post(body: unknown, dialect = MCP, fields: Fields = {}): RequestContent {
  const text = Buffer.isBuffer(body) || typeof body === 'string' ? body : JSON.stringify(body);
  return readRpcRequest(
    {
      method: 'POST',
      fields: fieldList({ 'Content-Type': 'application/json', ...fields }),
      body: Buffer.from(text),
      dialect,
    },
    LIMITS,
  );
}

const carries = (...messages: RpcMessage[]): RequestContent => ({
  kind: 'rpc',
  messages,
  receiveStream: false,
});

const assertMalformed = (content: RequestContent, reason: RegExp, what: string): void => {
  assert.equal(content.kind, 'malformed', what);
  if (content.kind === 'malformed') assert.match(content.reason, reason, what);
};

const call = (method: string, params?: unknown, id: unknown = 1) => ({ jsonrpc: '2.0', id, method, params });

test('requests, notifications and responses are told apart', () => {
  const cases: [body: unknown, message: RpcMessage][] = [
    [call('ping'), { kind: 'request', method: 'ping', params: [] }],
    [call('ping', {}, 'a'), { kind: 'request', method: 'ping', params: [] }],
    [
      { jsonrpc: '2.0', method: 'notifications/initialized' },
      { kind: 'notification', method: 'notifications/initialized', params: [] },
    ],
    [
      { jsonrpc: '2.0', id: 1, result: { a: 1 } },
      { kind: 'response', method: '', params: [] },
    ],
    [
      { jsonrpc: '2.0', id: 1, result: null },
      { kind: 'response', method: '', params: [] },
    ],
    [
      { jsonrpc: '2.0', id: 1, error: { code: -1, message: 'x' } },
      { kind: 'response', method: '', params: [] },
    ],
    [
      { jsonrpc: '2.0', id: null, error: { code: -1, message: 'x' } },
      { kind: 'response', method: '', params: [] },
    ],
    [
      { jsonrpc: '2.0', error: { code: -1, message: 'x' } },
      { kind: 'response', method: '', params: [] },
    ],
  ];
  for (const [body, message] of cases) {
    assert.deepEqual(post(body), carries(message), JSON.stringify(body));
    assert.deepEqual(post(body, JSON_RPC), carries(message), JSON.stringify(body));
  }
});

test('parameters become leaves: names joined with dots, positions left out, values as text', () => {
  const params = {
    name: 't',
    a: { b: [1, { c: true }], 'd.e': null },
    n: 1e3,
    empty: {},
    none: [],
    ['__proto__']: 'x',
  };
  assert.deepEqual(
    post(call('any', params)),
    carries({
      kind: 'request',
      method: 'any',
      params: [
        ['name', 't'],
        ['a.b', '1'],
        ['a.b.c', 'true'],
        ['a.d.e', 'null'],
        ['n', '1000'],
        ['__proto__', 'x'],
      ],
    }),
  );
  assert.deepEqual(
    post(call('any', ['x', { k: 1 }]), JSON_RPC),
    carries({
      kind: 'request',
      method: 'any',
      params: [
        ['', 'x'],
        ['k', '1'],
      ],
    }),
  );
  const long = 'x'.repeat(60_000);
  const content = post(call('any', { long }));
  assert.ok(content.kind === 'rpc' && content.messages[0]?.params[0]?.[1] === long, 'never cut off');
});

test('a call of a tool names the tool, only in MCP', () => {
  const body = call('tools/call', { name: 'delete_x.y', arguments: { path: '/etc' } });
  const params = [
    ['name', 'delete_x.y'],
    ['arguments.path', '/etc'],
  ] as const;
  assert.deepEqual(
    post(body),
    carries({ kind: 'request', method: 'tools/call', tool: 'delete_x.y', params }),
  );
  assert.deepEqual(post(body, JSON_RPC), carries({ kind: 'request', method: 'tools/call', params }));
  assert.deepEqual(
    post({ jsonrpc: '2.0', method: 'tools/call', params: { name: 't' } }),
    carries({ kind: 'notification', method: 'tools/call', tool: 't', params: [['name', 't']] }),
  );
});

test('names of tools are strict unless the endpoint says otherwise', () => {
  const cases: [name: unknown, strict: boolean, free: boolean][] = [
    ['a_Z-0.9/x', true, true],
    ['x'.repeat(128), true, true],
    ['x'.repeat(129), false, true],
    ['search web', false, true],
    ['t\u00f6\u00f6l', false, true],
    ['a\n', false, true],
    ['x'.repeat(1025), false, false],
    ['', false, false],
    [7, false, false],
    [['a'], false, false],
    [null, false, false],
  ];
  for (const [name, strict, free] of cases) {
    const body = call('tools/call', { name });
    assert.equal(post(body).kind, strict ? 'rpc' : 'malformed', JSON.stringify(name));
    assert.equal(
      post(body, { ...MCP, strictToolNames: false }).kind,
      free ? 'rpc' : 'malformed',
      JSON.stringify(name),
    );
  }
  assertMalformed(post(call('tools/call')), /does not name it/, 'no params');
});

test('a batch is all its messages, and one that is not understood spoils it', () => {
  const content = post([call('a'), { jsonrpc: '2.0', method: 'b' }, { jsonrpc: '2.0', id: 1, result: 1 }]);
  assert.ok(content.kind === 'rpc');
  assert.deepEqual(
    content.messages.map(({ kind, method }) => [kind, method]),
    [
      ['request', 'a'],
      ['notification', 'b'],
      ['response', ''],
    ],
  );
  assertMalformed(post([]), /empty batch/, 'empty');
  assertMalformed(post([call('a'), {}]), /"jsonrpc"/, 'one broken');
  assertMalformed(post([[call('a')]]), /JSON object/, 'nested');
  assertMalformed(post(Array.from({ length: 65 }, () => call('a'))), /more than 64/, 'long');
});

test('a message that two readers could understand differently is refused', () => {
  const cases: [body: unknown, reason: RegExp][] = [
    ['', /not acceptable JSON/],
    [Buffer.from([0xff]), /UTF-8/],
    ['"ping"', /JSON object/],
    [{ method: 'a', id: 1 }, /"jsonrpc" is not "2.0"/],
    [{ jsonrpc: 2.0, method: 'a', id: 1 }, /"jsonrpc"/],
    [{ jsonrpc: '1.0', method: 'a', id: 1 }, /"jsonrpc"/],
    ['{"jsonrpc":"2.0","id":1,"method":"tools/list","method":"tools/call"}', /twice/],
    ['{"jsonrpc":"2.0","id":1,"method":"tools/list","Method":"tools/call"}', /differs from "method"/],
    ['{"jsonrpc":"2.0","id":1,"method":"tools/list","method\\u0000":"tools/call"}', /NUL/],
    ['{"jsonrpc":"2.0","id":1,"method":"x","param\u017f":{}}', /differs from "params"/],
    [
      '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"ok","Name":"evil"}}',
      /differs from "name"/,
    ],
    [
      '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"ok","Arguments":{}}}',
      /differs from "arguments"/,
    ],
    ['{"jsonrpc":"2.0","id":1,"method":"x","params":{"a":{"b":1,"B":2}}}', /differ only in case/],
    [{ jsonrpc: '2.0', id: 1, method: 'a', result: 1 }, /both a call and a response/],
    [{ jsonrpc: '2.0', id: 1, result: 1, error: {} }, /neither a call nor a response/],
    [{ jsonrpc: '2.0', id: 1 }, /neither a call nor a response/],
    [{ jsonrpc: '2.0', id: 1, error: 'x' }, /"error" is not an object/],
    [{ jsonrpc: '2.0', id: 1, result: 1, params: {} }, /a response has parameters/],
    [{ jsonrpc: '2.0', result: 1 }, /"id"/],
    [{ jsonrpc: '2.0', id: 1, method: '' }, /"method"/],
    [{ jsonrpc: '2.0', id: 1, method: 7 }, /"method"/],
    [{ jsonrpc: '2.0', id: 1, method: ['a'] }, /"method"/],
    [{ jsonrpc: '2.0', id: 1, method: null }, /"method"/],
    [{ jsonrpc: '2.0', id: 1, method: 'a\nb' }, /"method"/],
    [{ jsonrpc: '2.0', id: 1, method: 'x'.repeat(1025) }, /longer than 1024/],
    [call('a', 'text'), /"params"/],
    [call('a', null), /"params"/],
    [call('a', {}, true), /"id"/],
    [call('a', {}, {}), /"id"/],
    [call('a', {}, [1]), /"id"/],
  ];
  for (const [body, reason] of cases) {
    assertMalformed(post(body), reason, JSON.stringify(body));
    if (!/differs from "(name|arguments)"/.test(reason.source))
      assertMalformed(post(body, JSON_RPC), reason, JSON.stringify(body));
  }
});

test('MCP leaves out what JSON-RPC has: null and fractions as ids, lists as parameters', () => {
  for (const body of [call('a', {}, null), call('a', {}, 1.5), call('a', [1])]) {
    assert.equal(post(body).kind, 'malformed', JSON.stringify(body));
    assert.equal(post(body, JSON_RPC).kind, 'rpc', JSON.stringify(body));
  }
  assert.equal(post('{"jsonrpc":"2.0","id":9007199254740993,"method":"a"}').kind, 'rpc');
});

test('hostile parameters are refused within bounds', () => {
  const nested = (depth: number) => `${'{"a":'.repeat(depth)}1${'}'.repeat(depth)}`;
  const cases: [params: string, reason: RegExp][] = [
    [nested(100_000), /nested more than 128/],
    [`{"a":[${'1,'.repeat(16_384)}1]}`, /more than 16384 values/],
    [`{"${'x'.repeat(1025)}":1}`, /longer than 1024/],
    [`{"${'x'.repeat(600)}":{"${'y'.repeat(600)}":1}}`, /longer than 1024/],
  ];
  for (const [params, reason] of cases)
    assertMalformed(
      post(`{"jsonrpc":"2.0","id":1,"method":"a","params":${params}}`),
      reason,
      params.slice(0, 20),
    );
});

test('only a plain JSON body is read', () => {
  const body = call('ping');
  for (const fields of [
    { 'Content-Type': 'text/plain' },
    { 'Content-Type': 'application/json; charset=latin1' },
    { 'Content-Encoding': 'gzip' },
    { 'Content-Encoding': 'identity' },
  ])
    assert.equal(post(body, MCP, fields as unknown as Fields).kind, 'malformed', JSON.stringify(fields));
  assert.equal(post(body, JSON_RPC, { 'Content-Type': 'application/json-rpc' }).kind, 'rpc');
  assert.equal(post(body, MCP, { 'Content-Type': 'application/json-rpc' }).kind, 'malformed');
  assert.equal(
    readRpcRequest(
      { method: 'POST', fields: [], body: Buffer.from(JSON.stringify(body)), dialect: MCP },
      LIMITS,
    ).kind,
    'malformed',
  );
});

test('MCP has a GET for the stream from the server and a DELETE for the end of a session', () => {
  const request = (method: string, accept: string, body = '', dialect = MCP) =>
    readRpcRequest(
      { method, fields: fieldList({ Accept: accept }), body: Buffer.from(body), dialect },
      LIMITS,
    );
  const stream = { kind: 'rpc', messages: [], receiveStream: true };
  assert.deepEqual(request('GET', 'text/event-stream'), stream);
  assert.deepEqual(request('GET', 'application/json, Text/Event-Stream;q=0.9'), stream);
  assert.deepEqual(request('DELETE', '*/*'), { kind: 'rpc', messages: [], receiveStream: false });
  for (const [method, accept, body, dialect] of [
    ['GET', '*/*', '', MCP],
    ['GET', 'text/html', '', MCP],
    ['GET', 'text/event-stream', '{}', MCP],
    ['DELETE', '*/*', '{}', MCP],
    ['GET', 'text/event-stream', '', JSON_RPC],
    ['DELETE', '*/*', '', JSON_RPC],
    ['PUT', '*/*', '{}', MCP],
    ['post', '*/*', '{}', MCP],
  ] as const)
    assert.equal(
      request(method, accept, body, dialect).kind,
      'malformed',
      `${dialect.protocol} ${method} ${accept}`,
    );
});

test('fields that repeat the body of MCP must agree with it', () => {
  const tool = call('tools/call', {
    name: 'search',
    arguments: { region: 'us-west1', deep: { n: 1.0 }, text: ' padded ' },
  });
  const prompt = call('prompts/get', { name: 'review' });
  const resource = call('resources/read', { uri: 'file:///a' });
  const base64 = (text: string) => `=?base64?${Buffer.from(text).toString('base64')}?=`;
  const cases: [body: unknown, fields: Fields, ok: boolean][] = [
    [tool, {}, true],
    [tool, { 'Mcp-Method': 'tools/call', 'Mcp-Name': 'search' }, true],
    [tool, { 'Mcp-Method': 'tools/call', 'Mcp-Name': base64('search') }, true],
    [tool, { 'Mcp-Method': 'tools/list' }, false],
    [tool, { 'Mcp-Method': 'Tools/Call' }, false],
    [tool, { 'mcp-name': 'delete' }, false],
    [tool, { 'Mcp-Name': base64('delete') }, false],
    [
      tool,
      { 'Mcp-Param-Region': 'us-west1', 'Mcp-Param-N': '1.0', 'Mcp-Param-Text': base64(' padded ') },
      true,
    ],
    [tool, { 'Mcp-Param-Region': 'eu-west1' }, false],
    [tool, { 'Mcp-Param-Region': 'search' }, false],
    [tool, { 'Mcp-Param-Region': '' }, false],
    [prompt, { 'Mcp-Method': 'prompts/get', 'Mcp-Name': 'review' }, true],
    [resource, { 'Mcp-Method': 'resources/read', 'Mcp-Name': 'file:///a' }, true],
    [resource, { 'Mcp-Name': 'file:///b' }, false],
    [call('ping'), { 'Mcp-Name': 'x' }, false],
    [[tool], { 'Mcp-Method': 'tools/call' }, false],
    [{ jsonrpc: '2.0', id: 1, result: {} }, { 'Mcp-Method': 'tools/call' }, false],
    [tool, { 'Mcp-Session-Id': 'x', 'MCP-Protocol-Version': '2025-11-25' }, true],
  ];
  for (const [body, fields, ok] of cases)
    assert.equal(post(body, MCP, fields).kind, ok ? 'rpc' : 'malformed', JSON.stringify(fields));
  const twice = [
    ...fieldList({ 'Content-Type': 'application/json', 'Mcp-Name': 'search' }),
    ...fieldList({ 'mcp-name': 'search' }),
  ];
  assert.equal(
    readRpcRequest(
      { method: 'POST', fields: twice, body: Buffer.from(JSON.stringify(tool)), dialect: MCP },
      LIMITS,
    ).kind,
    'malformed',
  );
  assert.equal(
    post(tool, JSON_RPC, { 'Mcp-Method': 'tools/list' }).kind,
    'rpc',
    'JSON-RPC knows no such fields',
  );
});
