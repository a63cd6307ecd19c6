import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import { type Outcome, runInProcess, runProgram } from '../test/program.ts';
import { scratch } from '../test/scratch.ts';

type Json = Readonly<Record<string, unknown>>;

const CURL = '/usr/bin/curl';
const common = (binary: string | undefined): Json => ({
  metadata: { tenant_uid: 'box' },
  ...(binary !== undefined && { actor: { process: { name: 'curl', file: { path: binary } } } }),
});

const connect = (host: string, code = 'endpoint_not_allowed', binary: string | undefined = CURL): Json => ({
  class_uid: 4001,
  action: 'Denied',
  ...common(binary),
  dst_endpoint: { domain: host, port: 443 },
  unmapped: { adapter: 'connect', stage: 'connect', code },
});

interface RequestOptions {
  readonly action?: string;
  readonly rule?: string;
  readonly unmapped?: Json;
}

const request = (
  method: string,
  path: string,
  { action = 'Denied', rule = 'network_policies.api.endpoints[0]', unmapped = {} }: RequestOptions = {},
): Json => ({
  class_uid: 4002,
  action,
  ...common(CURL),
  dst_endpoint: { domain: 'api.example.com', port: 443 },
  firewall_rule: { name: 'api', type: 'builtin', uid: rule },
  http_request: { http_method: method, url: { path } },
  unmapped: { stage: 'request', protocol: 'rest', code: 'request_not_allowed', ...unmapped },
});

const count = (total: number, samples: readonly [string, string, number][]): Json => ({
  class_uid: 2004,
  action: 'Denied',
  ...common(CURL),
  count: total,
  finding_info: { uid: 'egress-denials' },
  unmapped: {
    stage: 'request',
    protocol: 'rest',
    code: 'request_not_allowed',
    rule: 'network_policies.api.endpoints[0]',
    host: 'api.example.com',
    port: 443,
    samples: samples.map(([method, path, count]) => ({ method, path, count })),
  },
});

const BASE = `version: 1
network_policies:
  api:
    endpoints:
      - { host: api.example.com, port: 443, protocol: rest, rules: [{ allow: { method: GET, path: /a } }] }
    binaries: [{ path: ${CURL} }]
`;

interface SuggestOptions {
  readonly policy?: string;
  readonly words?: readonly string[];
}

function suggest(
  t: TestContext,
  events: readonly (Json | string)[],
  { policy, words = [] }: SuggestOptions = {},
): Promise<Outcome> {
  const folder = scratch(t);
  const file = join(folder, 'events');
  writeFileSync(
    file,
    events.map((event) => `${typeof event === 'string' ? event : JSON.stringify(event)}\n`).join(''),
  );
  const given: string[] = [];
  if (policy !== undefined) {
    given.push('--policy', join(folder, 'policy.yaml'));
    writeFileSync(join(folder, 'policy.yaml'), policy);
  }
  return runInProcess(['policy', 'suggest', ...given, ...words, file]);
}

describe('openshell policy suggest', () => {
  test('proposes the connections that nothing allowed', async (t) => {
    const { code, out, err } = await suggest(t, [connect('x.org'), connect('x.org'), connect('y.org')]);
    assert.equal(code, 0);
    assert.match(out, /# refused 2 times\n\s+- host: x\.org\n/);
    assert.match(out, /# refused once\n\s+- host: y\.org\n/);
    assert.equal(err, '');
  });

  test('proposes requests in the words of the policy that refused them', async (t) => {
    const events = [request('PUT', '/b'), request('PUT', '/b'), request('GET', '/c', { action: 'Observed' })];
    const { code, out } = await suggest(t, events, { policy: BASE });
    assert.equal(code, 0);
    assert.match(out, /- allow: \{ method: PUT, path: \/b \} # refused 2 times/);
    assert.match(out, /- allow: \{ method: GET, path: \/c \} # refused once/);
  });

  const counted: [string, readonly Json[], RegExp][] = [
    [
      'an event that is in a count, too, is counted once',
      [request('PUT', '/b'), count(5, [['PUT', '/b', 5]])],
      /# refused 5 times/,
    ],
    [
      'counts of several windows add up',
      [count(5, [['PUT', '/b', 5]]), count(2, [['PUT', '/b', 2]])],
      /# refused 7 times/,
    ],
    [
      'events count where the last count is missing',
      [request('PUT', '/b'), request('PUT', '/b')],
      /# refused 2 times/,
    ],
  ];
  for (const [what, events, expected] of counted) {
    test(what, async (t) => {
      const { out } = await suggest(t, events, { policy: BASE });
      assert.match(out, new RegExp(`path: /b \\} ${expected.source}`));
    });
  }

  test('says how much was refused of which nothing is known', async (t) => {
    const { err } = await suggest(t, [count(50, [['PUT', '/b', 5]])], { policy: BASE });
    assert.match(err, /45 more were refused/);
  });

  const refused: [string, Json, RegExp][] = [
    ['what a deny rule refuses', request('PUT', '/b', { unmapped: { code: 'request_denied' } }), /deny rule/],
    [
      'what a deny rule would refuse, were it enforced',
      request('PUT', '/b', { action: 'Observed', rule: 'network_policies.api.endpoints[0].deny_rules[1]' }),
      /deny rule/,
    ],
    ['protected addresses', connect('metadata.local', 'ssrf_denied'), /protected/],
    ['programs that are not known', connect('x.org', 'endpoint_not_allowed', ''), /not proposed/],
    [
      'names without a connection',
      { class_uid: 4003, action: 'Denied', query: { hostname: 'n.org' } },
      /n\.org/,
    ],
  ];
  for (const [what, event, expected] of refused) {
    test(`does not propose ${what}, and says so`, async (t) => {
      const { code, out, err } = await suggest(t, [event]);
      assert.deepEqual([code, out], [1, 'version: 1\nnetwork_policies: {}\n']);
      assert.match(err, expected);
    });
  }

  test('passes over what is no event, what is about something else, and a line that was cut off', async (t) => {
    const lines = [
      '{"class_uid":400',
      'text',
      '[]',
      { class_uid: 1007 },
      request('GET', '/', { action: 'Allowed' }),
    ];
    const { code, err } = await suggest(t, lines);
    assert.equal(code, 1);
    assert.match(err, /3 lines are no event/);
  });

  test('obeys nothing that an event says to the terminal', async (t) => {
    const { err } = await suggest(t, [connect('x.org', 'weird\u001b[2J\nopenshell: fine')]);
    assert.doesNotMatch(err, /\u001b|\nopenshell: fine/);
  });

  test('prints one JSON document', async (t) => {
    const { out } = await suggest(t, [connect('x.org'), connect('y.org', 'ssrf_denied'), 'text'], {
      words: ['--json'],
    });
    const { policy, notProposed, unknown, names, invalidLines } = JSON.parse(out);
    assert.match(policy, /x\.org/);
    assert.equal(notProposed[0].denial.host, 'y.org');
    assert.deepEqual([unknown, names, invalidLines], [0, [], 1]);
  });

  test('reads standard input, and several files', async (t) => {
    const file = join(scratch(t), 'events');
    writeFileSync(file, JSON.stringify(connect('x.org')));
    const input = `${JSON.stringify(connect('y.org'))}\n`;
    const { out } = await runProgram(['policy', 'suggest', '-', file], { input });
    assert.match(out, /x\.org/);
    assert.match(out, /y\.org/);
  });

  test('says which file cannot be read, and which is no policy', async (t) => {
    const missing = await runInProcess(['policy', 'suggest', '/nonexistent/events']);
    assert.equal(missing.code, 2);
    assert.match(missing.err, /\/nonexistent\/events cannot be read/);
    const invalid = await suggest(t, [], { policy: 'version: 7\n' });
    assert.equal(invalid.code, 2);
    assert.match(invalid.err, /not a valid policy/);
  });
});
