import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { after, before, describe, test } from 'node:test';
import { TestAuthority } from '../support/certificates.ts';
import { httpEvents } from '../support/events.ts';
import { type AskedRequest, type Judgement, MiddlewareService } from '../support/middleware-service.ts';
import { type Outcome, openshell } from '../support/openshell.ts';
import { type TestPolicy, writePolicy } from '../support/policy.ts';
import { RecordingOrigin } from '../support/recording-origin.ts';
import { Scratch } from '../support/scratch.ts';

const HOSTS = ['one.test', 'two.test', 'three.test', 'graph.test'];
const TICKET = 'ACME-12345';
const CURL = 'curl -sS --max-time 10';

const scratch = new Scratch();
const stack = new AsyncDisposableStack();
let authority: TestAuthority;
let operator: readonly string[];
let origin: RecordingOrigin;

before(async () => {
  authority = await TestAuthority.make(scratch);
  const certificate = await authority.issue(HOSTS);
  origin = stack.use(
    await RecordingOrigin.start(certificate, ({ line }) => `${line}\nthe origin knows of ${TICKET}\n`),
  );
  operator = [
    ...HOSTS.flatMap((host) => ['--resolve', `${host}:443=127.0.0.1:${origin.port}`]),
    ...['--upstream-ca', authority.file],
  ];
});
after(async () => {
  await stack.disposeAsync();
  scratch[Symbol.dispose]();
});

interface Ended extends Outcome {
  /** The lines of standard output. */
  readonly lines: readonly string[];
  readonly events: string;
}

let runs = 0;
/** Runs a script by curl; each test has a path of its own, by which its requests are found at the origin. */
const run = async (
  script: string,
  { endpoints, middlewares }: Pick<TestPolicy, 'endpoints' | 'middlewares'>,
  options: readonly string[] = [],
): Promise<Ended> => {
  runs += 1;
  const [policy, events] = [scratch.join(`policy-${runs}.json`), scratch.join(`events-${runs}`)];
  writeFileSync(events, '');
  writePolicy(policy, { endpoints, middlewares, binaries: ['/usr/bin/curl'] } as TestPolicy);
  const outcome = await openshell(
    ['run', '--policy', policy, '--events', events, ...operator, ...options, '--', 'sh'],
    { cwd: scratch.path, input: script },
  );
  return {
    ...outcome,
    lines: outcome.stdout.split('\n').filter(Boolean),
    events: readFileSync(events, 'utf8'),
  };
};

const writing = (...hosts: string[]) =>
  hosts.map((host) => ({ host, port: 443, protocol: 'rest', access: 'read-write' }));
const seen = (path: string) => origin.seen.filter(({ line }) => line.includes(path));

describe('openshell/regex', { concurrency: 2 }, () => {
  const patterns = { ticket: 'ACME-\\d{4,8}' };
  const stage = (config: object) => ({
    secrets: { middleware: 'openshell/regex', order: 1, endpoints: { include: ['**'] }, config },
  });

  test('takes what it knows out of requests and out of responses', async () => {
    const body = `{"ticket":"${TICKET}","key":"sk-aaaabbbbccccdddd","ordinary":"ACME-1"}`;
    const { stdout, stderr, events } = await run(`${CURL} --json '${body}' https://one.test/redacted`, {
      endpoints: writing('one.test'),
      middlewares: stage({ mode: 'redact', patterns }),
    });
    assert.equal(stdout, 'POST one.test/redacted\nthe origin knows of [REDACTED]\n', stderr);
    assert.deepEqual(
      seen('/redacted').map(({ body }) => body),
      ['{"ticket":"[REDACTED]","key":"[REDACTED]","ordinary":"ACME-1"}'],
    );
    assert.match(events, /ticket/);
    for (const hidden of [TICKET, 'sk-aaaa']) assert.ok(!(events + stderr).includes(hidden));
  });

  test('refuses a request with one, in its body or its target, and cuts a response off before it', async () => {
    const { lines, stderr, events } = await run(
      `${CURL} -w '\\n%{http_code}\\n' -d 'about ${TICKET}' https://one.test/denied
${CURL} -w '\\n%{http_code}\\n' https://one.test/denied/${TICKET}
${CURL} https://two.test/cut; echo "curl: $?"`,
      {
        endpoints: writing('one.test', 'two.test'),
        middlewares: stage({ mode: 'deny', patterns }),
      },
    );
    const refused = lines.filter((line) => line.startsWith('{')).map((line) => JSON.parse(line));
    assert.deepEqual(
      refused.map(({ error, middleware, reason_code }) => [error, middleware, reason_code]),
      [
        ['middleware_denied', 'secrets', 'match_in_body'],
        ['middleware_denied', 'secrets', 'match_in_target'],
      ],
      stderr,
    );
    assert.equal(lines.filter((line) => line === '403').length, 2);
    assert.deepEqual(seen('/denied'), []);
    assert.match(lines.at(-1) ?? '', /^curl: (18|56|92)$/);
    assert.ok(!lines.join().includes(TICKET));
    assert.ok(!(events + stderr).includes(TICKET), 'nor is it in the record of the refused target');
    assert.deepEqual(
      httpEvents(events).map(({ http_response }) => http_response?.code),
      [403, 403, 200],
    );
  });
});

describe('a service of the operator', { concurrency: 2 }, () => {
  const guard = (more: object = {}) => ({
    guard: { middleware: 'acme/guard', order: 1, endpoints: { include: ['**'] }, ...more },
  });
  const registered = ({ url }: { readonly url: string }): string[] => ['--middleware', `acme/guard=${url}`];
  const serving = (judge: Judgement, problems?: readonly string[]) =>
    MiddlewareService.start(judge, problems);

  test('sees a request without its credentials, and refuses it with a reason', async () => {
    const asked: AskedRequest[] = [];
    await using service = await serving((request) => {
      asked.push(request);
      return request.method === 'POST'
        ? {
            deny: { reason_code: 'not_today' },
            findings: [{ code: 'try', message: 'A try.', severity: 'high' }],
          }
        : { allow: {} };
    });
    const { lines, events } = await run(
      `${CURL} -H 'Authorization: Bearer own-token' -d 'a body' https://one.test/refused
${CURL} https://one.test/let-go`,
      { endpoints: writing('one.test'), middlewares: guard() },
      registered(service),
    );
    const { error, middleware, reason_code } = JSON.parse(lines[0] ?? '');
    assert.deepEqual([error, middleware, reason_code], ['middleware_denied', 'guard', 'not_today']);
    assert.equal(lines[1], 'GET one.test/let-go');
    assert.deepEqual(seen('/refused'), []);
    const [first] = asked;
    assert.deepEqual(
      [first?.host, first?.target, String(first?.body), first?.context.binary, first?.context.middleware],
      ['one.test', '/refused', 'a body', '/usr/bin/curl', 'guard'],
    );
    assert.ok(!JSON.stringify(first?.fields).includes('own-token'));
    assert.match(events, /A try\./);
    assert.deepEqual(
      httpEvents(events).map(({ http_response }) => http_response?.code),
      [403, 200],
    );
  });

  test('changes a body, and fields, for the origin', async () => {
    await using service = await serving(({ body }) => ({
      allow: {
        body: Buffer.from(String(body).toUpperCase()),
        set_fields: [{ name: 'x-openshell-middleware-checked', value: 'yes' }],
        remove_fields: ['x-debug'],
      },
    }));
    const { lines, stderr } = await run(
      `${CURL} -H 'X-Debug: 1' -d 'small letters' https://one.test/changed`,
      { endpoints: writing('one.test'), middlewares: guard() },
      registered(service),
    );
    assert.equal(lines[0], 'POST one.test/changed', stderr);
    const [{ headers, body } = assert.fail('the origin saw nothing')] = seen('/changed');
    assert.deepEqual(
      [body, headers['x-openshell-middleware-checked'], headers['x-debug'], headers['content-length']],
      ['SMALL LETTERS', 'yes', undefined, '13'],
    );
  });

  test('that is not there, or too slow, stops requests where its policy is to fail closed, and none where it is to fail open', async () => {
    await using slow = await serving(() => undefined);
    const gone = await serving(() => undefined);
    const { url } = gone;
    await gone[Symbol.asyncDispose]();
    const only = (...include: string[]) => ({ endpoints: { include } });
    const { lines, stderr, events } = await run(
      ['one', 'two', 'three', 'graph']
        .map((host) => `${CURL} -w '%{http_code}\\n' https://${host}.test/failing`)
        .join('\n'),
      {
        endpoints: writing('one.test', 'two.test', 'three.test', 'graph.test'),
        middlewares: {
          gone: { middleware: 'acme/gone', order: 1, ...only('one.test') },
          goneOpen: { middleware: 'acme/gone', order: 2, on_error: 'fail_open', ...only('two.test') },
          slow: { middleware: 'acme/slow', order: 3, ...only('three.test') },
          slowOpen: { middleware: 'acme/slow', order: 4, on_error: 'fail_open', ...only('graph.test') },
        },
      },
      ['--middleware', `acme/gone=${url}`, '--middleware', `acme/slow=${slow.url}`],
    );
    const failed = lines.filter((line) => line.startsWith('{')).map((line) => JSON.parse(line));
    assert.deepEqual(
      failed.map(({ error, middleware }) => [error, middleware]),
      [
        ['middleware_failed', 'gone'],
        ['middleware_failed', 'slow'],
      ],
      stderr,
    );
    assert.match(failed[1].detail, /no answer that could be used within 500 ms/);
    assert.deepEqual(
      lines.filter((line) => /^\d+$/.test(line)),
      ['503', '200', '503', '200'],
    );
    assert.deepEqual(
      seen('/failing').map(({ line }) => line),
      ['GET two.test/failing', 'GET graph.test/failing'],
    );
    assert.deepEqual(
      httpEvents(events).map(({ http_response }) => http_response?.code),
      [503, 200, 503, 200],
    );
  });

  test('cannot turn an allowed query into a mutation: policy is asked about the body that goes out', async () => {
    const mutation = '{"query":"mutation { closeIssue }"}';
    await using service = await serving(({ body }) => ({
      allow: String(body).includes('becomes') ? { body: Buffer.from(mutation) } : {},
    }));
    const { lines, stderr } = await run(
      `${CURL} --json '{"query":"query stays { me }"}' https://graph.test/graphql
${CURL} --json '{"query":"query becomes { me }"}' -w '%{http_code}\\n' https://graph.test/graphql`,
      {
        endpoints: [{ host: 'graph.test', port: 443, protocol: 'graphql', access: 'read-only' }],
        middlewares: guard(),
      },
      registered(service),
    );
    assert.equal(lines[0], 'POST graph.test/graphql', stderr);
    const { error, protocol, detail } = JSON.parse(lines.find((line) => line.startsWith('{')) ?? '{}');
    assert.deepEqual([error, protocol, lines.at(-1)], ['policy_denied', 'graphql', '403']);
    assert.match(detail, /mutation|closeIssue/);
    assert.deepEqual(
      seen('/graphql').map(({ body }) => body),
      ['{"query":"query stays { me }"}'],
    );
  });

  const mistakes: readonly [what: string, options: (url: string) => string[], message: RegExp][] = [
    ['that is not registered', () => [], /acme\/guard/],
    ['that refuses its configuration', (url) => registered({ url }), /level must be low/],
    [
      'whose address has a password',
      () => ['--middleware', 'acme/guard=http://u:hunter2@h:1'],
      /acme\/guard.*address is not/,
    ],
  ];
  for (const [what, options, message] of mistakes) {
    test(`${what} starts nothing`, async () => {
      await using service = await serving(() => ({ allow: {} }), ['level must be low']);
      const { code, stdout, stderr } = await run(
        'echo started',
        { endpoints: writing('one.test'), middlewares: guard() },
        options(service.url),
      );
      assert.match(stderr, message);
      assert.doesNotMatch(stderr, /hunter2/);
      assert.deepEqual([code, stdout], [125, '']);
    });
  }
});
