import assert from 'node:assert/strict';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, describe, test } from 'node:test';
import { type Outcome, openshell } from '../support/openshell.ts';
import { httpOrigin, type Origin } from '../support/origin.ts';
import { writePolicy } from '../support/policy.ts';
import { Scratch } from '../support/scratch.ts';

const scratch = new Scratch();
let origin: Origin;
let policy = '';
/** The same endpoint, on which requests are looked into. */
let inspected = '';
before(async () => {
  origin = await httpOrigin();
  const endpoints = [{ host: 'origin.test', port: origin.port }];
  policy = writePolicy(scratch.join('policy.yaml'), { endpoints, binaries: ['/usr/bin/curl'] });
  const reading = { protocol: 'rest', enforcement: 'enforce', access: 'read-only' };
  inspected = writePolicy(scratch.join('inspected.yaml'), {
    endpoints: endpoints.map((endpoint) => ({ ...endpoint, ...reading })),
    binaries: ['/usr/bin/curl'],
  });
});
after(async () => {
  await origin?.[Symbol.asyncDispose]();
  scratch[Symbol.dispose]();
});

let rules = 0;
/** A file with rules of `openshell.sandbox`. */
const rulesFile = (body: string): string => {
  const file = scratch.join(`rules-${++rules}.rego`);
  writeFileSync(file, `package openshell.sandbox\n\nimport data.openshell.policy\n\n${body}\n`);
  return file;
};

const CURL = 'curl -sS --max-time 20 -o /dev/null -w "%{http_code}\\n"';
const curl = (path = '/'): string => `${CURL} http://origin.test:${origin.port}${path}`;

const run = (script: string, ...options: string[]): Promise<Outcome> =>
  openshell(['run', '--resolve', 'origin.test=127.0.0.1', ...options, '--', 'sh', '-c', script], {
    cwd: scratch.path,
  });

describe('rules in Rego', { concurrency: 2 }, () => {
  test('decide as the policy file does when there are none of the user', async () => {
    const other = `${CURL} http://other.test:${origin.port}/`;
    const { stdout, stderr } = await run(
      `${curl()}; ${other}`,
      '--policy-data',
      policy,
      '--policy-engine',
      'rego',
    );
    assert.equal(stdout, '200\n403\n');
    assert.match(stderr, /no endpoint of the policy allows other\.test/);
  });

  test('can ask for a program among the ancestors, which a policy file cannot', async () => {
    const file = rulesFile(`egress_authorization := policy.egress_authorization if {
	some path in input.exec.ancestors
	endswith(path, "/env-like")
} else := policy.deny("only below env-like")`);
    const script = `cp "$(readlink -f /proc/$$/exe)" ./env-like; ${curl()}; ./env-like -c '${curl()}; exit 0'`;
    const { stdout, stderr } = await run(script, '--policy', policy, '--policy-rules', file);
    assert.equal(stdout, '403\n200\n');
    assert.match(stderr, /only below env-like/);
  });

  for (const [when, hours, status] of [
    ['within', 'hour >= 0', '200\n'],
    ['outside of', 'hour > 24', '403\n'],
  ] as const) {
    test(`can ask for the time: ${when} the hours`, async () => {
      const file = rulesFile(`egress_authorization := policy.egress_authorization if {
	[hour, _, _] := time.clock(time.now_ns())
	${hours}
} else := policy.deny("at this hour")`);
      const { stdout } = await run(curl(), '--policy', policy, '--policy-rules', file);
      assert.equal(stdout, status);
    });
  }

  test('can use data of their own beside the policy', async () => {
    const data = scratch.join('data.json');
    writeFileSync(data, JSON.stringify({ frozen: true }));
    const file = rulesFile(`egress_authorization := policy.egress_authorization if not data.frozen
else := policy.deny("frozen")`);
    const { stdout, stderr } = await run(
      curl(),
      '--policy',
      policy,
      '--policy-rules',
      file,
      '--policy-data',
      data,
    );
    assert.equal(stdout, '403\n');
    assert.match(stderr, /-> origin\.test:\d+: frozen/);
  });

  test('decide about requests, each by itself, on what the policy file looks into', async () => {
    const file = rulesFile(`egress_authorization := policy.egress_authorization

request_authorization := policy.deny_request("not for you") if input.request.path == "/secret"
else := policy.request_authorization`);
    const script = `${curl()}; ${curl('/secret')}; ${curl()} -X DELETE`;
    const { stdout, stderr } = await run(script, '--policy', inspected, '--policy-rules', file);
    assert.equal(stdout, '200\n403\n403\n');
    assert.match(stderr, /not for you/);
    assert.match(stderr, /DELETE \/ is not allowed by network_policies\.\w+\.endpoints\[0\]/);
  });

  test('that speak of connections only let no request through where the policy file looks into them', async () => {
    const file = rulesFile('egress_authorization := policy.egress_authorization');
    const { stdout, stderr } = await run(curl(), '--policy', inspected, '--policy-rules', file);
    assert.equal(stdout, '403\n');
    assert.match(stderr, /no answer to this request/);
  });

  test('that are not valid start nothing, and the place is shown with its line', async () => {
    const file = rulesFile('egress_authorization := {"action": "allow"}}');
    const { code, stdout, stderr } = await run('echo started', '--policy', policy, '--policy-rules', file);
    assert.deepEqual([code, stdout], [125, '']);
    assert.match(stderr, /rules-\d+\.rego:\d+:\d+: rego_parse_error: /);
    assert.match(stderr, /\tegress_authorization := \{"action": "allow"\}\}\n\t +\^/);
  });

  test('that answer no question of ours start nothing', async () => {
    const { code, stderr } = await run(
      'echo started',
      '--policy',
      policy,
      '--policy-rules',
      rulesFile('allow := true'),
    );
    assert.equal(code, 125);
    assert.match(stderr, /defines data\.openshell\.sandbox\.egress_authorization/);
  });

  test('that explode are ended, and refuse', async () => {
    const file = rulesFile(`n := numbers.range(1, 1000)

egress_authorization := {"action": "allow"} if count([1 | some a in n; some b in n; some c in n; a + b == c + 3000]) > 0`);
    const { stdout, stderr } = await run(curl(), '--policy', policy, '--policy-rules', file);
    assert.equal(stdout, '403\n');
    assert.match(stderr, /cannot decide: .*eval_limit_error/);
  });

  test('that contradict themselves refuse', async () => {
    const file = rulesFile('egress_authorization := {"action": action} if some action in ["allow", "deny"]');
    const { stdout, stderr } = await run(curl(), '--policy', policy, '--policy-rules', file);
    assert.equal(stdout, '403\n');
    assert.match(stderr, /cannot decide: .*eval_conflict_error/);
  });
});

describe('an OPA server', () => {
  test('is asked about each connection, and nothing goes out without it', async () => {
    const asked: unknown[] = [];
    // No OPA program was at hand: this server speaks the data API as OPA documents it.
    const server = createServer(async (request, response) => {
      let body = '';
      for await (const chunk of request) body += chunk;
      const { input } = JSON.parse(body) as { input: { network: { host: string } } };
      asked.push([request.url, input.network]);
      const isAllowed = input.network.host === 'origin.test';
      // OPA knows the endpoint, which is what names a private address.
      const result = isAllowed
        ? { action: 'allow', exact_declared_endpoint_host: true }
        : { action: 'deny', deny_reason: 'says OPA' };
      response.end(JSON.stringify({ result }));
    });
    await once(server.listen(0, '127.0.0.1'), 'listening');
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const script = `${curl()}; ${CURL} http://other.test:${origin.port}/`;
    const { stdout, stderr } = await run(script, '--opa-url', url);
    server.closeAllConnections();
    await new Promise((done) => server.close(done));
    assert.equal(stdout, '200\n403\n');
    assert.match(stderr, /says OPA/);
    const path = '/v1/data/openshell/sandbox/egress_authorization';
    assert.deepEqual(asked, [
      [path, { host: 'origin.test', port: origin.port }],
      [path, { host: 'other.test', port: origin.port }],
    ]);
    const without = await run(curl(), '--opa-url', url);
    assert.equal(without.stdout, '403\n');
    assert.match(without.stderr, /cannot decide: .*ECONNREFUSED/);
  });
});

test('a file that is no compiled policy starts nothing', async () => {
  const file = scratch.join('policy.wasm');
  writeFileSync(file, 'no program');
  const { code, stderr } = await run('echo started', '--policy-wasm', file);
  assert.equal(code, 125);
  assert.match(stderr, /policy\.wasm is not a policy compiled to WebAssembly/);
});
