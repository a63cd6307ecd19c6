import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, Socket } from 'node:net';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';
import type { InferenceRoute } from './routes.ts';
import { ALL, events, InferenceFixture, json, KEY } from './test-support/fixture.ts';

const CHAT = '/v1/chat/completions';
const ASK = { model: 'small', messages: [{ role: 'user', content: 'hi' }] };
const COMPLETION = { id: '1', choices: [], usage: { prompt_tokens: 5, completion_tokens: 7 } };

const errorOf = async (response: Response): Promise<{ message: string; type: string; code: string }> =>
  ((await response.json()) as { error: { message: string; type: string; code: string } }).error;

test('a request reaches the backend with its own key in place of any that the caller sent', async () => {
  await using fixture = await InferenceFixture.start({
    respond: json(COMPLETION),
    route: { headers: { 'X-Team': 'a' } },
  });
  const response = await fixture.post(`${CHAT}?api-key=callers`, ASK, {
    authorization: 'Bearer callers-key',
    'x-api-key': 'callers-key',
    cookie: 'a=callers-key',
    'x-team': 'callers-key',
    'openai-organization': 'org',
    'accept-encoding': 'br',
  });
  assert.deepEqual(await response.json(), COMPLETION);
  assert.equal(response.headers.get('x-openshell-trace-id'), 'trace');
  const [sent] = fixture.sent;
  assert.equal(sent?.url, CHAT);
  assert.equal(sent?.headers.authorization, `Bearer ${KEY}`);
  assert.equal(sent?.headers['x-team'], 'a');
  assert.equal(sent?.headers['openai-organization'], 'org');
  assert.equal(sent?.headers['accept-encoding'], 'identity');
  assert.match(sent?.headers.host ?? '', /^127\.0\.0\.1:\d+$/);
  assert.equal(JSON.stringify(sent).includes('callers'), false);
  const record = await fixture.record();
  const { usage, route, model, protocol, action, status } = record;
  assert.deepEqual(
    { usage, route, model, protocol, action, status },
    {
      usage: { input: 5, output: 7 },
      route: 'main',
      model: 'small',
      protocol: 'openai_chat_completions',
      action: 'allowed',
      status: 200,
    },
  );
  assert.equal(JSON.stringify(record).includes(KEY), false);
});

test('keys go where the route says', async () => {
  const credential = { kind: 'env', variable: 'KEY' } as const;
  const cases: [auth: InferenceRoute['auth'], name: string, value: string | undefined][] = [
    [{ kind: 'x-api-key', credential }, 'x-api-key', KEY],
    [{ kind: 'header', name: 'Api-Key', credential }, 'api-key', KEY],
    [{ kind: 'none' }, 'authorization', undefined],
  ];
  for (const [auth, name, value] of cases) {
    await using fixture = await InferenceFixture.start({ respond: json({}), route: { auth } });
    await fixture.post(CHAT, ASK, { authorization: 'Bearer callers-key' });
    assert.equal(fixture.sent[0]?.headers[name], value, auth.kind);
  }
});

test('the model is replaced, numbers stay exact, and the most specific route gets the request', async () => {
  const route = (name: string, models: string[], model?: string): ((url: string) => InferenceRoute) => {
    return (baseUrl) => ({
      name,
      models,
      protocols: ALL,
      baseUrl: `${baseUrl}/${name}/`,
      auth: { kind: 'none' },
      ...(model !== undefined && { model }),
    });
  };
  const made = [
    route('any', ['*'], 'fallback'),
    route('llama', ['meta/llama-*']),
    route('exact', ['meta/llama-3'], 'other'),
  ];
  await using fixture = await InferenceFixture.start({
    respond: json({}),
    routes: (url) => made.map((make) => make(url)),
  });
  const body = '{"model":"MODEL","seed":12345678901234567890,"messages":[{"__proto__":1}]}';
  for (const model of ['meta/llama-3', 'meta/llama-4', 'gpt'])
    await fixture.post(CHAT, body.replace('MODEL', model));
  await fixture.post(CHAT, { messages: [] });
  assert.deepEqual(
    fixture.sent.map(({ url, body }) => [url, body]),
    [
      ['/exact/chat/completions', body.replace('MODEL', 'other')],
      ['/llama/chat/completions', body.replace('MODEL', 'meta/llama-4')],
      ['/any/chat/completions', body.replace('MODEL', 'fallback')],
      ['/any/chat/completions', '{"messages":[],"model":"fallback"}'],
    ],
  );
});

test('what cannot be understood or routed is refused in the shape of the API, and no backend hears of it', async () => {
  await using fixture = await InferenceFixture.start({ respond: json({}) });
  const cases: [body: string, status: number, message: RegExp][] = [
    ['{"model":"unknown"}', 400, /No route serves the model "unknown" here\. Known are: small\./],
    ['{}', 400, /names no model/],
    ['{"model":"small","model":"large-1"}', 400, /twice/],
    ['{"model":"small","Model":"large-1"}', 400, /mistaken/],
    ['{"model":7}', 400, /"model" is not a text/],
    ['[]', 400, /not a JSON object/],
    ['{"model":', 400, /not JSON/],
    ['', 400, /not JSON/],
    [`{"model":"small","x":${'['.repeat(100_000)}`, 400, /deep/],
  ];
  for (const [body, status, message] of cases) {
    const response = await fixture.post(CHAT, body);
    assert.equal(response.status, status, body.slice(0, 40));
    const error = await errorOf(response);
    assert.match(error.message, message);
    assert.equal(error.type, 'invalid_request_error');
  }
  const anthropic = await fixture.post('/v1/messages', '{}');
  assert.equal(((await anthropic.json()) as { type: string }).type, 'error');
  const coded = await fixture.post(CHAT, '{}', { 'content-encoding': 'gzip' });
  assert.match((await errorOf(coded)).message, /content coding/);
  assert.deepEqual(fixture.sent, []);
});

test('a body beyond the bound is refused, whether its length is told before or not', async () => {
  await using fixture = await InferenceFixture.start({
    respond: json({}),
    limits: { inferenceRequestBytes: 100 },
  });
  const large = JSON.stringify({ ...ASK, pad: 'x'.repeat(200) });
  assert.equal((await fixture.post(CHAT, large)).status, 413);
  const stream = new Blob([large]).stream();
  const init = { method: 'POST', body: stream, duplex: 'half' } as RequestInit;
  const streamed = await fetch(`${fixture.url}${CHAT}`, init);
  assert.equal(streamed.status, 413);
  assert.deepEqual(fixture.sent, []);
});

test('a body that does not come is given up', async () => {
  await using fixture = await InferenceFixture.start({
    respond: json({}),
    limits: { inferenceRequestTime: 20 },
  });
  const socket = connect(Number(new URL(fixture.url).port), '127.0.0.1');
  socket.write(`POST ${CHAT} HTTP/1.1\r\nHost: inference.local\r\nContent-Length: 10\r\n\r\n{`);
  const [first] = (await once(socket, 'data')) as [Buffer];
  socket.destroy();
  assert.match(first.toString(), /^HTTP\/1\.1 408 /);
});

test('other requests are refused, and so is everybody where nothing is configured or known', async () => {
  await using fixture = await InferenceFixture.start({ respond: json({}) });
  for (const [method, path] of [
    ['GET', '/'],
    ['GET', CHAT],
    ['POST', '/v1/chat/completions/'],
    ['POST', '/v1/files'],
    ['DELETE', '/v1/models/small'],
  ] as const) {
    const response = await fetch(`${fixture.url}${path}`, { method });
    assert.equal(response.status, 403, `${method} ${path}`);
    assert.equal(((await response.json()) as { error: string }).error, 'policy_denied');
    assert.equal((await fixture.record()).action, 'denied');
  }
  await using empty = await InferenceFixture.start({ respond: json({}), routes: () => [] });
  const unconfigured = await empty.post(CHAT, ASK);
  assert.equal(unconfigured.status, 503);
  assert.equal(((await unconfigured.json()) as { error: string }).error, 'inference_not_configured');
  await using unknown = await InferenceFixture.start({
    respond: json({}),
    caller: { kind: 'unknown', reason: 'gone' },
  });
  const stranger = await unknown.post(CHAT, ASK);
  assert.equal(stranger.status, 403);
  assert.equal(((await stranger.json()) as { code: string }).code, 'identity_unknown');
});

test('too many at once are turned away', async () => {
  const { promise, resolve } = Promise.withResolvers<void>();
  await using fixture = await InferenceFixture.start({
    respond: (response) => void promise.then(() => response.end('{}')),
    limits: { inferenceRequests: 1 },
  });
  const first = fixture.post(CHAT, ASK);
  while (fixture.sent.length === 0) await new Promise((resolve) => setImmediate(resolve));
  assert.equal((await fixture.post(CHAT, ASK)).status, 503);
  resolve();
  assert.equal((await first).status, 200);
});

test('a key that comes back is masked, in fields and across the pieces of a body', async () => {
  await using fixture = await InferenceFixture.start({
    respond: (response) => {
      response.writeHead(200, {
        'content-type': 'application/json',
        'x-echo': `Bearer ${KEY}`,
        'set-cookie': 'a=b',
      });
      response.write(`{"error":"key ${KEY.slice(0, 9)}`);
      setImmediate(() => response.end(`${KEY.slice(9)} is wrong"}`));
    },
  });
  const response = await fixture.post(CHAT, ASK);
  assert.equal(response.headers.get('x-echo'), 'Bearer [REDACTED]');
  assert.equal(response.headers.get('set-cookie'), null);
  assert.equal(await response.text(), '{"error":"key [REDACTED] is wrong"}');
});

test('what a backend says about the key, other places or codings is not passed on', async () => {
  const cases: [status: number, headers: Record<string, string>, body: Buffer | string, code: string][] = [
    [401, {}, '{"error":"sk-op***789 is wrong"}', 'backend_unauthorized'],
    [302, { location: 'http://169.254.169.254/' }, '', 'backend_redirect'],
    [200, { 'content-encoding': 'gzip' }, gzipSync(KEY), 'backend_encoding'],
  ];
  for (const [status, headers, body, code] of cases) {
    await using fixture = await InferenceFixture.start({
      respond: (response) => void response.writeHead(status, headers).end(body),
    });
    const response = await fixture.post(CHAT, ASK);
    assert.equal(response.status, 502);
    assert.equal(response.headers.get('x-should-retry'), 'false');
    assert.equal((await errorOf(response)).code, code);
    assert.equal((await fixture.record()).code, code);
  }
});

test("a backend's own errors are the caller's to see", async () => {
  await using fixture = await InferenceFixture.start({
    respond: json({ error: { message: 'slow down' } }, 429),
  });
  const response = await fixture.post(CHAT, ASK);
  assert.equal(response.status, 429);
  assert.equal((await errorOf(response)).message, 'slow down');
});

test('a backend that cannot be reached, or says nothing in time, is an error with a reason', async () => {
  await using dead = await InferenceFixture.start({
    respond: json({}),
    route: { baseUrl: 'http://127.0.0.1:1' },
  });
  const unreachable = await dead.post(CHAT, ASK);
  assert.equal(unreachable.status, 502);
  assert.equal((await errorOf(unreachable)).code, 'upstream_unreachable');
  await using silent = await InferenceFixture.start({
    respond: () => undefined,
    route: { limits: { headTime: 20 } },
  });
  const late = await silent.post(CHAT, ASK);
  assert.equal(late.status, 504);
  assert.equal((await errorOf(late)).code, 'upstream_timeout');
});

test('events come through as they are, one by one, with their counts read', async () => {
  const first =
    'event: message_start\ndata: {"type":"message_start","message":{"usage":{"input_tokens":11,"output_tokens":1}}}\n\n';
  const second =
    'event: message_delta\r\ndata: {"type":"message_delta","usage":{"output_tokens":42}}\r\n\r\n';
  const { promise, resolve } = Promise.withResolvers<void>();
  await using fixture = await InferenceFixture.start({
    respond: events([first], (response) => void promise.then(() => response.end(second))),
  });
  const response = await fixture.post('/v1/messages', ASK);
  const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader();
  assert.equal((await reader.read()).value, first);
  resolve();
  let rest = '';
  for (let part = await reader.read(); !part.done; part = await reader.read()) rest += part.value;
  assert.equal(rest, second);
  assert.deepEqual((await fixture.record()).usage, { input: 11, output: 42 });
  assert.equal(fixture.sent[0]?.headers['anthropic-version'], '2023-06-01');
});

test('a stream that breaks off ends with an error event of the API, between two events', async () => {
  const half = 'data: {"id":"1"}\n\ndata: {"id":';
  const breaks = { respond: events([half], (response) => setImmediate(() => response.destroy())) };
  await using openai = await InferenceFixture.start(breaks);
  const text = await (await openai.post(CHAT, ASK)).text();
  assert.match(
    text,
    /^data: \{"id":"1"\}\n\ndata: \{"error":\{"message":".*","type":"proxy_stream_error".*\}\n\n$/,
  );
  const record = await openai.record();
  assert.deepEqual([record.action, record.code, record.status], ['failed', 'incomplete', 200]);
  await using anthropic = await InferenceFixture.start(breaks);
  const other = await (await anthropic.post('/v1/messages', ASK)).text();
  assert.match(
    other,
    /\n\nevent: error\ndata: \{"type":"error","error":\{"type":"api_error","message":".*"\}\}\n\n$/,
  );
});

test('a stream that falls silent, or is too long, ends the same way', async () => {
  const never = (): void => undefined;
  const cases: [limits: InferenceRoute['limits'], list: string[]][] = [
    [{ chunkTime: 20 }, ['data: 1\n\n']],
    [{ responseBytes: 20 }, ['data: 1\n\n', `data: ${'x'.repeat(30)}\n\n`]],
  ];
  for (const [limits = {}, list] of cases) {
    await using fixture = await InferenceFixture.start({ respond: events(list, never), route: { limits } });
    const text = await (await fixture.post(CHAT, ASK)).text();
    assert.match(text, /^(data: 1\n\n)?data: \{"error"/);
  }
});

test('a response that is no stream and cannot be completed is cut off without its end', async () => {
  await using fixture = await InferenceFixture.start({
    respond: (response) => {
      response.writeHead(200, { 'content-type': 'application/json' });
      response.write('{"a":');
    },
    route: { limits: { totalTime: 30 } },
  });
  const response = await fixture.post(CHAT, ASK);
  await assert.rejects(response.text());
  assert.equal((await fixture.record()).code, 'incomplete');
});

test('a client that goes takes its request to the backend with it', async () => {
  const { promise, resolve } = Promise.withResolvers<void>();
  await using fixture = await InferenceFixture.start({
    respond: events(['data: 1\n\n'], (response) => void response.on('close', resolve)),
  });
  const socket = connect(Number(new URL(fixture.url).port), '127.0.0.1');
  const body = JSON.stringify(ASK);
  socket.write(
    `POST ${CHAT} HTTP/1.1\r\nHost: inference.local\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
  );
  await once(socket, 'data');
  socket.resetAndDestroy();
  await promise;
  assert.equal((await fixture.record()).action, 'failed');
});

test('a client that goes before the response is not answered', async () => {
  const { promise, resolve } = Promise.withResolvers<void>();
  const socket = new Socket();
  await using fixture = await InferenceFixture.start({
    respond: (response) => {
      response.on('close', resolve);
      socket.resetAndDestroy();
    },
  });
  const body = JSON.stringify(ASK);
  socket.connect(Number(new URL(fixture.url).port), '127.0.0.1');
  socket.write(
    `POST ${CHAT} HTTP/1.1\r\nHost: inference.local\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
  );
  await promise;
  const { code, status } = await fixture.record();
  assert.deepEqual([code, status], ['client_gone', 0]);
});

test('a connection that has gone stale costs nothing: the request goes out once more', async () => {
  let served = 0;
  await using fixture = await InferenceFixture.start({
    respond: (response, sent) => {
      // The second request on a connection that was kept finds it closed.
      if (++served === 2) response.socket?.destroy();
      else json(COMPLETION)(response, sent);
    },
  });
  for (let count = 0; count < 2; count++) assert.equal((await fixture.post(CHAT, ASK)).status, 200);
  assert.equal(served, 3);
});

test('the list of models joins what routes name and what backends say of the rest', async () => {
  const list = { data: [{ id: 'org/a' }, { id: 'org/b\n' }, { id: 'hidden' }, { id: 7 }] };
  const base = {
    protocols: ALL,
    auth: { kind: 'bearer', credential: { kind: 'env', variable: 'KEY' } },
  } as const;
  await using fixture = await InferenceFixture.start({
    respond: json(list),
    routes: (baseUrl) => [
      { ...base, baseUrl, name: 'a', models: ['small', 'secret-*'] },
      { ...base, baseUrl, name: 'b', models: ['org/*', 'small'], protocols: [...ALL, 'model_discovery'] },
      {
        ...base,
        baseUrl: 'http://127.0.0.1:1',
        name: 'c',
        models: ['dead-*'],
        protocols: [...ALL, 'model_discovery'],
      },
    ],
  });
  const response = await fetch(`${fixture.url}/v1/models`, {
    headers: { authorization: 'Bearer callers-key' },
  });
  const { data } = (await response.json()) as { data: { id: string }[] };
  assert.deepEqual(
    data.map(({ id }) => id),
    ['small', 'org/a'],
  );
  assert.deepEqual(
    fixture.sent.map(({ method, url, headers }) => [method, url, headers.authorization]),
    [['GET', '/v1/models', `Bearer ${KEY}`]],
  );
  assert.equal((await fetch(`${fixture.url}/v1/models/org%2Fz`)).status, 200);
  assert.equal((await fetch(`${fixture.url}/v1/models/hidden`)).status, 404);
});
