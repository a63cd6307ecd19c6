import assert from 'node:assert/strict';
import type { Socket } from 'node:net';
import { describe, test } from 'node:test';
import { closeReason, Fixture, type FixtureOptions, readAll, readUntil } from '../test-support/fixture.ts';

const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';
/** What the client gets when it asks for one answer only. */
const CLOSING = OK.replace('\r\n\r\n', '\r\nConnection: close\r\n\r\n');

/** An answer without the id that is another one each time. */
const untraced = (answer: string): string => answer.replace(/X-OpenShell-Trace-Id: [0-9a-f]{32}\r\n/g, '');

interface Seen {
  text: string;
}

/** A fixture whose `site.example:80` remembers what it got and answers at once. */
async function withSite(options: Partial<FixtureOptions> = {}): Promise<{ fixture: Fixture; seen: Seen }> {
  const fixture = await Fixture.start({ allow: ['site.example:80', 'site.example:8080'], ...options });
  const seen: Seen = { text: '' };
  await fixture.origin('site.example', (socket: Socket) => {
    socket.on('data', (chunk: Buffer) => {
      const first = seen.text === '';
      seen.text += chunk.toString('latin1');
      if (first) setImmediate(() => socket.write(OK));
    });
  });
  return { fixture, seen };
}

const statusOf = (answer: string): number => Number(answer.split(' ')[1]);
const errorOf = (answer: string): string => JSON.parse(answer.split('\r\n\r\n')[1]!).error;

describe('an absolute-form request', () => {
  test('is written anew in origin-form, and its response comes back as it is', async () => {
    const { fixture, seen } = await withSite();
    await using _ = fixture;
    const answer = await fixture.ask(
      'GET HTTP://Site.Example:8080/a%20b?c=d HTTP/1.1\r\nHost: wrong.example\r\nConnection: close\r\nUser-Agent: x\r\nAccept: */*\r\n\r\n',
    );
    assert.equal(untraced(answer), CLOSING);
    assert.equal(
      seen.text,
      'GET /a%20b?c=d HTTP/1.1\r\nHost: site.example:8080\r\nUser-Agent: x\r\nAccept: */*\r\nVia: 1.1 openshell\r\n\r\n',
    );
    assert.equal(fixture.engine.asked[0]?.adapter, 'forward');
    while (fixture.tenant.status().connections > 0) await new Promise(setImmediate);
    assert.deepEqual(
      fixture.sink.events.map((event) => event.class_uid),
      [4002],
    );
  });

  test('loses the fields that are for the proxy or for this connection only', async () => {
    const { fixture, seen } = await withSite();
    await using _ = fixture;
    await fixture.ask(
      'GET http://site.example HTTP/1.1\r\nHost: x\r\nProxy-Authorization: Basic c2VjcmV0\r\nProxy-Connection: keep-alive\r\n' +
        'Connection: X-Mine, close\r\nx-mine: 1\r\nKeep-Alive: 5\r\nTE: trailers\r\nUpgrade: h2c\r\nHTTP2-Settings: x\r\nKept: 1\r\n\r\n',
    );
    assert.equal(seen.text, 'GET / HTTP/1.1\r\nHost: site.example\r\nKept: 1\r\nVia: 1.1 openshell\r\n\r\n');
    assert.doesNotMatch(JSON.stringify(fixture.sink.events), /c2VjcmV0/);
  });

  const bodies: [string, string, string][] = [
    ['Content-Length: 3\r\n', 'abcEXTRA', 'Via: 1.1 openshell\r\nContent-Length: 3\r\n\r\nabc'],
    [
      'Transfer-Encoding: chunked\r\n',
      '3;x=y\r\nabc\r\n0\r\nA: b\r\n\r\nGET http://evil.example/ HTTP/1.1\r\n\r\n',
      'Via: 1.1 openshell\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\nA: b\r\n\r\n',
    ],
  ];
  for (const [framing, sent, expected] of bodies) {
    test(`with ${framing.trim()} is sent to the end of its body and not a byte more`, async () => {
      const { fixture, seen } = await withSite();
      await using _ = fixture;
      await fixture.ask(`POST http://site.example/ HTTP/1.1\r\nHost: x\r\n${framing}\r\n${sent}`);
      assert.equal(seen.text, `POST / HTTP/1.1\r\nHost: site.example\r\n${expected}`);
    });
  }

  test('each request on a connection is allowed or refused by itself', async () => {
    const { fixture, seen } = await withSite();
    await using _ = fixture;
    const request = (host: string, more = ''): string =>
      `GET http://${host}/ HTTP/1.1\r\nHost: x\r\n${more}\r\n`;
    const answer = await fixture.ask(
      request('site.example') + request('evil.example', 'Connection: close\r\n'),
    );
    assert.match(
      untraced(answer),
      /^HTTP\/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokHTTP\/1.1 403 Forbidden\r\n/,
    );
    assert.equal(seen.text.match(/GET/g)?.length, 1);
    assert.deepEqual(
      fixture.engine.asked.map(({ host }) => host),
      ['site.example', 'evil.example'],
    );
    const { requestsAllowed, requestsDenied, connectionsDenied } = fixture.tenant.status().counters;
    assert.deepEqual(
      { requestsAllowed, requestsDenied, connectionsDenied },
      { requestsAllowed: 1, requestsDenied: 1, connectionsDenied: 0 },
    );
  });

  test('waits for the upstream to say 100 when its client does', async () => {
    const { fixture } = await withSite({ allow: ['expect.example:80'] });
    await using _ = fixture;
    await fixture.origin('expect.example', (socket) => {
      socket.once('data', () => {
        socket.write('HTTP/1.1 100 Continue\r\n\r\n');
        socket.once('data', (chunk) => socket.end(`HTTP/1.1 200 OK\r\n\r\n${chunk}`));
      });
    });
    const socket = await fixture.client();
    socket.write(
      'PUT http://expect.example/ HTTP/1.1\r\nHost: x\r\nConnection: close\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\n',
    );
    assert.equal(await readUntil(socket, '\r\n\r\n'), 'HTTP/1.1 100 Continue\r\n\r\n');
    socket.write('body');
    assert.equal(
      untraced(String(await readAll(socket))),
      'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n4\r\nbody\r\n0\r\n\r\n',
    );
  });

  test('a client that goes away within its body takes the upstream with it', async () => {
    const { fixture } = await withSite({ allow: ['slow.example:80'] });
    await using _ = fixture;
    const closing = Promise.withResolvers<string | undefined>();
    await fixture.origin('slow.example', (socket) => void closeReason(socket).then(closing.resolve));
    const socket = await fixture.client();
    socket.end('PUT http://slow.example/ HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\nab');
    assert.equal(await closing.promise, 'ECONNRESET');
    assert.equal(await closeReason(socket), 'ECONNRESET');
  });

  test('a client that half-closes behind its request still gets the response', async () => {
    const { fixture } = await withSite();
    await using _ = fixture;
    const socket = await fixture.client();
    socket.end('GET http://site.example/ HTTP/1.1\r\nHost: x\r\n\r\n');
    assert.equal(untraced(String(await readAll(socket))), CLOSING);
  });

  test('an early response ends the request as well', async () => {
    const { fixture } = await withSite({ allow: ['early.example:80'] });
    await using _ = fixture;
    await fixture.origin('early.example', (socket) => socket.once('data', () => socket.end(OK)));
    const socket = await fixture.client();
    socket.write('PUT http://early.example/ HTTP/1.1\r\nHost: x\r\nContent-Length: 4000\r\n\r\nab');
    assert.equal(untraced(await readUntil(socket, 'ok')), CLOSING);
    socket.end(Buffer.alloc(3998));
    assert.equal(await closeReason(socket), undefined);
  });

  test('a malformed chunk ends the exchange with 400', async () => {
    const { fixture } = await withSite({ allow: ['quiet.example:80'] });
    await using _ = fixture;
    const origin = await fixture.origin('quiet.example', () => {});
    const answer = await fixture.ask(
      'POST http://quiet.example/ HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n+5\r\nhello\r\n',
    );
    assert.equal(statusOf(answer), 400);
    assert.equal(origin.sockets[0]?.bytesWritten, 0);
  });

  const refused: [string, string, number, string][] = [
    [
      'another host',
      'GET http://evil.example/?token=s3cret HTTP/1.1\r\nHost: site.example\r\n\r\n',
      403,
      'policy_denied',
    ],
    ['another port', 'GET http://site.example:81/ HTTP/1.1\r\nHost: x\r\n\r\n', 403, 'policy_denied'],
    ['https', 'GET https://site.example/ HTTP/1.1\r\nHost: x\r\n\r\n', 400, 'unsupported_proxy_scheme'],
    ['ftp', 'GET ftp://site.example/ HTTP/1.1\r\nHost: x\r\n\r\n', 400, 'unsupported_proxy_scheme'],
    ['a path alone', 'GET / HTTP/1.1\r\nHost: x\r\n\r\n', 400, 'not_a_proxy_request'],
    ['a star', 'OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n', 400, 'not_a_proxy_request'],
    ['a host alone', 'GET site.example HTTP/1.1\r\nHost: x\r\n\r\n', 400, 'invalid_request_target'],
    ['a user', 'GET http://u:p@site.example/ HTTP/1.1\r\nHost: x\r\n\r\n', 400, 'invalid_request_target'],
    ['a fragment', 'GET http://site.example/#a HTTP/1.1\r\nHost: x\r\n\r\n', 400, 'invalid_request_target'],
    ['no host', 'GET http:///a HTTP/1.1\r\nHost: x\r\n\r\n', 400, 'invalid_request_target'],
    [
      'a backslash',
      'GET http://site.example\\@evil.example/ HTTP/1.1\r\nHost: x\r\n\r\n',
      400,
      'invalid_request_target',
    ],
    [
      'both framings',
      'POST http://site.example/ HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n',
      400,
      'bad_request',
    ],
  ];
  for (const [what, request, status, error] of refused) {
    test(`for ${what} is refused`, async () => {
      const { fixture, seen } = await withSite();
      await using _ = fixture;
      const answer = await fixture.ask(request);
      assert.equal(statusOf(answer), status);
      assert.equal(errorOf(answer), error);
      assert.equal(seen.text, '');
      assert.doesNotMatch(JSON.stringify([fixture.sink.events, fixture.refusals]), /s3cret/);
    });
  }

  test('a refused HEAD has the length of the answer and no body', async () => {
    const { fixture } = await withSite();
    await using _ = fixture;
    const answer = await fixture.ask('HEAD http://evil.example/ HTTP/1.1\r\nHost: x\r\n\r\n');
    assert.match(answer, /^HTTP\/1.1 403 .*Content-Length: [1-9]\d+\r\n\r\n$/s);
  });

  test('an upstream that is not there is answered 502', async () => {
    const { fixture } = await withSite({
      allow: ['gone.example:80'],
      overrides: [{ name: 'gone.example', address: '127.0.0.1', toPort: 1 }],
    });
    await using _ = fixture;
    const answer = await fixture.ask('GET http://gone.example/ HTTP/1.1\r\nHost: x\r\n\r\n');
    assert.equal(statusOf(answer), 502);
  });

  test('a large refused upload still gets its answer', async () => {
    const { fixture } = await withSite();
    await using _ = fixture;
    const head = 'POST http://evil.example/ HTTP/1.1\r\nHost: x\r\nContent-Length: 900000\r\n\r\n';
    const answer = await fixture.ask(Buffer.concat([Buffer.from(head), Buffer.alloc(900_000)]));
    assert.equal(statusOf(answer), 403);
  });
});
