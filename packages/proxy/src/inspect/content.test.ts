import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type RequestListener, setGlobalProxyFromEnv } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import { after, before, describe, test } from 'node:test';
import { getCACertificates, setDefaultCACertificates } from 'node:tls';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js';
import { StreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/streamableHttp.js';
import type { Transport } from '@modelcontextprotocol/sdk/shared/transport.js';
import { CreateMessageRequestSchema } from '@modelcontextprotocol/sdk/types.js';
import { buildSchema } from 'graphql';
import { createHandler } from 'graphql-http/lib/use/http';
import { type RawData, WebSocket, WebSocketServer } from 'ws';
import type { Fixture } from '../test-support/fixture.ts';
import { HOST, inspecting, LOOPBACK, originIdentity, portOf } from '../test-support/inspected.ts';

const trusted = getCACertificates('default');
after(() => setDefaultCACertificates(trusted));

/** A proxy with this endpoint and this server behind it; `fetch` of this process goes through it. */
async function serving(
  endpoint: string,
  listener: RequestListener,
): Promise<{ fixture: Fixture } & AsyncDisposable> {
  const fixture = await inspecting(endpoint);
  const server = createSecureServer(originIdentity(), listener);
  await fixture.serves(HOST, server);
  setDefaultCACertificates([...trusted, (await fixture.proxy.authority()).bundlePem]);
  const url = `http://${LOOPBACK}:${portOf(fixture.servers.connect)}`;
  const restore = setGlobalProxyFromEnv({ HTTPS_PROXY: url, HTTP_PROXY: url });
  return {
    fixture,
    async [Symbol.asyncDispose]() {
      restore();
      server.closeAllConnections();
      await fixture[Symbol.asyncDispose]();
    },
  };
}

const post = (path: string, body: unknown): Promise<Response> =>
  fetch(`https://${HOST}${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', accept: 'application/json' },
    body: JSON.stringify(body),
  });

interface Denied {
  readonly error: string;
  readonly detail: string;
}

describe('GraphQL over HTTP', () => {
  const schema = buildSchema('type Query { open: String closed: String } type Mutation { change: String }');
  const rootValue = { open: () => 'o', closed: () => 'c', change: () => 'x' };
  const endpoint =
    'protocol: graphql, path: /graphql, rules: [{ allow: { operation_type: query, fields: [open] } }]';

  test('is executed where every root field is allowed, and refused otherwise', async () => {
    await using _ = await serving(endpoint, createHandler({ schema, rootValue }));
    const allowed = await post('/graphql', { query: '{ alias: open }' });
    assert.deepEqual(await allowed.json(), { data: { alias: 'o' } });
    for (const query of [
      '{ open closed }',
      '{ open: closed }',
      'mutation { change }',
      '{ open',
      '{ ...F } fragment F on Query { closed }',
    ]) {
      const refused = await post('/graphql', { query });
      assert.equal(refused.status, 403, query);
      assert.equal(((await refused.json()) as Denied).error, 'policy_denied');
    }
    const url = `https://${HOST}/graphql?query=${encodeURIComponent('{ open }')}`;
    assert.equal((await fetch(url)).status, 200);
    assert.equal((await fetch(url.replace('open', 'closed'))).status, 403);
  });
});

describe('JSON-RPC', () => {
  test('is passed on by method, and a batch only as a whole', async () => {
    const endpoint = 'protocol: json-rpc, path: /rpc, rules: [{ allow: { method: read.all } }]';
    const bodies: string[] = [];
    await using _ = await serving(endpoint, (request, response) => {
      let body = '';
      request.on('data', (chunk) => {
        body += chunk;
      });
      request.on('end', () => {
        bodies.push(body);
        response.end('{"jsonrpc":"2.0","id":1,"result":1}');
      });
    });
    const call = (method: string): object => ({ jsonrpc: '2.0', id: 1, method });
    assert.equal((await post('/rpc', call('read.all'))).status, 200);
    assert.equal((await post('/rpc', call('write.all'))).status, 403);
    assert.equal((await post('/rpc', [call('read.all'), call('write.all')])).status, 403);
    assert.deepEqual(bodies, [JSON.stringify(call('read.all'))]);
  });
});

describe('MCP with the official SDK', () => {
  const endpoint = `protocol: mcp, path: /mcp, rules: [
    { allow: { method: initialize } }, { allow: { method: notifications/initialized } }, { allow: { method: tools/list } },
    { allow: { method: tools/call, tool: read, params: { "arguments.path": "/work/**" } } },
    { allow: { method: tools/call, tool: ask } }],
    deny_rules: [{ method: sampling/createMessage, from: server }]`.replaceAll(/\n\s*/g, ' ');

  let asked = 0;
  const called: string[] = [];

  function server(): McpServer {
    const made = new McpServer({ name: 'server', version: '1' });
    const tools = ['read', 'write'];
    for (const name of tools) {
      made.server.registerCapabilities({ tools: {} });
      made.registerTool(name, {}, async () => {
        called.push(name);
        return { content: [{ type: 'text', text: `${name} done` }] };
      });
    }
    made.registerTool('ask', {}, async (extra) => {
      const answered = made.server.createMessage(
        { messages: [], maxTokens: 1 },
        { relatedRequestId: extra.requestId, timeout: 100 },
      );
      const text = await answered.then(
        () => 'answered',
        () => 'unanswered',
      );
      return { content: [{ type: 'text', text }] };
    });
    return made;
  }

  const listener: RequestListener = async (request, response) => {
    const transport = transports.get(String(request.headers['mcp-session-id'])) ?? (await newTransport());
    await transport.handleRequest(request, response);
  };
  const transports = new Map<string, StreamableHTTPServerTransport>();
  async function newTransport(): Promise<StreamableHTTPServerTransport> {
    const transport = new StreamableHTTPServerTransport({
      sessionIdGenerator: () => String(transports.size),
      onsessioninitialized: (id) => void transports.set(id, transport),
    });
    await server().connect(transport as Transport);
    return transport;
  }

  const textOf = (result: unknown): string =>
    (result as { content: readonly { text: string }[] }).content.map(({ text }) => text).join();

  test('a tool works where it is allowed, with arguments that are; another gives a clear error', async () => {
    await using _ = await serving(endpoint, listener);
    const client = new Client({ name: 'client', version: '1' }, { capabilities: { sampling: {} } });
    client.setRequestHandler(CreateMessageRequestSchema, () => {
      asked++;
      return { model: 'm', role: 'assistant', content: { type: 'text', text: 'x' } };
    });
    await client.connect(new StreamableHTTPClientTransport(new URL(`https://${HOST}/mcp`)) as Transport);
    try {
      const { tools } = await client.listTools();
      assert.deepEqual(tools.map(({ name }) => name).sort(), ['ask', 'read', 'write']);
      const read = (path: string): Promise<unknown> => client.callTool({ name: 'read', arguments: { path } });
      assert.equal(textOf(await read('/work/a')), 'read done');
      await assert.rejects(read('/etc/passwd'), /policy_denied|not allowed|403/);
      await assert.rejects(
        client.callTool({ name: 'write', arguments: {} }),
        /policy_denied|not allowed|403/,
      );
      assert.deepEqual(called, ['read']);
      // The server asks the workload's model; a rule about the server's messages says no.
      assert.equal(textOf(await client.callTool({ name: 'ask', arguments: {} })), 'unanswered');
      assert.equal(asked, 0);
    } finally {
      await client.close();
      for (const transport of transports.values()) await transport.close();
    }
  });
});

describe('WebSocket with ws', () => {
  let sockets: WebSocketServer;
  const server = createServer();
  before(() => {
    sockets = new WebSocketServer({ server });
    sockets.on('connection', (socket) => {
      socket.on('message', (data, binary) => socket.send(data, { binary }));
    });
  });
  after(() => sockets.close());

  async function connected(endpoint: string, path: string): Promise<{ client: WebSocket; fixture: Fixture }> {
    const fixture = await inspecting(endpoint);
    server.closeAllConnections();
    if (server.listening) await new Promise((resolve) => server.close(resolve));
    await fixture.serves(HOST, server);
    const socket = (await fixture.tunnel(`${HOST}:80`)).resume();
    const client = new WebSocket(`ws://${HOST}${path}`, ['graphql-transport-ws'], {
      createConnection: () => socket,
    });
    await once(client, 'open');
    return { client, fixture };
  }

  const echo = async (client: WebSocket, text: string): Promise<string> => {
    client.send(text);
    const [data] = (await once(client, 'message')) as [RawData];
    return data.toString();
  };
  const closeOf = async (client: WebSocket): Promise<number> =>
    ((await once(client, 'close')) as [number])[0];

  test('passes a rest endpoint as it is', async () => {
    const { client, fixture } = await connected('protocol: rest, access: full', '/any');
    await using _ = fixture;
    assert.equal(await echo(client, 'anything'), 'anything');
    client.close(1000);
    assert.equal(await closeOf(client), 1000);
  });

  const HANDSHAKE = '{ allow: { method: GET, path: /ws } }';
  test('needs a rule for text on a websocket endpoint', async () => {
    const text = '{ allow: { method: WEBSOCKET_TEXT, path: /ws } }';
    const allowed = await connected(`protocol: websocket, rules: [${HANDSHAKE}, ${text}]`, '/ws');
    assert.equal(await echo(allowed.client, 'hello'), 'hello');
    allowed.client.terminate();
    await allowed.fixture[Symbol.asyncDispose]();
    const refused = await connected(`protocol: websocket, rules: [${HANDSHAKE}]`, '/ws');
    await using _ = refused.fixture;
    refused.client.send('hello');
    assert.equal(await closeOf(refused.client), 1008);
  });

  test('carries GraphQL operations that are allowed, and ends at another', async () => {
    const rule = '{ allow: { operation_type: query, fields: [open] } }';
    const { client, fixture } = await connected(`protocol: websocket, rules: [${HANDSHAKE}, ${rule}]`, '/ws');
    await using _ = fixture;
    const message = (query: string): string =>
      JSON.stringify({ id: '1', type: 'subscribe', payload: { query } });
    const init = JSON.stringify({ type: 'connection_init' });
    assert.equal(await echo(client, init), init);
    assert.equal(await echo(client, message('{ open }')), message('{ open }'));
    client.send(message('mutation { change }'));
    assert.equal(await closeOf(client), 1008);
  });
});
