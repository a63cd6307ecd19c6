import assert from 'node:assert/strict';
import { once } from 'node:events';
import { Agent, createServer, request as httpRequest, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { test } from 'node:test';
import { generation } from '@openshell/base';
import { compilePolicy } from '@openshell/policy';
import { type RawData, WebSocket, WebSocketServer } from 'ws';
import { policyAlone } from '../tenant/settings.ts';
import { apiPolicy, HOST, inspecting, parsedApiPolicy } from '../test-support/inspected.ts';

const paths = (allowed: readonly string[]): string =>
  `protocol: rest, rules: [${allowed.map((path) => `{ allow: { method: GET, path: ${path} } }`).join(', ')}]`;

const BOTH = ['/get/**', '/kept/**'];
/** Generations that agree about what they allow and differ in what they say. */
const FIRST = paths([...BOTH, '/ended/**']);
const policies = [FIRST, paths([...BOTH, '/ended/**', '/more'])].map((text) => parsedApiPolicy(text));
const LATER = paths(BOTH);

const RELOADS = 1000;
const CLIENTS = 24;

test('1,000 reloads under load lose nothing that all generations allow; the last ends what it does not', async () => {
  await using fixture = await inspecting(FIRST);
  const streams: ServerResponse[] = [];
  const server = createServer((request, response) => {
    const path = request.url ?? '';
    if (path.startsWith('/get/')) response.end(path);
    else {
      response.writeHead(200, { 'content-type': 'text/event-stream' }).flushHeaders();
      streams.push(response);
    }
  });
  const sockets = new WebSocketServer({ server });
  sockets.on('connection', (socket) => socket.on('message', (data) => socket.send(data, { binary: false })));
  await fixture.serves(HOST, server);

  const tunnel = async (): Promise<Socket> => (await fixture.tunnel(`${HOST}:80`)).resume();
  const get = async (
    path: string,
  ): Promise<{ socket: Socket; next(): Promise<string>; ended: Promise<string> }> => {
    const socket = await tunnel();
    socket.write(`GET ${path} HTTP/1.1\r\nHost: ${HOST}\r\n\r\n`);
    const ended = new Promise<string>((resolve) => {
      for (const event of ['end', 'close']) socket.once(event, () => resolve('ended'));
    });
    return { socket, ended, next: async () => String((await once(socket, 'data'))[0]) };
  };
  const webSocket = async (path: string): Promise<WebSocket> => {
    const socket = await tunnel();
    const client = new WebSocket(`ws://${HOST}${path}`, { createConnection: () => socket });
    await once(client, 'open');
    return client;
  };
  const streamOf = async (path: string): Promise<Awaited<ReturnType<typeof get>>> => {
    const stream = await get(path);
    assert.match(await stream.next(), /^HTTP\/1\.1 200 /);
    return stream;
  };

  const kept = await streamOf('/kept/events');
  const ended = await streamOf('/ended/download');
  const keptSocket = await webSocket('/kept/ws');
  const endedSocket = await webSocket('/ended/ws');
  const [keptResponse, endedResponse] = streams;
  endedResponse!.write('part');

  // Clients on connections of their own, which they keep.
  let reloading = true;
  let answered = 0;
  const clients = Array.from({ length: CLIENTS }, async (_, client) => {
    const connections = new Set<Socket>();
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    const socket = await tunnel();
    agent.createConnection = () => {
      connections.add(socket);
      return socket;
    };
    for (let number = 0; reloading; number++) {
      const path = `/get/${client}/${number}`;
      const request = httpRequest({ host: HOST, path, agent, headers: { host: HOST } }).end();
      const [response] = await once(request, 'response');
      let body = '';
      for await (const chunk of response) body += chunk;
      assert.deepEqual([response.statusCode, body], [200, path]);
      answered++;
    }
    agent.destroy();
    assert.equal(connections.size, 1);
  });
  const load = Promise.all(clients);

  for (let number = 2; number < 2 + RELOADS; number++) {
    fixture.tenant.apply(policyAlone(compilePolicy(policies[number % 2]!, generation(number))));
    if (number % 10 === 0) {
      keptSocket.send(`${number}`);
      const [data] = (await once(keptSocket, 'message')) as [RawData];
      assert.equal(data.toString(), `${number}`);
    }
    if (number % 50 === 0) {
      keptResponse!.write(`data: ${number}\n\n`);
      assert.match(await kept.next(), new RegExp(`data: ${number}\n\n`));
    }
    if (number % 4 === 0) await new Promise(setImmediate);
  }
  reloading = false;
  await load;
  assert.ok(answered >= CLIENTS, `${answered}`);

  // The last generation allows less.
  const closed = once(endedSocket, 'close') as Promise<[number]>;
  fixture.tenant.apply(apiPolicy(LATER, RELOADS + 2));
  assert.equal((await closed)[0], 1012);
  assert.equal(await ended.ended, 'ended');
  keptResponse!.write('data: still there\n\n');
  assert.match(await kept.next(), /still there/);
  keptSocket.send('still there');
  assert.equal(String((await once(keptSocket, 'message'))[0]), 'still there');

  // One that knows nothing of the host ends the rest, each in its way.
  const last = once(keptSocket, 'close') as Promise<[number]>;
  const idle = await tunnel();
  const gone = new Promise((resolve) => idle.once('end', resolve).once('close', resolve));
  fixture.tenant.apply(apiPolicy(LATER, RELOADS + 3, 'other.example'));
  assert.equal((await last)[0], 1012);
  assert.equal(await kept.ended, 'ended');
  await gone;
  sockets.close();
});
