import assert from 'node:assert/strict';
import { test } from 'node:test';
import { generation } from '@openshell/base';
import fc from 'fast-check';
import type { Evidence, Intent } from '../engine.ts';
import { parsePolicy } from '../parse.ts';
import type { Endpoint, NetworkPolicy, Policy } from '../policy.ts';
import { intentFor, processEvidence } from '../testing/policies.ts';
import { compilePolicy } from './compile.ts';
import { explain } from './explain.ts';

const HOSTS = [
  'a.example.com',
  'b.example.com',
  'x.a.example.com',
  'example.com',
  'a.example.org',
  '10.0.0.1',
];
const PATTERNS = [...HOSTS, '*.example.com', '**.example.com', 'a*.example.com', '*.example.org', ''];
const PROGRAMS = ['/bin/a', '/bin/b', '/opt/x/y', '/opt/z'];
const BINARIES = ['/bin/a', '/bin/*', '/opt/**', '/**', '/opt/?'];
const PORTS = [80, 443, 8443];

const endpoint = fc
  .record({
    host: fc.constantFrom(...PATTERNS),
    ports: fc.uniqueArray(fc.constantFrom(...PORTS), { minLength: 1 }),
  })
  .map(({ host, ports }) => (host === '' ? { ports, allowed_ips: ['10.1.0.0/16'] } : { host, ports }));
const network = fc.record({
  name: fc.constantFrom('m', 'n', 'o'),
  endpoints: fc.array(endpoint, { maxLength: 3 }),
  binaries: fc
    .uniqueArray(fc.constantFrom(...BINARIES), { maxLength: 2 })
    .map((paths) => paths.map((path) => ({ path }))),
});
const policies = fc
  .uniqueArray(fc.tuple(fc.constantFrom('p', 'q', 'r', 's'), network), {
    selector: ([key]) => key,
    maxLength: 4,
  })
  // JSON is YAML. An ambiguous policy never reaches an engine.
  .map((entries) =>
    parsePolicy(JSON.stringify({ version: 1, network_policies: Object.fromEntries(entries) })),
  )
  .filter((result) => result.ok)
  .map((result): Policy => result.policy);

const evidence: fc.Arbitrary<Evidence> = fc.oneof(
  {
    weight: 5,
    arbitrary: fc
      .tuple(fc.constantFrom(...PROGRAMS), fc.array(fc.constantFrom(...PROGRAMS), { maxLength: 2 }))
      .map(([path, up]) => processEvidence(path, up)),
  },
  { weight: 1, arbitrary: fc.constant<Evidence>({ kind: 'unknown', reason: 'x' }) },
);
const intents = fc
  .tuple(fc.constantFrom(...HOSTS), fc.constantFrom(...PORTS), evidence)
  .map(([host, port, who]) => intentFor(host, port, who));

/** Each pattern as a regular expression that was written by hand: nothing here comes from the code under test. */
const HOST_FORMS: Readonly<Record<string, RegExp>> = {
  '*.example.com': /^[^.]+\.example\.com$/,
  '**.example.com': /^.+\.example\.com$/,
  'a*.example.com': /^a[^.]*\.example\.com$/,
  '*.example.org': /^[^.]+\.example\.org$/,
  '': /^/,
};
const BINARY_FORMS: Readonly<Record<string, RegExp>> = {
  '/bin/*': /^\/bin\/[^/]*$/,
  '/opt/**': /^\/opt\/.*$/,
  '/**': /^\//,
  '/opt/?': /^\/opt\/[^/]$/,
};
const fits = (forms: Readonly<Record<string, RegExp>>, source: string, text: string) =>
  forms[source]?.test(text) ?? source === text;

function naiveMatches(policy: NetworkPolicy, one: Endpoint, intent: Intent): boolean {
  if (
    !fits(HOST_FORMS, one.host, intent.host) ||
    !one.ports.includes(intent.port) ||
    intent.evidence.kind === 'unknown'
  )
    return false;
  const programs = [intent.evidence.executable, ...intent.evidence.ancestors];
  return programs.some(({ path }) => policy.binaries.some((binary) => fits(BINARY_FORMS, binary, path)));
}

/** The whole policy, endpoint by endpoint, as the documentation tells it. */
function naiveDecision(policy: Policy, intent: Intent) {
  const matches = policy.networkPolicies.flatMap((network) =>
    network.endpoints
      .map((one, index) => ({ network, one, index }))
      .filter(({ one }) => naiveMatches(network, one, intent)),
  );
  const order = ({ network, index }: (typeof matches)[number]) => `${network.name} ${network.key} ${index}`;
  const [first] = matches.toSorted((a, b) => (order(a) < order(b) ? -1 : 1));
  if (!first) return { action: 'deny' };
  const exactHost = matches.some(({ one }) => one.host === intent.host);
  return {
    action: 'allow',
    endpoint: { policy: first.network.key, index: first.index, host: first.one.host },
    exactHost,
    allowedIps: first.one.allowedIps,
  };
}

test('the compiled engine decides as a naive evaluation of every endpoint does', () => {
  fc.assert(
    fc.property(policies, fc.array(intents, { minLength: 1, maxLength: 10 }), (policy, list) => {
      const engine = compilePolicy(policy, generation(1));
      for (const intent of list) {
        const decision = engine.authorizeConnect(intent);
        const { action } = decision;
        const shown =
          decision.action === 'allow'
            ? { action, endpoint: decision.endpoint, ...decision.destination }
            : { action };
        const { allowedIps, ...naive } = naiveDecision(policy, intent);
        assert.deepEqual(shown, allowedIps ? { ...naive, allowedIps } : naive);
      }
    }),
    { numRuns: 600 },
  );
});

test('every denial has a code, a reason and a remedy; every name that is allowed could have been offered by DNS', () => {
  fc.assert(
    fc.property(policies, intents, (policy, intent) => {
      const engine = compilePolicy(policy, generation(1));
      const decision = engine.authorizeConnect(intent);
      if (decision.action === 'deny') assert.ok(decision.code && decision.reason && decision.remedy);
      else if (intent.host !== '10.0.0.1') assert.ok(engine.couldAllowName(intent.host));
      assert.equal(explain(policy, intent).decision.action, decision.action);
    }),
  );
});

test('the engine answers anything with a decision', () => {
  fc.assert(
    fc.property(policies, fc.string(), fc.integer(), evidence, (policy, host, port, who) => {
      const engine = compilePolicy(policy, generation(1));
      assert.match(engine.authorizeConnect(intentFor(host, port, who)).action, /^(allow|deny)$/);
      assert.equal(typeof engine.couldAllowName(host), 'boolean');
      assert.equal(typeof engine.couldAllowAddress(host, port), 'boolean');
    }),
  );
});
