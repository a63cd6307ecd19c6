import assert from 'node:assert/strict';
import type { Socket } from 'node:net';
import { describe, test } from 'node:test';
import { correlationOf, type SecurityEvent } from '@openshell/audit';
import { closeReason, Fixture, LOOPBACK, portOf, readAll, readUntil } from '../test-support/fixture.ts';
import { HOST, inspecting, ScriptedOrigin, secureClient } from '../test-support/inspected.ts';
import { fieldOf } from '../test-support/wire.ts';
import { UpstreamTrust } from '../tls/trust.ts';
import { openTracing } from './open-tracing.ts';
import type { TraceHeader, TracingOptions } from './options.ts';
import type { FinishedSpan } from './span.ts';
import { FakeCollector } from './test-support/collector.ts';
import { KeptSpans } from './test-support/kept-spans.ts';

const TRACE = '0af7651916cd43dd8448eb211c80319c';
const OTHER = '4bf92f3577b34da6a3ce929d0e0e4736';
const SPAN = 'b7ad6b7169203331';
const GIVEN = `00-${TRACE}-${SPAN}-01`;
const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';
const REST = 'protocol: rest, access: read-only';

type Wired = readonly (readonly [string, string])[];
const saidIn = (fields: Wired, name: string): string | undefined =>
  fields.find(([other]) => other === name)?.[1];

const named = (
  spans: readonly FinishedSpan[],
  name: string,
  kind: FinishedSpan['kind'] = 'server',
): FinishedSpan => {
  const found = spans.filter((span) => span.name === name && span.kind === kind);
  assert.equal(found.length, 1, `${found.length} spans ${name}`);
  return found[0]!;
};

/** What a tunnel to HOST is asked for, with these fields in the head of CONNECT. */
async function tunnelled(fixture: Fixture, fields: string): Promise<Socket> {
  const socket = await fixture.client();
  socket.write(`CONNECT ${HOST}:80 HTTP/1.1\r\nHost: ${HOST}:80\r\n${fields}\r\n`);
  await readUntil(socket, '\r\n\r\n');
  return socket;
}

/** An inspecting proxy whose origin answers everything with 200, and what it was sent. */
async function observed(tracing: TracingOptions): Promise<{ fixture: Fixture; sent: Wired[] }> {
  const fixture = await inspecting(REST, { tracing });
  const sent: Wired[] = [];
  const origin = await ScriptedOrigin.start(fixture);
  origin.onConnection = async (wire) => {
    for (;;) {
      const request = await wire.request().catch(() => undefined);
      if (request === undefined) return;
      sent.push(request.fields);
      wire.send(OK);
    }
  };
  return { fixture, sent };
}

const ask = async (socket: Socket, fields = '', target = '/a?token=secret'): Promise<string> => {
  socket.write(`GET ${target} HTTP/1.1\r\nHost: ${HOST}\r\n${fields}\r\n`);
  return readUntil(socket, 'ok');
};

const traceIds = (events: readonly SecurityEvent[]) => [
  ...new Set(events.map((event) => correlationOf(event).traceId)),
];

describe('a trace', () => {
  test('goes from the client by its connection and its request to the upstream', async () => {
    const spans = new KeptSpans();
    const { fixture, sent } = await observed({ header: 'forward', spans });
    await using _ = fixture;
    const socket = await tunnelled(fixture, `Traceparent: ${GIVEN}\r\ntracestate: a=1, b=2\r\n`);
    const answer = await ask(socket);
    socket.destroy();
    const all = await spans.atLeast(3);
    const [connection, request, upstream] = [
      named(all, 'connection'),
      named(all, 'GET'),
      named(all, 'GET', 'client'),
    ];
    assert.deepEqual(
      all.map(({ traceId, state, flags }) => [traceId, state, flags]),
      all.map(() => [TRACE, 'a=1, b=2', 1]),
    );
    assert.deepEqual([connection.parentId, connection.remoteParent], [SPAN, true]);
    assert.deepEqual([request.parentId, request.remoteParent], [connection.spanId, false]);
    assert.deepEqual([upstream.parentId, upstream.remoteParent], [request.spanId, false]);
    assert.equal(saidIn(sent[0]!, 'traceparent'), `00-${TRACE}-${upstream.spanId}-01`);
    assert.equal(saidIn(sent[0]!, 'tracestate'), 'a=1, b=2');
    assert.match(answer, new RegExp(`X-OpenShell-Trace-Id: ${TRACE}\r\n`));

    assert.deepEqual(traceIds(fixture.sink.events), [TRACE]);
    const event = fixture.sink.events.find(({ class_uid }) => class_uid === 4002);
    assert.equal(event?.unmapped?.span_id, request.spanId);

    for (const { startedAt, durationMs } of [request, upstream]) {
      assert.ok(startedAt >= connection.startedAt);
      assert.ok(startedAt + durationMs <= connection.startedAt + connection.durationMs);
    }
    const { 'process.executable.path': binary, ...about } = request.attributes;
    assert.equal(binary, '/usr/bin/curl');
    assert.equal(about['openshell.tenant'], 'box');
    assert.equal(about['openshell.generation'], 1);
    assert.equal(about['url.path'], '/a');
    assert.equal(about['http.response.status_code'], 200);
    assert.equal(upstream.attributes['network.peer.address'], LOOPBACK);
    assert.equal(connection.attributes['openshell.action'], 'allowed');
    assert.doesNotMatch(JSON.stringify(all), /secret/);
  });

  test('is the request’s own where it brings one, and the connection’s for every other', async () => {
    const spans = new KeptSpans();
    const { fixture, sent } = await observed({ header: 'forward', spans });
    await using _ = fixture;
    const socket = await tunnelled(fixture, '');
    await ask(socket, `traceparent: 00-${OTHER}-${SPAN}-00\r\n`);
    await ask(socket);
    await ask(socket, 'traceparent: nonsense\r\ntracestate: a=1\r\n');
    socket.destroy();
    const all = await spans.atLeast(7);
    const connection = named(all, 'connection');
    assert.equal(connection.parentId, undefined);
    const requests = all.filter(({ kind, name }) => kind === 'server' && name === 'GET');
    assert.deepEqual(
      requests.map(({ traceId, parentId, flags }) => [traceId, parentId, flags]),
      [
        [OTHER, SPAN, 0],
        [connection.traceId, connection.spanId, 1],
        [connection.traceId, connection.spanId, 1],
      ],
    );
    const told = sent.map((fields) => [
      saidIn(fields, 'traceparent')?.slice(0, 36),
      saidIn(fields, 'tracestate'),
    ]);
    assert.deepEqual(told, [
      [`00-${OTHER}-`, undefined],
      [undefined, undefined],
      [undefined, undefined],
    ]);
  });

  const upstreams: [TraceHeader, string, RegExp | undefined][] = [
    ['off', GIVEN, new RegExp(`^${GIVEN}$`)],
    ['off', 'nonsense', /^nonsense$/],
    ['forward', GIVEN, new RegExp(`^00-${TRACE}-(?!${SPAN})[0-9a-f]{16}-01$`)],
    ['forward', 'nonsense', undefined],
    ['add', GIVEN, new RegExp(`^00-${TRACE}-(?!${SPAN})[0-9a-f]{16}-01$`)],
    ['add', 'nonsense', /^00-[0-9a-f]{32}-[0-9a-f]{16}-00$/],
  ];
  for (const [header, given, told] of upstreams) {
    test(`is told to upstreams as the operator wants it (${header}, ${given.slice(0, 8)}), without any spans`, async () => {
      const { fixture, sent } = await observed({ header });
      await using _ = fixture;
      await ask(await tunnelled(fixture, ''), `traceparent: ${given}\r\n`);
      const value = saidIn(sent[0]!, 'traceparent');
      if (told === undefined) assert.equal(value, undefined);
      else assert.match(value ?? '', told);
    });
  }

  test('of the forward proxy holds every request of a connection, and the refused among them', async () => {
    const spans = new KeptSpans();
    const { fixture } = await observed({ header: 'off', spans });
    await using _ = fixture;
    const socket = await fixture.client();
    socket.write(`GET http://${HOST}/a HTTP/1.1\r\nHost: ${HOST}\r\n\r\n`);
    await readUntil(socket, 'ok');
    socket.end('GET http://other.example/b HTTP/1.1\r\nHost: other.example\r\nConnection: close\r\n\r\n');
    assert.match(String(await readAll(socket)), /^HTTP\/1.1 403 /);
    const all = await spans.atLeast(4);
    const connection = named(all, 'connection');
    assert.equal(connection.error, undefined);
    const requests = all.filter(({ kind, name }) => kind === 'server' && name === 'GET');
    assert.deepEqual(
      requests.map(({ parentId, error, attributes }) => [parentId, error, attributes['server.address']]),
      [
        [connection.spanId, undefined, HOST],
        [connection.spanId, 'endpoint_not_allowed', 'other.example'],
      ],
    );
    assert.deepEqual(traceIds(fixture.sink.events), [connection.traceId]);
  });
});

describe('what is said of one connection', () => {
  const everything = (events: readonly SecurityEvent[], generation = 1): string | undefined => {
    const [traceId, ...others] = traceIds(events);
    assert.deepEqual(others, []);
    for (const event of events)
      assert.deepEqual(correlationOf(event), { tenant: 'box', generation, traceId });
    return traceId;
  };

  test('that nobody looks into has one id, from its opening to its end, with its way to the upstream below it', async () => {
    const spans = new KeptSpans();
    await using fixture = await Fixture.start({
      allow: ['echo.example:7'],
      tracing: { header: 'off', spans },
    });
    await fixture.origin('echo.example', (socket) => socket.end('hello'));
    const socket = await fixture.tunnel('echo.example:7');
    assert.equal(String(await readAll(socket)), 'hello');
    const all = await spans.atLeast(2);
    const [connection, upstream] = [named(all, 'connection'), named(all, 'connect', 'client')];
    assert.equal(upstream.parentId, connection.spanId);
    assert.equal(upstream.attributes['network.peer.address'], LOOPBACK);
    assert.equal(connection.attributes['openshell.bytes_in'], 5);
    assert.equal(fixture.sink.events.length, 2);
    assert.equal(everything(fixture.sink.events), connection.traceId);
  });

  test('that is refused is in the event, the answer, the line for the person and the span', async () => {
    const spans = new KeptSpans();
    await using fixture = await Fixture.start({ allow: [], tracing: { header: 'off', spans } });
    const answer = await fixture.ask(
      `CONNECT no.example:443 HTTP/1.1\r\nHost: no.example\r\ntraceparent: ${GIVEN}\r\n\r\n`,
    );
    const [connection] = await spans.atLeast(1);
    assert.match(answer, new RegExp(`X-OpenShell-Trace-Id: ${TRACE}\r\n`));
    assert.match(answer, new RegExp(`"trace_id":"${TRACE}"`));
    assert.equal(everything(fixture.sink.events), TRACE);
    const { traceId, tenant, generation } = fixture.refusals[0]!;
    assert.deepEqual({ traceId, tenant, generation }, { traceId: TRACE, tenant: 'box', generation: 1 });
    assert.deepEqual([connection!.traceId, connection!.error], [TRACE, 'no_policy']);
    assert.equal(connection!.attributes['openshell.action'], 'denied');
    await fixture.tenant.close();
    for (const event of fixture.sink.events) assert.equal(correlationOf(event).generation, 1);
  });

  test('that fails on its way is told apart from one that is denied', async () => {
    const spans = new KeptSpans();
    await using fixture = await Fixture.start({
      allow: ['gone.example:7'],
      tracing: { header: 'off', spans },
    });
    assert.match(await fixture.ask('CONNECT gone.example:7 HTTP/1.1\r\nHost: x\r\n\r\n'), /^HTTP\/1.1 502 /);
    const all = await spans.atLeast(2);
    assert.deepEqual(
      all.map(({ name, error, attributes }) => [name, error, attributes['openshell.action']]),
      [
        ['connect', 'resolve_failed', undefined],
        ['connection', 'resolve_failed', 'failed'],
      ],
    );
    assert.equal(everything(fixture.sink.events), all[0]!.traceId);
  });

  test('that was captured and goes nowhere has one id, in the event and in the finding', async () => {
    const spans = new KeptSpans();
    await using fixture = await Fixture.start({
      ...{ allow: [], tracing: { header: 'off', spans }, limits: { peekTime: 5 } },
      captured: { address: '93.184.216.34', port: 22 },
    });
    await closeReason(await fixture.capturedClient());
    const [connection] = await spans.atLeast(1);
    assert.equal(fixture.sink.events.length, 2);
    assert.equal(everything(fixture.sink.events), connection!.traceId);
    assert.equal(connection!.attributes['server.address'], '93.184.216.34');
  });

  test('has an id also where nobody asked for traces', async () => {
    await using fixture = await Fixture.start({ allow: ['echo.example:7'] });
    await fixture.origin('echo.example', (socket) => socket.end());
    await readAll(await fixture.tunnel('echo.example:7'));
    while (fixture.tenant.status().connections > 0) await new Promise(setImmediate);
    assert.equal(fixture.sink.events.length, 2);
    assert.match(everything(fixture.sink.events) ?? '', /^[0-9a-f]{32}$/);
  });

  test('that says no request is a finding with its id', async () => {
    await using fixture = await Fixture.start({ allow: [] });
    const client = await secureClientOf(fixture);
    client.write('\u0016\u0003garbage\r\n\r\n');
    assert.match(String(await readAll(client)), /"trace_id":"[0-9a-f]{32}"/);
  });
});

const secureClientOf = (fixture: Fixture): Promise<Socket> =>
  fixture.connectTo(portOf(fixture.servers.connect));

test('a collector gets the whole of it from a proxy that opens TLS, and a slow one is not waited for', async () => {
  await using collector = await FakeCollector.start();
  let answer: (() => void) | undefined;
  collector.answer = (response) => {
    answer = () => response.end('{}');
  };
  const lines: string[] = [];
  const tracing = await openTracing({
    limits: { spanDelay: 1, spanBatch: 1 },
    otlp: {
      ...{ endpoint: collector.url, trust: new UpstreamTrust({}), version: '1.2.3' },
      say: (line) => lines.push(line),
    },
  });
  await using fixture = await inspecting(REST, { tracing: tracing! });
  const origin = await ScriptedOrigin.startSecure(fixture);
  origin.onConnection = async (wire) => {
    for (;;) {
      if ((await wire.request().catch(() => undefined)) === undefined) return;
      wire.send(OK);
    }
  };
  const client = await secureClient(fixture);
  const exchange = async (method: string): Promise<string | undefined> => {
    client.send(`${method} /x HTTP/1.1\r\nHost: ${HOST}\r\nContent-Length: 0\r\n\r\n`);
    return fieldOf(await client.response(), 'x-openshell-trace-id');
  };
  const first = await exchange('GET');
  await collector.until(() => collector.requests.length === 1);
  // The collector says nothing yet, and everything goes on.
  assert.equal(await exchange('GET'), first);
  assert.equal(await exchange('DELETE'), first);
  collector.answer = (response) => response.end('{}');
  answer?.();
  await fixture.tenant.close();
  await tracing!.close();
  assert.deepEqual(lines, []);
  const tree = collector.spans.map(({ name, kind, status, attributes }) => [
    ...[name, kind, status.message],
    attributes['openshell.action'] ?? attributes['http.response.status_code'],
  ]);
  assert.deepEqual(tree.sort().map(String), [
    'DELETE,2,request_not_allowed,denied',
    'GET,2,,allowed',
    'GET,2,,allowed',
    'GET,3,,200',
    'GET,3,,200',
    'connection,2,,allowed',
  ]);
  const connection = collector.spans.find(({ name }) => name === 'connection');
  const below = collector.spans.filter(({ parentSpanId }) => parentSpanId === connection?.spanId);
  assert.equal(below.length, 3);
  assert.deepEqual([...new Set(collector.spans.map(({ traceId }) => traceId))], [first]);
});
