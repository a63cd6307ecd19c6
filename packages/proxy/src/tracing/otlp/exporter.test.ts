import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import type { OpenShellError } from '@openshell/base';
import type { Limits } from '../../limits.ts';
import { UpstreamTrust } from '../../tls/trust.ts';
import { type OtlpOptions, openTracing } from '../open-tracing.ts';
import { Span, type SpanSink } from '../span.ts';
import { FakeCollector } from '../test-support/collector.ts';
import { newTraceId } from '../trace-context.ts';

const directory = mkdtempSync(join(tmpdir(), 'otlp-'));
after(() => rmSync(directory, { recursive: true }));

interface Subject extends AsyncDisposable {
  readonly spans: SpanSink;
  readonly lines: string[];
  close(): Promise<void>;
}

async function exporting(
  endpoint: string,
  limits: Partial<Limits> = {},
  more: Partial<OtlpOptions> = {},
): Promise<Subject> {
  const lines: string[] = [];
  const say = (line: string): void => void lines.push(line);
  const otlp = { endpoint, trust: new UpstreamTrust({}), version: '1', say, ...more };
  const tracing = await openTracing({ otlp, limits: { spanDelay: 5, spanRetryTime: 10, ...limits } });
  const close = (): Promise<void> => tracing!.close();
  return { spans: tracing!.spans!, lines, close, [Symbol.asyncDispose]: close };
}

const span = (name = 'GET') =>
  new Span({
    ...{ traceId: newTraceId(), flags: 1, state: undefined },
    ...{ parentId: undefined, remoteParent: false },
  }).finish(name, 'server');

describe('the export of spans', () => {
  test('sends them together, to the path of collectors, with the fields that the operator wants', async () => {
    await using collector = await FakeCollector.start();
    const headersFile = join(directory, 'headers');
    writeFileSync(headersFile, '# ours\nAuthorization: Bearer one\nX-Scope: a: b\n\n');
    await using subject = await exporting(collector.url, {}, { headersFile });
    for (const name of ['a', 'b', 'c']) subject.spans.add(span(name));
    await collector.until(() => collector.spans.length === 3);
    const [request] = collector.requests;
    assert.equal(collector.requests.length, 1);
    assert.deepEqual([request!.method, request!.url], ['POST', '/v1/traces']);
    assert.equal(request!.headers['content-type'], 'application/json');
    assert.equal(request!.headers.authorization, 'Bearer one');
    assert.equal(request!.headers['x-scope'], 'a: b');
    writeFileSync(headersFile, 'Authorization: Bearer two\n');
    subject.spans.add(span());
    await collector.until(() => collector.spans.length === 4);
    assert.equal(collector.requests[1]!.headers.authorization, 'Bearer two');
    assert.deepEqual(subject.lines, []);
  });

  test('sends as many at once as one export may hold, and the rest after it', async () => {
    await using collector = await FakeCollector.start();
    await using subject = await exporting(`${collector.url}/somewhere`, { spanBatch: 4, spanDelay: 60_000 });
    for (let i = 0; i < 10; i++) subject.spans.add(span());
    await collector.until(() => collector.spans.length === 8);
    await subject.close();
    assert.equal(collector.spans.length, 10);
    assert.equal(collector.requests[0]!.url, '/somewhere');
  });

  test('goes on when the collector is there again, and says so once', async () => {
    const gone = await FakeCollector.start();
    const { port } = gone;
    await gone[Symbol.asyncDispose]();
    await using subject = await exporting(`http://127.0.0.1:${port}`);
    subject.spans.add(span());
    const told = Promise.withResolvers<void>();
    const { push } = subject.lines;
    subject.lines.push = (...lines) => {
      told.resolve();
      return push.apply(subject.lines, lines);
    };
    await told.promise;
    await using collector = await FakeCollector.start(port);
    await collector.until(() => collector.spans.length === 1);
    await subject.close();
    assert.equal(subject.lines.length, 2);
    assert.match(subject.lines[0]!, /^spans are not exported: .*ECONNREFUSED/);
    assert.equal(subject.lines[1], 'spans are exported again; 0 were not');
  });

  const repeated: [string, (collector: FakeCollector) => void][] = [
    [
      'answers 503',
      (collector) => {
        collector.answer = (response) => response.writeHead(503, { 'retry-after': '0' }).end();
      },
    ],
    [
      'answers 429 and wants us to wait a week, with a megabyte of text',
      (collector) => {
        collector.answer = (response) =>
          response.writeHead(429, { 'retry-after': '604800' }).end(Buffer.alloc(1 << 20));
      },
    ],
    [
      'breaks off',
      (collector) => {
        collector.answer = (_, request) => request.socket.destroy();
      },
    ],
    [
      'says nothing in time',
      (collector) => {
        collector.answer = () => {};
      },
    ],
  ];
  for (const [what, trouble] of repeated) {
    test(`repeats what a collector that ${what} has not taken`, async () => {
      await using collector = await FakeCollector.start();
      collector.keeps = false;
      trouble(collector);
      await using subject = await exporting(collector.url, { spanExportTime: 50 });
      subject.spans.add(span());
      await collector.until(() => collector.requests.length >= 2);
      collector.keeps = true;
      collector.answer = (response) => response.end();
      await collector.until(() => collector.spans.length === 1);
      await subject.close();
      assert.equal(collector.spans.length, 1);
      assert.equal(subject.lines.length, 2);
    });
  }

  const given: [string, number, string | Buffer, RegExp][] = [
    ['does not want it', 400, 'no', /^spans are not exported: it answered 400$/],
    [
      'is none, with megabytes of text',
      404,
      Buffer.alloc(4 << 20, 'x'),
      /^spans are not exported: it answered 404$/,
    ],
    ['sends us elsewhere', 307, '', /^spans are not exported: it answered 307$/],
    ['keeps a part', 200, '{"partialSuccess":{"rejectedSpans":"1"}}', /did not want all/],
  ];
  for (const [what, status, body, line] of given) {
    test(`gives up what a collector that ${what} will never take, and counts it`, async () => {
      await using collector = await FakeCollector.start();
      collector.answer = (response) =>
        response.writeHead(status, { location: '/elsewhere', 'x-secret': 'no' }).end(body);
      await using subject = await exporting(collector.url);
      subject.spans.add(span());
      await collector.until(() => collector.requests.length === 1);
      await subject.close();
      assert.equal(collector.requests.length, 1);
      assert.match(subject.lines[0]!, line);
      assert.deepEqual(subject.lines.slice(1), ['1 spans were not exported']);
    });
  }

  test('takes what a collector says beside 2xx for nothing else', async () => {
    for (const answer of [
      '',
      'not json',
      '[]',
      'null',
      '{"partialSuccess":{"rejectedSpans":-1}}',
      '0'.repeat(200_000),
    ]) {
      await using collector = await FakeCollector.start();
      collector.answer = (response) => response.end(answer);
      await using subject = await exporting(collector.url);
      subject.spans.add(span());
      await subject.close();
      assert.equal(collector.spans.length, 1);
      assert.deepEqual(subject.lines, [], answer.slice(0, 20));
    }
  });

  test('keeps no more than its bound, and neither throws nor waits', async () => {
    await using collector = await FakeCollector.start();
    collector.answer = () => {};
    await using subject = await exporting(collector.url, { spanQueue: 10, spanBatch: 5, spanFlushTime: 20 });
    for (let i = 0; i < 1000; i++) subject.spans.add(span());
    await subject.close();
    subject.spans.add(span());
    assert.equal(subject.lines[0], 'spans are not exported: more than 10 wait');
    assert.equal(subject.lines.at(-1), '1000 spans were not exported');
  });
});

test('an address of a collector that is none is refused at once', async () => {
  for (const endpoint of [
    '',
    'collector:4318',
    'ftp://collector',
    'http://me:secret@collector',
    'http://collector?key=secret',
  ]) {
    await assert.rejects(exporting(endpoint), (error: OpenShellError) => {
      assert.equal(error.code, 'bad_otlp_endpoint');
      assert.doesNotMatch(error.message, /secret/);
      return true;
    });
  }
});

test('a file of header fields that is none is refused at once, and no message shows what is in it', async () => {
  const bad: [string, RegExp][] = [
    ['Bearer secret', /line 1 is no header field/],
    ['\nAuthorization: secret\u0001', /line 2 is no header field/],
    ['Content-Length: 5', /line 1 is about what the exporter says itself/],
    [`A: ${'secret'.repeat(10_000)}`, /larger than 16384 bytes/],
  ];
  for (const [content, message] of bad) {
    const headersFile = join(directory, 'bad');
    writeFileSync(headersFile, content);
    await assert.rejects(exporting('http://127.0.0.1:1', {}, { headersFile }), (error: OpenShellError) => {
      assert.equal(error.code, 'bad_otlp_headers');
      assert.match(error.message, message);
      assert.doesNotMatch(error.message, /secret/);
      return true;
    });
  }
  const headersFile = join(directory, 'not-there');
  await assert.rejects(exporting('http://127.0.0.1:1', {}, { headersFile }), { code: 'bad_otlp_headers' });
});
