import assert from 'node:assert/strict';
import { createHash, createHmac } from 'node:crypto';
import { once } from 'node:events';
import { createServer as createHttp, type IncomingMessage, type RequestListener } from 'node:http';
import { createServer as createHttps, request } from 'node:https';
import type { Server } from 'node:net';
import { describe, test } from 'node:test';
import { connect as connectTls, type TLSSocket } from 'node:tls';
import { eventLine } from '@openshell/audit';
import { generation } from '@openshell/base';
import { compilePolicy, type Policy } from '@openshell/policy';
import { WebSocket, WebSocketServer } from 'ws';
import type { CredentialSpec } from '../credentials/spec.ts';
import type { CredentialStore } from '../credentials/store.ts';
import { bound, policyOf, storeOf } from '../credentials/testing/store.ts';
import { directTransport } from '../credentials/token-transport.ts';
import { Fixture, LOOPBACK, portOf } from '../test-support/fixture.ts';
import { identityFor } from '../test-support/identities.ts';
import { statusOf, Wire } from '../test-support/wire.ts';
import { SigningAuthority } from '../tls/authority.ts';
import { UpstreamTrust } from '../tls/trust.ts';

const HOST = 'api.example';
const OTHER = 'other.example';
/** Characters that other writings of it than the plain one change. */
const SECRET = 'tok~en+value=of?api&x';
const PLAIN_SECRET = 'only-safe-characters-0123';
const AWS_SECRET = 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY';
const ACCESS_TOKEN = 'minted-access-token-0123456789';
const CLIENT_SECRET = 'client-secret-of-the-operator';
const SECRETS = [SECRET, PLAIN_SECRET, AWS_SECRET, ACCESS_TOKEN, CLIENT_SECRET];
const environment = { TOKEN: SECRET, SAFE: PLAIN_SECRET, CLIENT: CLIENT_SECRET };
const markerOf = (name: string): string => `openshell:resolve:env:${name}`;
const TOKEN = markerOf('TOKEN');

const originAuthority = SigningAuthority.create();

interface Answer {
  readonly status: number;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
}

interface Send {
  readonly method?: string;
  readonly headers?: Record<string, string>;
  readonly body?: string | Buffer;
  readonly host?: string;
}

/** A sandbox with credentials, origins of its two hosts, and everything that anybody got to see. */
class Rig implements AsyncDisposable {
  readonly fixture: Fixture;
  readonly store: CredentialStore;
  /** What the workload was answered. */
  readonly seen: unknown[] = [];
  /** What origins were sent. */
  readonly got: { method: string; url: string; headers: IncomingMessage['headers']; body: string }[] = [];
  respond: RequestListener = (_, response) => response.end('ok');
  sockets: WebSocketServer | undefined;
  readonly #clients: TLSSocket[] = [];

  static async start(
    policy: Policy,
    specs: readonly CredentialSpec[],
    more: Record<string, string> = {},
  ): Promise<Rig> {
    const store = storeOf(specs, {
      policy,
      environment: { ...environment, ...more },
      transport: directTransport(),
    });
    const fixture = await Fixture.start({
      allow: [],
      settings: { engine: compilePolicy(policy, generation(1)), credentials: store },
      upstream: { trust: new UpstreamTrust({ operatorPem: [originAuthority.certificatePem] }) },
    });
    const rig = new Rig(fixture, store);
    for (const host of [HOST, OTHER]) {
      const server = createHttps({ ...identityFor(originAuthority, host) }, rig.#listener);
      if (host === HOST) rig.sockets = new WebSocketServer({ server });
      await fixture.serves(host, server as unknown as Server);
    }
    return rig;
  }

  private constructor(fixture: Fixture, store: CredentialStore) {
    this.fixture = fixture;
    this.store = store;
  }

  readonly #listener: RequestListener = async (incoming, response) => {
    const { method = '', url = '', headers } = incoming;
    const chunks: Buffer[] = [];
    try {
      for await (const chunk of incoming) chunks.push(chunk);
    } catch {
      return;
    }
    this.got.push({ method, url, headers, body: Buffer.concat(chunks).toString('latin1') });
    this.respond(incoming, response);
  };

  /** TLS to a host, as the workload sees it. */
  async secured(host = HOST): Promise<TLSSocket> {
    const socket = await this.fixture.tunnel(`${host}:443`);
    const tls = connectTls({
      socket,
      servername: host,
      ca: (await this.fixture.proxy.authority()).bundlePem,
    });
    this.#clients.push(tls);
    await once(tls, 'secureConnect');
    return tls;
  }

  async send(path: string, { method = 'GET', headers = {}, body, host = HOST }: Send = {}): Promise<Answer> {
    const tls = await this.secured(host);
    const sent = request({ defaultPort: 443, host, path, method, headers, createConnection: () => tls });
    sent.on('error', () => {});
    sent.end(body);
    const [response] = (await once(sent, 'response')) as [IncomingMessage];
    let text = '';
    for await (const chunk of response.setEncoding('latin1')) text += chunk;
    const answer = { status: response.statusCode ?? 0, headers: response.headers, body: text };
    this.seen.push(answer, response.rawTrailers);
    return answer;
  }

  /** Everything that this run has shown to the workload or wrote down; no secret is in it in any common writing. */
  async assertNothingShown(): Promise<void> {
    await this.fixture.tenant.close();
    const { events } = this.fixture.sink;
    const text = JSON.stringify([this.seen, events, events.map(eventLine), this.fixture.refusals]);
    for (const secret of SECRETS) {
      const encoded = encodeURIComponent(secret);
      const writings = [secret, JSON.stringify(secret).slice(1, -1), encoded, encoded.toLowerCase()];
      for (const writing of [...writings, ...base64Cores(secret)])
        assert.ok(!text.includes(writing), `${secret.slice(0, 4)}... was shown: ${text}`);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const tls of this.#clients) tls.destroy();
    this.sockets?.close();
    await this.fixture[Symbol.asyncDispose]();
  }
}

/** What base64 has of a text at each of the three places where it can begin, without the edges that depend on its neighbours. */
const base64Cores = (text: string): string[] =>
  [0, 1, 2].map((shift) => {
    const encoded = Buffer.from('x'.repeat(shift) + text)
      .toString('base64')
      .replace(/=+$/, '');
    return encoded.slice(shift === 0 ? 0 : shift + 1, -1);
  });

const policy = (...endpoints: string[]): Policy =>
  policyOf(
    `version: 1\nnetwork_policies:\n  test:\n    endpoints:\n${endpoints.map((line) => `      - { ${line} }\n`).join('')}    binaries: [{ path: /usr/bin/curl }]\n`,
  );
const rest = (host: string, more = ''): string =>
  `host: ${host}, port: 443, protocol: rest, enforcement: enforce, access: full${more}`;
const OPEN = policy(rest(HOST), rest(OTHER));
const OPTED_IN = policy(
  rest(HOST, ', request_body_credential_rewrite: true, websocket_credential_rewrite: true'),
);
const BOTH = [bound('TOKEN', HOST), bound('SAFE', HOST)];

describe('a placeholder in a request', () => {
  const json = { 'content-type': 'application/json' };
  const form = { 'content-type': 'application/x-www-form-urlencoded' };
  const basic = (text: string): string => `Basic ${Buffer.from(text).toString('base64')}`;
  const places: [
    place: string,
    path: string,
    send: Send,
    found: (got: Rig['got'][0]) => unknown,
    expected: unknown,
  ][] = [
    [
      'a header',
      '/',
      { headers: { authorization: `Bearer ${TOKEN}` } },
      ({ headers }) => headers.authorization,
      `Bearer ${SECRET}`,
    ],
    [
      'Basic credentials',
      '/',
      { headers: { authorization: basic(`me:${TOKEN}`) } },
      ({ headers }) => headers.authorization,
      basic(`me:${SECRET}`),
    ],
    [
      'the query',
      `/?key=${TOKEN}&b=1`,
      {},
      ({ url }) => [...new URL(url, 'http://x').searchParams.values()],
      [SECRET, '1'],
    ],
    ['the path', `/bot${markerOf('SAFE')}/send`, {}, ({ url }) => url, `/bot${PLAIN_SECRET}/send`],
    [
      'a JSON body',
      '/',
      { method: 'POST', headers: json, body: JSON.stringify({ key: TOKEN }) },
      ({ body }) => JSON.parse(body).key,
      SECRET,
    ],
    [
      'a form',
      '/',
      { method: 'POST', headers: form, body: `key=${encodeURIComponent(TOKEN)}` },
      ({ body }) => new URLSearchParams(body).get('key'),
      SECRET,
    ],
  ];
  for (const [place, path, send, found, expected] of places)
    test(`is replaced in ${place}, and the event names the credential`, async () => {
      await using rig = await Rig.start(OPTED_IN, BOTH);
      assert.equal((await rig.send(path, send)).status, 200);
      assert.deepEqual(found(rig.got[0]!), expected);
      await rig.assertNothingShown();
      const event = rig.fixture.sink.events.find(({ class_uid }) => class_uid === 4002);
      assert.deepEqual(event?.unmapped?.credentials, [place === 'the path' ? 'SAFE' : 'TOKEN']);
    });

  const refused: [why: string, send: Send, status: number, error: string][] = [
    [
      'to a host that it is not bound to',
      { host: OTHER, headers: { 'x-key': TOKEN } },
      403,
      'credential_endpoint_mismatch',
    ],
    [
      'of a credential that does not exist',
      { headers: { 'x-key': markerOf('NONE') } },
      500,
      'credential_unavailable',
    ],
    [
      'in a body that is not opted in',
      { method: 'POST', body: `${'x'.repeat(100_000)}${TOKEN}` },
      403,
      'credential_injection_failed',
    ],
    [
      'in a body to another host',
      { host: OTHER, method: 'POST', body: TOKEN },
      403,
      'credential_injection_failed',
    ],
    [
      'in the name of a field',
      { headers: { [TOKEN.replaceAll(':', '%3A')]: 'x' } },
      500,
      'credential_injection_failed',
    ],
  ];
  for (const [why, send, status, error] of refused)
    test(`is refused ${why}, and does not leave`, async () => {
      await using rig = await Rig.start(OPEN, BOTH);
      const answer = await rig.send('/', send);
      assert.deepEqual([answer.status, JSON.parse(answer.body).error], [status, error]);
      assert.doesNotMatch(JSON.stringify(rig.got), /resolve/);
      assert.equal(rig.fixture.refusals[0]?.code, error);
      await rig.assertNothingShown();
    });

  test('does not pass through plain HTTP, unless that stays on this machine', async () => {
    const plain = policy(`host: ${HOST}, port: 80, protocol: rest, enforcement: enforce, access: full`);
    const spec: CredentialSpec = { ...bound('TOKEN'), bindings: [{ host: HOST, port: 80 }] };
    const ask = async (fixture: Fixture): Promise<number> => {
      const wire = new Wire(await fixture.tunnel(`${HOST}:80`));
      wire.send(`GET / HTTP/1.1\r\nHost: ${HOST}\r\nX-Key: ${TOKEN}\r\n\r\n`);
      return statusOf(await wire.response());
    };
    const store = storeOf([spec], { policy: plain, environment });
    const settings = { engine: compilePolicy(plain, generation(1)), credentials: store };
    await using far = await Fixture.start({
      allow: [],
      settings,
      overrides: [{ name: HOST, address: '192.0.2.1' }],
    });
    assert.equal(await ask(far), 403);
    await using near = await Fixture.start({ allow: [], settings });
    const got: unknown[] = [];
    const server = createHttp((incoming, response) => {
      got.push(incoming.headers['x-key']);
      response.end();
    });
    await near.serves(HOST, server as unknown as Server);
    assert.deepEqual([await ask(near), got], [200, [SECRET]]);
  });

  test('is refused from the moment when credentials are revoked', async () => {
    await using rig = await Rig.start(OPEN, BOTH);
    const headers = { 'x-key': TOKEN };
    assert.equal((await rig.send('/', { headers })).status, 200);
    rig.store.revoke();
    const answer = await rig.send('/', { headers });
    assert.deepEqual([answer.status, JSON.parse(answer.body).error], [500, 'credential_unavailable']);
    assert.equal(rig.got.length, 1);
    await rig.assertNothingShown();
  });
});

describe('a value that comes back', () => {
  const headers = { authorization: `Bearer ${TOKEN}` };

  test('is a placeholder again in fields and bodies, however it is written and cut', async () => {
    await using rig = await Rig.start(OPEN, BOTH);
    rig.respond = (_, response) => {
      response.writeHead(200, { 'x-echo': SECRET, trailer: 'x-last' });
      const texts = [
        SECRET,
        encodeURIComponent(SECRET),
        JSON.stringify(SECRET),
        Buffer.from(SECRET).toString('base64'),
      ];
      for (const byte of Buffer.from(texts.join('\n'))) response.write(Buffer.from([byte]));
      response.addTrailers({ 'x-last': SECRET });
      response.end();
    };
    const { body, headers: fields } = await rig.send('/', { headers });
    assert.equal(fields['x-echo'], TOKEN);
    assert.equal(body.split(TOKEN).length - 1, 4, body);
    await rig.assertNothingShown();
  });

  test('is one also where another request has sent it, and in an answer that is compressed', async () => {
    const { gzipSync } = await import('node:zlib');
    await using rig = await Rig.start(OPEN, BOTH);
    rig.respond = (_, response) => {
      response.writeHead(200, { 'content-encoding': 'gzip' }).end(gzipSync(`it is ${SECRET}`));
    };
    assert.equal((await rig.send('/')).body, `it is ${TOKEN}`);
    await rig.assertNothingShown();
  });

  test('is one in each event of a stream, as soon as that comes', async () => {
    await using rig = await Rig.start(OPEN, BOTH);
    const tls = await rig.secured();
    const next = Promise.withResolvers<void>();
    rig.respond = async (_, response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      response.write(`data: ${SECRET}\n\n`);
      await next.promise;
      response.end('data: done\n\n');
    };
    const sent = request({ defaultPort: 443, host: HOST, headers, createConnection: () => tls }).end();
    const [response] = (await once(sent, 'response')) as [IncomingMessage];
    let text = '';
    for await (const chunk of response.setEncoding('utf8')) {
      text += chunk;
      if (text.endsWith('\n\n')) next.resolve();
    }
    assert.equal(text, `data: ${TOKEN}\n\ndata: done\n\n`);
  });
});

describe('a WebSocket', () => {
  async function open(rig: Rig): Promise<WebSocket> {
    rig.sockets!.on('connection', (socket) => {
      socket.on('error', () => {});
      socket.on('message', (data, isBinary) => {
        rig.got.push({ method: 'MESSAGE', url: '', headers: {}, body: String(data) });
        socket.send(isBinary ? data : `you said ${String(data)}`);
      });
    });
    const tls = await rig.secured();
    const socket = new WebSocket(`wss://${HOST}/chat`, { createConnection: () => tls });
    socket.on('error', () => {});
    await once(socket, 'open');
    return socket;
  }

  test('takes values in text, and gives placeholders back', async () => {
    await using rig = await Rig.start(OPTED_IN, BOTH);
    const socket = await open(rig);
    socket.send(`key ${TOKEN}`);
    assert.equal(String((await once(socket, 'message'))[0]), `you said key ${TOKEN}`);
    assert.equal(rig.got[0]?.body, `key ${SECRET}`);
    socket.send(Buffer.from([1, 2, 3]));
    assert.deepEqual([...(await once(socket, 'message'))[0]], [1, 2, 3]);
    socket.close();
    await once(socket, 'close');
    await rig.assertNothingShown();
  });

  const refused: [what: string, chosen: Policy, message: string | Buffer][] = [
    ['text that is not opted in', OPEN, `key ${TOKEN}`],
    ['a binary message', OPTED_IN, Buffer.from(`key ${TOKEN}`)],
  ];
  for (const [what, chosen, message] of refused)
    test(`is closed for a placeholder in ${what}`, async () => {
      await using rig = await Rig.start(chosen, BOTH);
      const socket = await open(rig);
      socket.send(message);
      const [code, reason] = await once(socket, 'close');
      assert.equal(code, 1008);
      assert.match(String(reason), /placeholder/);
      assert.deepEqual(rig.got, []);
      await rig.assertNothingShown();
    });
});

describe('credentials that the proxy makes', () => {
  test('are signatures of AWS requests, which a verifier of its own accepts', async () => {
    const aws = policy(
      rest(HOST, ', credential_signing: sigv4, signing_service: s3, signing_region: eu-west-1'),
    );
    const specs = [bound('AWS_ACCESS_KEY_ID', HOST), bound('AWS_SECRET_ACCESS_KEY', HOST)];
    await using rig = await Rig.start(aws, specs, {
      AWS_ACCESS_KEY_ID: 'AKIDEXAMPLE',
      AWS_SECRET_ACCESS_KEY: AWS_SECRET,
    });
    const authorization =
      'AWS4-HMAC-SHA256 Credential=x/20200101/eu-west-1/s3/aws4_request, SignedHeaders=host, Signature=00';
    for (const [method, path, body] of [
      ['GET', '/bucket/a%20key?list-type=2&prefix=a%2Fb', undefined],
      ['PUT', '/bucket/key', 'content'],
    ] as const) {
      const answer = await rig.send(path, { method, headers: { authorization }, ...(body && { body }) });
      assert.equal(answer.status, 200, answer.body);
      const got = rig.got.at(-1)!;
      assert.equal(signatureOf(got), /Signature=([0-9a-f]{64})$/.exec(got.headers.authorization ?? '')?.[1]);
    }
    await rig.assertNothingShown();
  });

  test('are tokens of an OAuth2 issuer, asked for once', async (t) => {
    const asked: string[] = [];
    const issuer = createHttp(async (incoming, response) => {
      let body = '';
      for await (const chunk of incoming) body += chunk;
      asked.push(`${incoming.headers.authorization} ${body}`);
      response.setHeader('content-type', 'application/json');
      response.end(JSON.stringify({ access_token: ACCESS_TOKEN, token_type: 'Bearer', expires_in: 3600 }));
    });
    await once(issuer.listen(0, LOOPBACK), 'listening');
    t.after(() => issuer.close());
    const source: CredentialSpec['source'] = {
      kind: 'oauth2',
      grant: { type: 'client_credentials' },
      tokenUrl: `http://${LOOPBACK}:${portOf(issuer as unknown as Server)}/token`,
      clientId: 'me',
      clientSecret: { kind: 'env', variable: 'CLIENT' },
    };
    await using rig = await Rig.start(OPEN, [{ name: 'ACCESS', source, bindings: [{ host: HOST }] }]);
    rig.respond = (incoming, response) => response.end(`you are ${incoming.headers.authorization}`);
    const headers = { authorization: `Bearer ${markerOf('ACCESS')}` };
    for (let i = 0; i < 2; i++)
      assert.equal((await rig.send('/', { headers })).body, `you are Bearer ${markerOf('ACCESS')}`);
    assert.equal(rig.got[1]?.headers.authorization, `Bearer ${ACCESS_TOKEN}`);
    const basic = Buffer.from(`me:${CLIENT_SECRET}`).toString('base64');
    assert.deepEqual(asked, [`Basic ${basic} grant_type=client_credentials`]);
    await rig.assertNothingShown();
  });
});

/** The signature that a request should have, by the text of AWS ("Create a signed AWS API request") and nothing of ours. */
function signatureOf({ method, url, headers, body }: Rig['got'][0]): string {
  const [, scope = '', names = ''] =
    /Credential=[^/]+\/([^,]+), ?SignedHeaders=([^,]+)/.exec(headers.authorization ?? '') ?? [];
  const [path = '', query = ''] = url.split('?');
  const sha256 = (text: string): string => createHash('sha256').update(text, 'latin1').digest('hex');
  const hmac = (key: string | Buffer, text: string): Buffer =>
    createHmac('sha256', key).update(text).digest();
  const canonical = [
    ...[method, path, query.split('&').sort().join('&')],
    ...names.split(';').map((name) => `${name}:${String(headers[name]).trim()}`),
    ...['', names, sha256(body)],
  ].join('\n');
  const toSign = ['AWS4-HMAC-SHA256', headers['x-amz-date'], scope, sha256(canonical)].join('\n');
  const key = scope.split('/').reduce<string | Buffer>(hmac, `AWS4${AWS_SECRET}`);
  return hmac(key, toSign).toString('hex');
}
