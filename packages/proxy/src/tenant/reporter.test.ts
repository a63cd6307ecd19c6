import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { eventLine, type HttpEvent, MemorySink, type Refusal, type SecurityEvent } from '@openshell/audit';
import { generation, sandboxId } from '@openshell/base';
import type { Intent, RequestDecision } from '@openshell/policy';
import type { RequestRecord } from '../inspect/record.ts';
import { type Limits, limitsWith } from '../limits.ts';
import { CURL } from '../test-support/fixture.ts';
import { ConnectionTrace } from '../tracing/connection-trace.ts';
import { type Reported, Reporter } from './reporter.ts';

const INTENT: Intent = {
  sandbox: sandboxId('box'),
  adapter: 'connect',
  host: 'api.example.com',
  port: 443,
  evidence: CURL,
};
const TRACE = '0af7651916cd43dd8448eb211c80319c';
const PLACE = 'network_policies.api.endpoints[0]';

const ALLOWED: RequestRecord = {
  intent: INTENT,
  generation: 3,
  traceId: TRACE,
  protocol: 'rest',
  scheme: 'https',
  version: '2',
  method: 'GET',
  path: '/repos/x',
  action: 'allowed',
  policy: 'api',
  rule: `${PLACE}.rules[1]`,
  reason: 'allowed',
  credentials: ['API_TOKEN'],
  status: 200,
  bytesOut: 5,
  bytesIn: 700,
  durationMs: 12,
};
const DENIED: RequestRecord = {
  ...ALLOWED,
  method: 'PUT',
  action: 'denied',
  code: 'request_not_allowed',
  rule: PLACE,
  reason: 'PUT /repos/x is not allowed',
  remedy: 'Add a rule',
  credentials: undefined,
  status: 403,
};
const DENY: RequestDecision = {
  action: 'deny',
  generation: generation(3),
  code: 'request_denied',
  reason: 'a deny rule matches',
  remedy: 'Leave it',
  policy: 'api',
  rule: `${PLACE}.deny_rules[0]`,
};

interface Subject {
  readonly reporter: Reporter;
  readonly events: () => SecurityEvent[];
  readonly refusals: Refusal[];
}

function subject(limits: Partial<Limits> = {}): Subject {
  const sink = new MemorySink();
  const refusals: Refusal[] = [];
  const reporter = new Reporter({
    sandbox: INTENT.sandbox,
    limits: limitsWith(limits),
    generation: () => 3,
    events: (event) => sink.write(event),
    refusals: (refusal) => refusals.push(refusal),
  });
  return { reporter, events: () => sink.events, refusals };
}

/** The counts that are reported at the end. */
function counts({ reporter, events }: Subject): (SecurityEvent['unmapped'] & object)[] {
  const before = events().length;
  reporter.close();
  return events()
    .slice(before)
    .map((event) => event.unmapped ?? {});
}

describe('the report of a request', () => {
  test('is one event with what it was, what became of it, by which rule and with which credentials', () => {
    const one = subject();
    one.reporter.request(ALLOWED);
    const [event] = one.events() as [HttpEvent];
    assert.equal(
      eventLine(event),
      `HTTP:GET [INFO] ALLOWED curl(12) -> GET https://api.example.com/repos/x [status:200 policy:api rule:network_policies.api.endpoints\\[0\\].rules\\[1\\] engine:builtin credentials:API_TOKEN in:700 out:5 ms:12 trace:${TRACE}]`,
    );
    assert.equal(event.http_request.version, '2');
    assert.equal(event.unmapped?.generation, 3);
    assert.equal(event.unmapped?.protocol, 'rest');
    assert.deepEqual([one.refusals, counts(one)], [[], []]);
  });

  const outcomes: [RequestRecord['action'], string, number, number][] = [
    ['allowed', 'Allowed', 1, 1],
    ['audited', 'Observed', 3, 15],
    ['denied', 'Denied', 2, 2],
    ['failed', 'Allowed', 1, 27],
  ];
  for (const [action, caption, actionId, dispositionId] of outcomes) {
    test(`says in OCSF's words that it was ${action}`, () => {
      const one = subject();
      one.reporter.request({ ...ALLOWED, action });
      const [event] = one.events() as [HttpEvent];
      assert.deepEqual(
        [event.action, event.action_id, event.disposition_id],
        [caption, actionId, dispositionId],
      );
      one.reporter.close();
    });
  }

  test('tells the person of a refusal and a failure, and not of what was let through', () => {
    const one = subject();
    for (const action of ['allowed', 'audited', 'denied', 'failed'] as const)
      one.reporter.request({ ...DENIED, action });
    assert.deepEqual(
      one.refusals.map(({ code, subject, remedy }) => [code, subject, remedy]),
      [
        ['request_not_allowed', 'PUT /repos/x', 'Add a rule'],
        ['request_not_allowed', 'PUT /repos/x', 'Add a rule'],
      ],
    );
    one.reporter.close();
  });

  test('counts denials, and gives up single events in a loop of them', () => {
    const one = subject({ denialEvents: 3 });
    for (let i = 0; i < 10; i++) one.reporter.request({ ...DENIED, path: `/repos/${i % 2}` });
    assert.equal(one.events().length, 3);
    assert.deepEqual(
      counts(one).map(({ count: _, ...rest }) => ({ ...rest, first: 0, last: 0 })),
      [
        {
          generation: 3,
          stage: 'request',
          code: 'request_not_allowed',
          rule: PLACE,
          policy: 'api',
          protocol: 'rest',
          binary: '/usr/bin/curl',
          host: 'api.example.com',
          port: 443,
          told: 3,
          first: 0,
          last: 0,
          samples: [
            { method: 'PUT', path: '/repos/0', operations: undefined, count: 5 },
            { method: 'PUT', path: '/repos/1', operations: undefined, count: 5 },
          ],
        },
      ],
    );
  });

  test('names the operations of what was denied and no value of them', () => {
    const one = subject();
    const params = [['arguments.password', 'hunter2']] as const;
    const messages = [{ kind: 'request', method: 'tools/call', tool: 'login', params }] as const;
    one.reporter.request({
      ...DENIED,
      protocol: 'mcp',
      content: { kind: 'rpc', messages, receiveStream: false },
    });
    one.reporter.close();
    const all = JSON.stringify(one.events());
    assert.ok(!all.includes('hunter2') && !all.includes('password'));
    assert.deepEqual(one.events()[0]?.unmapped?.operations, [
      { kind: 'rpc', method: 'tools/call', tool: 'login' },
    ]);
  });
});

describe('the report of what is inside a connection', () => {
  test('a refused message of a WebSocket is an event and a denial', () => {
    const one = subject();
    const graphql = { type: 'mutation', name: 'Drop', fields: ['drop'] } as const;
    const facts = { path: '/ws', query: [], method: 'WEBSOCKET_TEXT', from: 'client' } as const;
    const content = { kind: 'message', graphql } as const;
    one.reporter.message({ intent: INTENT, facts: { ...facts, content }, decision: DENY, traceId: TRACE });
    const [event] = one.events() as [HttpEvent];
    assert.equal(event.http_request.http_method, 'WEBSOCKET_TEXT');
    assert.equal(event.trace?.uid, TRACE);
    assert.equal(event.unmapped?.operation, 'mutation Drop { drop }');
    assert.equal(counts(one)[0]?.stage, 'message');
  });

  test('a watched message is an event and nothing else', () => {
    const one = subject();
    const facts = { path: '/ws', query: [], method: 'WEBSOCKET_TEXT', from: 'client' } as const;
    const decision: RequestDecision = {
      action: 'audit',
      generation: generation(3),
      reason: 'only watched',
      policy: 'api',
      endpoint: { policy: 'api', index: 0, host: INTENT.host },
      rule: PLACE,
    };
    one.reporter.message({
      intent: INTENT,
      facts: { ...facts, content: { kind: 'message' } },
      decision,
      traceId: TRACE,
    });
    assert.deepEqual([one.events().length, one.refusals, counts(one)], [1, [], []]);
  });

  test('a refused message of a server names its method and who sent it', () => {
    const one = subject();
    one.reporter.serverMessageRefused(
      INTENT,
      { kind: 'request', method: 'sampling/createMessage', params: [['prompt', 'hunter2']] },
      TRACE,
    );
    assert.match(one.refusals[0]?.reason ?? '', /sampling\/createMessage/);
    const [count] = counts(one);
    assert.deepEqual([count?.stage, count?.from], ['message', 'server']);
    assert.ok(!JSON.stringify(one.events()).includes('hunter2'));
  });

  const statements = [{ command: 'DROP TABLE', effect: 'other', tables: ['public.users'] }] as const;
  test('a statement is named by command and tables', () => {
    const one = subject();
    const record = { kind: 'statements', content: { kind: 'sql', statements }, forwarded: false } as const;
    one.reporter.statement(INTENT, { ...record, decision: DENY }, TRACE);
    assert.match(
      eventLine(one.events()[0]!),
      /^NET:STATEMENT \[MED\] DENIED curl\(12\) -> api\.example\.com:443 .*op:"DROP TABLE public\.users".*reason:a deny rule matches/,
    );
    assert.equal(one.refusals[0]?.subject, 'DROP TABLE public.users');
    assert.equal(counts(one)[0]?.stage, 'statement');
  });

  test('a database connection that fails is a failure, and one that is refused a denial', () => {
    const one = subject();
    one.reporter.statement(INTENT, { kind: 'refused', code: 'upstream', reason: 'not trusted' }, TRACE);
    one.reporter.statement(INTENT, { kind: 'refused', code: 'sql_startup', reason: 'replication' }, TRACE);
    assert.deepEqual(
      one.events().map(({ activity_name }) => activity_name),
      ['Fail', 'Refuse'],
    );
    assert.deepEqual(
      counts(one).map(({ code }) => code),
      ['sql_startup'],
    );
  });

  test('findings of a middleware alike are told at once and then as a number', () => {
    const one = subject();
    const finding = {
      middleware: 'redact',
      code: 'email',
      message: 'an address',
      severity: 'low',
      count: 2,
    } as const;
    for (let i = 0; i < 5; i++) one.reporter.middlewareFinding(INTENT, finding, TRACE);
    one.reporter.close();
    assert.deepEqual(
      one.events().map((event) => 'count' in event && event.count),
      [2, 4],
    );
  });

  test('a client that distrusts the certificate is told of, and one that merely goes away is not', () => {
    const one = subject();
    const connection: Reported = { adapter: 'explicit', grant: undefined, trace: new ConnectionTrace() };
    one.reporter.interceptFailed(connection, INTENT, { code: 'closed', detail: 'gone' });
    one.reporter.interceptFailed(connection, INTENT, {
      code: 'distrusted',
      detail: 'no',
      remedy: 'Trust it',
    });
    assert.equal(one.events().length, 2);
    assert.deepEqual(
      one.refusals.map(({ code }) => code),
      ['distrusted'],
    );
    one.reporter.close();
  });
});

test('a count that the record does not take is offered again', () => {
  const taken: SecurityEvent[] = [];
  let full = false;
  const reporter = new Reporter({
    sandbox: INTENT.sandbox,
    limits: limitsWith({ denialEvents: 0 }),
    generation: () => 3,
    events: (event) => !full && taken.push(event) > 0,
    refusals: () => {},
  });
  reporter.request(DENIED);
  full = true;
  reporter.close();
  assert.equal(taken.length, 0);
  full = false;
  reporter.close();
  assert.equal('count' in taken[0]! && taken[0].count, 1);
});
