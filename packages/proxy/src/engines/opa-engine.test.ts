/**
 * No OPA program was at hand where this was written. The server below speaks the data API as OPA documents it: POST with
 * `{"input": …}`, `{"result": …}` with status 200 (no `result` when the document is undefined), `{"code", "message"}` otherwise.
 */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, test } from 'node:test';
import { generation } from '@openshell/base';
import type { RequestFacts } from '@openshell/policy';
import { intentFor } from '../test-support/policies.ts';
import { OpaEngine } from './opa-engine.ts';

type Handler = (request: IncomingMessage, response: ServerResponse, body: string) => void;

class FakeOpa implements AsyncDisposable {
  readonly url: string;
  readonly engine: OpaEngine;
  readonly #server: ReturnType<typeof createServer>;
  connections = 0;

  static async start(handler: Handler, timeMs?: number): Promise<FakeOpa> {
    const server = createServer(async (request, response) => {
      let body = '';
      for await (const chunk of request) body += chunk;
      handler(request, response, body);
    });
    await once(server.listen(0, '127.0.0.1'), 'listening');
    return new FakeOpa(server, timeMs);
  }

  constructor(server: ReturnType<typeof createServer>, timeMs: number | undefined) {
    this.#server = server;
    this.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    server.on('connection', () => this.connections++);
    const time = timeMs === undefined ? {} : { timeMs };
    this.engine = new OpaEngine({ generation: generation(5), url: this.url, ...time });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.engine.close();
    this.#server.closeAllConnections();
    await new Promise((done) => this.#server.close(done));
  }
}

const answer = (response: ServerResponse, body: unknown, status = 200): void => {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
};

const intent = intentFor('api.example.com', 443, '/usr/bin/curl');

test('OPA is asked with the documented question, over one connection', async () => {
  const asked: [string | undefined, string | undefined, unknown][] = [];
  await using opa = await FakeOpa.start((request, response, body) => {
    asked.push([request.method, request.url, JSON.parse(body)]);
    const endpoint = { host: 'api.example.com', ports: [443], allowed_ips: ['10.0.0.0/8'] };
    answer(response, {
      result: {
        action: 'allow',
        matched_policy: 'api',
        matched_endpoints: [{ policy_name: 'api', endpoint_index: 1, endpoint }],
        exact_declared_endpoint_host: true,
      },
    });
  });
  const first = await opa.engine.authorizeConnect(intent);
  await opa.engine.authorizeConnect(intent);
  assert.deepEqual(first, {
    action: 'allow',
    generation: 5,
    reason: 'allowed by network_policies.api.endpoints[1]',
    policy: 'api',
    endpoint: { policy: 'api', index: 1, host: 'api.example.com' },
    tls: 'auto',
    destination: { exactHost: true, allowedIps: ['10.0.0.0/8'] },
  });
  const exec = {
    path: '/usr/bin/curl',
    sha256: '0'.repeat(64),
    pinned: true,
    ancestors: [],
    cmdline_paths: ['/usr/share/script'],
  };
  const network = { host: 'api.example.com', port: 443 };
  assert.deepEqual(asked[0], [
    'POST',
    '/v1/data/openshell/sandbox/egress_authorization',
    { input: { sandbox: 'test', adapter: 'connect', network, exec } },
  ]);
  assert.equal(asked.length, 2);
  assert.equal(opa.connections, 1);
});

describe('OPA is asked about requests', () => {
  const facts: RequestFacts = {
    method: 'GET',
    path: '/x',
    query: [],
    content: { kind: 'http' },
    from: 'client',
  };
  const answering =
    (answers: Readonly<Record<string, unknown>>, asked: string[] = []): Handler =>
    (request, response) => {
      const rule = request.url!.split('/').at(-1)!;
      asked.push(rule);
      answer(response, rule in answers ? { result: answers[rule] } : {});
    };

  test('with the request in the input, and answers with a decision', async () => {
    let question: { input?: { request?: unknown; network?: unknown } } = {};
    await using opa = await FakeOpa.start((_, response, body) => {
      question = JSON.parse(body);
      answer(response, {
        result: {
          action: 'audit',
          reason: 'watched',
          rule: 'r',
          policy: 'api',
          endpoint: { policy: 'api', index: 1 },
        },
      });
    });
    assert.deepEqual(await opa.engine.authorizeRequest(intent, facts), {
      action: 'audit',
      generation: 5,
      reason: 'watched',
      policy: 'api',
      endpoint: { policy: 'api', index: 1, host: '' },
      rule: 'r',
    });
    assert.deepEqual(question.input?.network, { host: 'api.example.com', port: 443 });
    assert.deepEqual(question.input?.request, {
      method: 'GET',
      path: '/x',
      query_params: {},
      from: 'client',
    });
  });

  test('for a word, where it has no decision', async () => {
    const asked: string[] = [];
    await using opa = await FakeOpa.start(
      answering({ allow_request: false, request_deny_reason: 'not today' }, asked),
    );
    const decision = await opa.engine.authorizeRequest(intent, facts);
    assert.deepEqual([decision.action, decision.reason], ['deny', 'not today']);
    assert.deepEqual(asked, ['request_authorization', 'allow_request', 'request_deny_reason']);
    await using other = await FakeOpa.start(answering({ allow_request: true }));
    assert.equal((await other.engine.authorizeRequest(intent, facts)).action, 'allow');
  });

  for (const [what, handler, reason] of [
    [
      'knows connections only',
      answering({ egress_authorization: { action: 'allow' } }),
      /no answer to this request/,
    ],
    ['answers with nonsense', answering({ request_authorization: 'allow' }), /no object/],
    ['hangs up', (request) => void request.socket.destroy(), /hang up|reset/],
  ] as readonly (readonly [string, Handler, RegExp])[]) {
    test(`and nothing goes out when it ${what}`, async () => {
      await using opa = await FakeOpa.start(handler);
      const decision = await opa.engine.authorizeRequest(intent, facts);
      assert.ok(decision.action === 'deny');
      assert.equal(decision.code, 'rules_failed');
      assert.match(decision.reason, reason);
    });
  }

  test('of connections that it wants looked into', async () => {
    const endpoint = { host: 'api.example.com', ports: [443], protocol: 'rest', access: 'read-only' };
    const result = {
      action: 'allow',
      matched_endpoints: [{ policy_name: 'api', endpoint_index: 0, endpoint }],
    };
    await using opa = await FakeOpa.start((_, response) => answer(response, { result }));
    for (let again = 0; again < 2; again++) {
      const decision = await opa.engine.authorizeConnect(intent);
      assert.ok(decision.action === 'allow');
      assert.deepEqual(
        decision.inspection?.treatments.map((each) => [each.endpoint.access, each.policy]),
        [['read-only', 'api']],
      );
      assert.deepEqual(decision.inspection?.middlewares, []);
    }
  });
});

describe('a connection is denied, with the reason, when OPA', () => {
  const CASES: readonly (readonly [what: string, handler: Handler, code: string, reason: RegExp])[] = [
    [
      'denies it',
      (_, r) => answer(r, { result: { action: 'deny', deny_reason: 'not today' } }),
      'rules_denied',
      /^not today$/,
    ],
    ['has no such rule', (_, r) => answer(r, {}), 'rules_failed', /no answer/],
    [
      'reports an error',
      (_, r) => answer(r, { code: 'internal_error', message: 'conflict' }, 500),
      'rules_failed',
      /500 \(internal_error: conflict\)/,
    ],
    ['is some other server', (_, r) => void r.end('<html>'), 'rules_failed', /not JSON/],
    ['answers with a list', (_, r) => answer(r, []), 'rules_failed', /no object/],
    [
      'sends elsewhere',
      (_, r) => void r.writeHead(302, { location: 'http://127.0.0.1:1/' }).end(),
      'rules_failed',
      /status 302/,
    ],
    ['hangs up', (request) => void request.socket.destroy(), 'rules_failed', /hang up|reset/],
    [
      'stops in the middle',
      (_, r) => void r.writeHead(200, { 'content-length': 100 }).write('{', () => r.destroy()),
      'rules_failed',
      /aborted/,
    ],
    ['answers without end', (_, r) => flood(r), 'rules_failed', /longer than 1048576 bytes/],
  ];
  const flood = (response: ServerResponse): void => {
    response.on('error', () => {});
    const more = (): void => {
      while (!response.destroyed && response.write('x'.repeat(65_536)));
      if (!response.destroyed) response.once('drain', more);
    };
    more();
  };
  for (const [what, handler, code, reason] of CASES) {
    test(what, async () => {
      await using opa = await FakeOpa.start(handler);
      const decision = await opa.engine.authorizeConnect(intent);
      assert.ok(decision.action === 'deny');
      assert.equal(decision.code, code);
      assert.match(decision.reason, reason);
    });
  }

  test('is not there', async () => {
    let url = '';
    {
      await using opa = await FakeOpa.start(() => {});
      url = opa.url;
    }
    const decision = await new OpaEngine({ generation: generation(5), url }).authorizeConnect(intent);
    assert.match(decision.reason, /ECONNREFUSED/);
  });

  test('does not answer in time', async () => {
    await using opa = await FakeOpa.start(() => {}, 30);
    assert.match((await opa.engine.authorizeConnect(intent)).reason, /within 30 ms/);
  });
});

describe('addresses of OPA', () => {
  for (const url of [
    '',
    'localhost:8181',
    'ftp://x',
    'file:///etc/passwd',
    'http://u:p@h/',
    'http://h/?q',
    'http://h/#f',
  ]) {
    test(`"${url}" is refused`, () => {
      assert.throws(() => new OpaEngine({ generation: generation(1), url }), { code: 'bad_opa_url' });
    });
  }
});
