import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Fixture } from '../test-support/fixture.ts';
import { HOST, inspecting, plainClient, ScriptedOrigin, secureClient } from '../test-support/inspected.ts';
import { fieldOf, statusOf, type Wire } from '../test-support/wire.ts';

const FULL = 'protocol: rest, access: full';
const READ_ONLY = 'protocol: rest, access: read-only';

interface Ends {
  readonly client: Wire;
  readonly origin: ScriptedOrigin;
  readonly fixture: Fixture;
}

/** Each thing is true in plain text and inside TLS. */
function both(name: string, use: (ends: Ends) => Promise<void>, endpoint = FULL): void {
  test(`${name}, in plain text`, async () => {
    await using fixture = await inspecting(endpoint);
    const origin = await ScriptedOrigin.start(fixture);
    await use({ client: await plainClient(fixture), origin, fixture });
  });
  test(`${name}, inside TLS`, async () => {
    await using fixture = await inspecting(endpoint);
    const origin = await ScriptedOrigin.startSecure(fixture);
    await use({ client: await secureClient(fixture), origin, fixture });
  });
}

const head = (line: string, ...fields: string[]): string =>
  [`${line} HTTP/1.1`, `Host: ${HOST}`, ...fields, '', ''].join('\r\n');
const answer = (status: string, ...rest: string[]): string => [`HTTP/1.1 ${status}`, ...rest].join('\r\n');
const OK = answer('200 OK', 'Content-Length: 2', '', 'ok');

describe('an inspected exchange', () => {
  both('keeps both connections for the next request', async ({ client, origin }) => {
    for (const path of ['/1', '/2', '/3']) {
      client.send(head(`GET ${path}`));
      const upstream = origin.wires[0] ?? (await origin.connection());
      assert.equal((await upstream.request()).start, `GET ${path} HTTP/1.1`);
      upstream.send(OK);
      assert.equal((await client.response()).body, 'ok');
    }
    assert.equal(origin.wires.length, 1);
  });

  both('answers pipelined requests in order, though each is judged by itself', async ({ client, origin }) => {
    client.send(
      head('GET /1') +
        head('POST /2', 'Content-Length: 4') +
        'GET ' +
        head('PUT /3', 'Transfer-Encoding: chunked') +
        '3\r\nabc\r\n0\r\n\r\n' +
        head('HEAD /4'),
    );
    const upstream = await origin.connection();
    const bodies: string[] = [];
    for (const status of [201, 202, 203, 200]) {
      const { start, body } = await upstream.request();
      bodies.push(`${start.split(' ')[1]} ${body}`);
      const content = start.startsWith('HEAD') ? '' : 'x';
      upstream.send(answer(`${status} A`, 'Content-Length: 1', '', content));
    }
    const statuses: number[] = [];
    for (const method of ['GET', 'POST', 'PUT', 'HEAD'])
      statuses.push(statusOf(await client.response(method)));
    assert.deepEqual(statuses, [201, 202, 203, 200]);
    assert.deepEqual(bodies, ['/1 ', '/2 GET ', '/3 abc', '/4 ']);
    assert.equal(origin.wires.length, 1);
  });

  both(
    'tells of the length of what HEAD and 304 do not bring, and of 204 nothing',
    async ({ client, origin }) => {
      const cases: [request: string, method: string, response: string, length: string][] = [
        [head('HEAD /1'), 'HEAD', answer('200 OK', 'Content-Length: 77', '', ''), '77'],
        [head('HEAD /2'), 'HEAD', answer('200 OK', 'Transfer-Encoding: chunked', '', ''), ''],
        [head('GET /3'), 'GET', answer('304 Not Modified', 'Content-Length: 9', '', ''), '9'],
        [head('GET /4'), 'GET', answer('204 No Content', '', ''), ''],
        [head('GET /5'), 'GET', answer('200 OK', 'Content-Length: 0', '', ''), '0'],
      ];
      client.send(cases[0]![0]);
      const upstream = await origin.connection();
      for (const [index, [request, method, response, length]] of cases.entries()) {
        if (index > 0) client.send(request);
        await upstream.request();
        upstream.send(response);
        const got = await client.response(method);
        assert.equal(fieldOf(got, 'content-length'), length, request);
        assert.equal(fieldOf(got, 'transfer-encoding'), '');
      }
      assert.equal(origin.wires.length, 1);
    },
  );

  both('passes interim responses on, as many as there reasonably are', async ({ client, origin }) => {
    client.send(head('GET /'));
    const upstream = await origin.connection();
    await upstream.request();
    const hints = answer('103 Early Hints', 'Link: </a.css>; rel=preload', '', '');
    upstream.send(hints + answer('102 Processing', '', '') + hints);
    const got = [await client.response(), await client.response(), await client.response()];
    assert.deepEqual(got.map(statusOf), [103, 102, 103]);
    assert.equal(fieldOf(got[0]!, 'link'), '</a.css>; rel=preload');
    upstream.send(OK);
    assert.equal((await client.response()).body, 'ok');
  });

  both('ends a flood of interim responses with 502', async ({ client, origin }) => {
    client.send(head('GET /'));
    const upstream = await origin.connection();
    await upstream.request();
    upstream.send(answer('103 Early Hints', '', '').repeat(1000));
    let status = 103;
    let count = 0;
    for (; status === 103; count++) status = statusOf(await client.response());
    assert.deepEqual([status, count], [502, 33]);
    await upstream.closed();
  });

  both('drops chunk extensions and passes trailers, in both directions', async ({ client, origin }) => {
    const chunks = '3;a=b;c="d"\r\nabc\r\n2 ; x\r\nde\r\n0;last\r\nX-Sum: 1\r\nContent-Length: 5\r\n\r\n';
    client.send(head('POST /', 'Trailer: X-Sum', 'TE: trailers', 'Transfer-Encoding: chunked') + chunks);
    const upstream = await origin.connection();
    const request = await upstream.request();
    upstream.send(answer('200 OK', 'Trailer: X-Sum', 'Transfer-Encoding: chunked', '', chunks));
    for (const { body, trailers } of [request, await client.response()]) {
      assert.equal(body, 'abcde');
      // What frames a message has no business behind it (RFC 9110 section 6.5.1).
      assert.deepEqual(trailers, [['x-sum', '1']]);
    }
  });

  both('passes each event on before the next is sent', async ({ client, origin }) => {
    client.send(head('GET /events', 'Accept: text/event-stream'));
    const upstream = await origin.connection();
    await upstream.request();
    upstream.send(answer('200 OK', 'Content-Type: text/event-stream', 'Transfer-Encoding: chunked', '', ''));
    await client.until('\r\n\r\n');
    for (const event of ['data: 1\n\n', 'data: 2\n\n', 'data: 3\n\n']) {
      upstream.send(`${event.length.toString(16)}\r\n${event}\r\n`);
      await client.until(`9\r\n${event}\r\n`);
    }
    upstream.send('0\r\n\r\n');
    await client.until('0\r\n\r\n');
  });

  both('gives a response that ends with its connection an end of its own', async ({ client, origin }) => {
    client.send(head('GET /'));
    const upstream = await origin.connection();
    await upstream.request();
    upstream.send(answer('200 OK', '', 'part'));
    await client.until('4\r\npart\r\n');
    upstream.socket.end('rest');
    await client.until('4\r\nrest\r\n0\r\n\r\n');
    client.send(head('GET /again'));
    await (await origin.connection()).request();
  });

  both('answers an origin of HTTP/1.0 and its connection in HTTP/1.1', async ({ client, origin }) => {
    client.send(head('GET /'));
    const upstream = await origin.connection();
    await upstream.request();
    upstream.socket.end('HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 2\r\n\r\nok');
    const got = await client.response();
    assert.equal(got.body, 'ok');
    assert.equal(fieldOf(got, 'connection'), '');
  });

  both('gives a client of HTTP/1.0 neither chunks nor interim responses', async ({ client, origin }) => {
    client.send('GET / HTTP/1.0\r\n\r\n');
    const upstream = await origin.connection();
    const request = await upstream.request();
    assert.equal(fieldOf(request, 'host'), HOST);
    upstream.send(answer('103 Early Hints', '', ''));
    upstream.send(answer('200 OK', 'Transfer-Encoding: chunked', '', '2\r\nok\r\n0\r\nX: y\r\n\r\n'));
    assert.equal(await client.closed(), 'ended');
    assert.match(client.text, /^HTTP\/1\.1 200 OK\r\n(?:[^\r]+\r\n)*Connection: close\r\n\r\nok$/);
    assert.doesNotMatch(client.text, /103|chunked/i);
  });

  both('keeps the connection of a client of HTTP/1.0 that asks for it', async ({ client, origin }) => {
    for (const path of ['/1', '/2']) {
      client.send(`GET ${path} HTTP/1.0\r\nConnection: keep-alive\r\n\r\n`);
      const upstream = origin.wires[0] ?? (await origin.connection());
      await upstream.request();
      upstream.send(OK);
      assert.equal(fieldOf(await client.response(), 'connection'), 'keep-alive');
    }
  });

  both('hands an answer on that comes before the request is complete', async ({ client, origin }) => {
    client.send(`${head('PUT /', 'Content-Length: 100')}abc`);
    const upstream = await origin.connection();
    await upstream.until('abc');
    upstream.send(answer('413 Content Too Large', 'Content-Length: 2', '', 'no'));
    const got = await client.response('PUT');
    assert.deepEqual([statusOf(got), got.body, fieldOf(got, 'connection')], [413, 'no', 'close']);
    await client.closed();
    await upstream.closed();
  });

  both('answers a client that has ended behind its request', async ({ client, origin }) => {
    client.socket.end(`${head('POST /', 'Content-Length: 2')}hi`);
    const upstream = await origin.connection();
    assert.equal((await upstream.request()).body, 'hi');
    upstream.send(answer('200 OK', 'Transfer-Encoding: chunked', '', '2\r\nok\r\n'));
    await client.until('2\r\nok\r\n');
    upstream.send('0\r\n\r\n');
    await client.until('0\r\n\r\n');
    assert.equal(await client.closed(), 'ended');
  });
});

describe('Expect: 100-continue', () => {
  const EXPECT = head('PUT /', 'Expect: 100-continue', 'Content-Length: 4');

  both('is passed on, and so is the invitation', async ({ client, origin }) => {
    client.send(EXPECT);
    const upstream = await origin.connection();
    assert.match(await upstream.until('\r\n\r\n'), /\r\nExpect: 100-continue\r\n/);
    assert.equal(client.text, '');
    upstream.send(answer('100 Continue', '', ''));
    assert.equal(statusOf(await client.response()), 100);
    client.send('body');
    await upstream.until('body');
    upstream.send(OK);
    assert.equal((await client.response()).body, 'ok');
  });

  both('is answered by the origin as it likes, without the body', async ({ client, origin }) => {
    client.send(EXPECT);
    const upstream = await origin.connection();
    await upstream.until('\r\n\r\n');
    upstream.send(answer('417 Expectation Failed', 'Content-Length: 0', '', ''));
    const got = await client.response('PUT');
    assert.deepEqual([statusOf(got), fieldOf(got, 'connection')], [417, 'close']);
    assert.equal(await client.closed(), 'ended');
    await upstream.closed();
  });

  both(
    'is refused without the body where policy refuses',
    async ({ client, origin }) => {
      client.send(EXPECT);
      const got = await client.response('PUT');
      assert.deepEqual([statusOf(got), JSON.parse(got.body).error], [403, 'policy_denied']);
      assert.equal(await client.closed(), 'ended');
      assert.equal(origin.wires.length, 0);
    },
    READ_ONLY,
  );

  both(
    'is followed by the proxy itself where the body is looked into',
    async ({ client, origin }) => {
      const body = '{"jsonrpc":"2.0","id":1,"method":"read.it"}';
      const type = 'Content-Type: application/json';
      client.send(head('POST /', 'Expect: 100-continue', type, `Content-Length: ${body.length}`));
      assert.equal(statusOf(await client.response()), 100);
      client.send(body);
      const upstream = await origin.connection();
      const request = await upstream.request();
      assert.equal(request.body, body);
      assert.equal(fieldOf(request, 'expect'), '');
      upstream.send(OK);
      assert.equal((await client.response()).body, 'ok');
    },
    'protocol: json-rpc, path: /, rules: [{ allow: { method: read.it } }]',
  );

  both('is waited for no longer than the client likes', async ({ client, origin }) => {
    client.send(`${EXPECT}body`);
    const upstream = await origin.connection();
    await upstream.until('body');
    upstream.send(answer('100 Continue', '', '') + OK);
    // The invitation comes too late to be of use to anybody.
    assert.equal(statusOf(await client.response()), 200);
  });
});
