import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { InMemoryTransport } from '@modelcontextprotocol/sdk/inMemory.js';
import { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js';
import { WebStandardStreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/webStandardStreamableHttp.js';
import type { Transport } from '@modelcontextprotocol/sdk/shared/transport.js';
import {
  CreateMessageRequestSchema,
  type JSONRPCMessage,
  ListRootsRequestSchema,
} from '@modelcontextprotocol/sdk/types.js';
import type { RequestContent, RpcMessage } from '@openshell/policy';
import type { BodyReceiver, BodySource } from '../exchange/body.ts';
import { limitsWith } from '../limits.ts';
import { ByteBudget } from '../tenant/byte-budget.ts';
import type { RpcDialect } from './messages.ts';
import { readRpcRequest } from './rpc-request.ts';
import { filterServerMessages } from './server-messages.ts';

const LIMITS = limitsWith();
const MCP: RpcDialect = { protocol: 'mcp', strictToolNames: true };

/** A server that asks its client for roots and for a model's answer while it serves. `unanswered`: it need not wait for the latter. */
function newServer(unanswered: AbortSignal): McpServer {
  const server = new McpServer({ name: 'server', version: '1' }, { capabilities: { logging: {} } });
  server.registerTool('roots', {}, async (extra) => {
    await extra.sendNotification({
      method: 'notifications/message',
      params: { level: 'info', data: 'working' },
    });
    const { roots } = await server.server.listRoots({}, { relatedRequestId: extra.requestId });
    return { content: [{ type: 'text', text: roots.map(({ uri }) => uri).join() }] };
  });
  server.registerTool('sample.it', {}, async (extra) => {
    const asked = server.server.createMessage(
      { messages: [], maxTokens: 1 },
      { relatedRequestId: extra.requestId, signal: unanswered },
    );
    const text = await asked.then(
      () => 'answered',
      () => 'unanswered',
    );
    return { content: [{ type: 'text', text }] };
  });
  server.registerPrompt('greet', {}, () => ({ messages: [] }));
  server.registerResource('file', 'file:///a', {}, () => ({ contents: [{ uri: 'file:///a', text: 'x' }] }));
  return server;
}

function newClient(onSampling: () => void): Client {
  const client = new Client({ name: 'client', version: '1' }, { capabilities: { roots: {}, sampling: {} } });
  client.setRequestHandler(ListRootsRequestSchema, () => ({ roots: [{ uri: 'file:///w' }] }));
  client.setRequestHandler(CreateMessageRequestSchema, () => {
    onSampling();
    return { model: 'm', role: 'assistant', content: { type: 'text', text: 'x' } };
  });
  return client;
}

function recording(transport: Transport): JSONRPCMessage[] {
  const sent: JSONRPCMessage[] = [];
  const send = transport.send.bind(transport);
  transport.send = (message, options) => {
    sent.push(message);
    return send(message, options);
  };
  return sent;
}

const readPost = (body: unknown): RequestContent =>
  readRpcRequest(
    {
      method: 'POST',
      fields: [{ name: 'content-type', lowerName: 'content-type', value: 'application/json' }],
      body: Buffer.from(JSON.stringify(body)),
      dialect: MCP,
    },
    LIMITS,
  );

test('every message that the official client and server say to each other is understood', async () => {
  const [clientSide, serverSide] = InMemoryTransport.createLinkedPair();
  const fromClient = recording(clientSide);
  const fromServer = recording(serverSide);
  const server = newServer(new AbortController().signal);
  const client = newClient(() => {});
  await server.connect(serverSide);
  await client.connect(clientSide);
  await client.listTools();
  await client.callTool({ name: 'roots', arguments: { deep: { list: [1, 'two'] } } });
  await client.callTool({ name: 'sample.it' });
  await client.callTool({ name: 'missing' }).catch(() => {});
  await client.getPrompt({ name: 'greet' });
  await client.readResource({ uri: 'file:///a' });
  await client.ping();
  await client.close();
  await server.close();

  const understood: RpcMessage[] = [];
  for (const message of [...fromClient, ...fromServer]) {
    const content = readPost(message);
    assert.ok(content.kind === 'rpc', JSON.stringify([message, content]));
    const [read] = content.messages;
    assert.equal(
      read?.kind,
      'method' in message ? ('id' in message ? 'request' : 'notification') : 'response',
    );
    assert.equal(read?.method, 'method' in message ? message.method : '');
    if (read) understood.push(read);
  }
  const methods = new Set(understood.map(({ method }) => method));
  for (const method of [
    'initialize',
    'notifications/initialized',
    'tools/list',
    'tools/call',
    'prompts/get',
    'resources/read',
    'ping',
    'roots/list',
    'sampling/createMessage',
    'notifications/message',
  ])
    assert.ok(methods.has(method), method);
  assert.deepEqual(
    understood.filter(({ tool }) => tool !== undefined).map(({ tool }) => tool),
    ['roots', 'sample.it', 'missing'],
  );
  const call = understood.find(({ tool }) => tool === 'roots');
  assert.deepEqual(
    call?.params.filter(([name]) => name.startsWith('arguments.')),
    [
      ['arguments.deep.list', '1'],
      ['arguments.deep.list', 'two'],
    ],
  );
});

/** The body of a fetched response, as the proxy's sources are. */
class FetchedBody implements BodySource {
  readonly length = undefined;
  readonly #reader: ReadableStreamDefaultReader<Uint8Array>;
  #receiver: BodyReceiver | undefined;

  constructor(body: ReadableStream<Uint8Array>) {
    this.#reader = body.getReader();
  }

  start(receiver: BodyReceiver): void {
    this.#receiver = receiver;
    void this.#pump();
  }

  resume(): void {
    void this.#pump();
  }

  cancel(): void {
    this.#reader.cancel().catch(() => {});
  }

  async #pump(): Promise<void> {
    for (;;) {
      const { done, value } = await this.#reader.read();
      if (done) {
        this.#receiver?.end([]);
        return;
      }
      if (!this.#receiver?.data(Buffer.from(value))) return;
    }
  }
}

test('the official client works through the filter, and never sees what is refused', async () => {
  const unanswered = new AbortController();
  const server = newServer(unanswered.signal);
  const serverTransport = new WebStandardStreamableHTTPServerTransport({
    sessionIdGenerator: () => 'session',
  });
  await server.connect(serverTransport);
  const asked: string[] = [];
  const refused: string[] = [];
  const read: RequestContent[] = [];

  const fetchThrough = async (url: string | URL, init?: RequestInit): Promise<Response> => {
    const request = new Request(url, init);
    const body = Buffer.from(await request.clone().arrayBuffer());
    const fields = [...request.headers].map(([name, value]) => ({ name, lowerName: name, value }));
    read.push(readRpcRequest({ method: request.method, fields, body, dialect: MCP }, LIMITS));
    const response = await serverTransport.handleRequest(request);
    if (!response.body) return response;
    const filtered = filterServerMessages(new FetchedBody(response.body), {
      budget: new ByteBudget(1 << 30),
      head: {
        status: response.status,
        fields: [...response.headers].map(([name, value]) => ({ name, lowerName: name, value })),
      },
      dialect: MCP,
      limits: LIMITS,
      decide: ({ kind, method }) => {
        if (kind !== 'response') asked.push(method);
        return method !== 'sampling/createMessage';
      },
      onRefused: ({ method }) => {
        refused.push(method);
        unanswered.abort();
      },
    });
    const stream = new ReadableStream<Uint8Array>({
      start: (controller) =>
        filtered.start({
          data: (bytes) => {
            controller.enqueue(new Uint8Array(bytes));
            return true;
          },
          end: () => controller.close(),
          fail: (reason) => controller.error(new Error(reason)),
        }),
      cancel: () => filtered.cancel(),
    });
    return new Response(stream, { status: response.status, headers: response.headers });
  };

  const client = newClient(() => assert.fail('the request was refused'));
  const transport = new StreamableHTTPClientTransport(new URL('http://mcp.test/mcp'), {
    fetch: fetchThrough,
  });
  // The SDK's own type has `sessionId?: string` where its class has `string | undefined`.
  await client.connect(transport as Transport);
  assert.equal((await client.listTools()).tools.length, 2);
  const text = (result: unknown): unknown => (result as { content: { text: string }[] }).content[0]?.text;
  assert.equal(text(await client.callTool({ name: 'roots' })), 'file:///w');
  assert.equal(text(await client.callTool({ name: 'sample.it' })), 'unanswered');
  await transport.terminateSession();
  await client.close();
  await server.close();

  assert.deepEqual(refused, ['sampling/createMessage']);
  assert.ok(asked.includes('roots/list') && asked.includes('notifications/message'));
  assert.ok(read.every(({ kind }) => kind === 'rpc'));
  assert.ok(read.some((content) => content.kind === 'rpc' && content.receiveStream));
});
