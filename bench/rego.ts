import { readFileSync } from 'node:fs';
import { generation } from '@openshell/base';
import {
  compilePolicy,
  type Intent,
  type Policy,
  type PolicyEngine,
  parsePolicy,
  type RequestFacts,
} from '@openshell/policy';
import { loadEngine, policyData } from '@openshell/proxy';
import { type Measurement, usualIntent } from './policy.ts';

const POLICY_COUNTS = [10, 100, 1_000];
const DECISIONS = 300_000;
const WARM_UP = 50_000;
/** Requests take longer than connections, so fewer of them; on one size of policy. */
const REQUESTS = { policies: 100, decisions: 100_000, warmUp: 20_000 } as const;
/** For the program that OPA compiled of the same rules: some nine times as slow, so fewer decisions, on one size of policy. */
const WASM = { policies: 100, decisions: 2_000, warmUp: 500 } as const;
const PROGRAM = new URL('../packages/proxy/src/engines/fixtures/policy.wasm', import.meta.url);

/**
 * Measures how many connections our own Rego module decides per second on one core, beside the built-in engine on the same policies and
 * attempts, and how long its rules take to compile; and, on one of the policies, how many requests, and how many connections the program
 * decides that OPA compiles of that module.
 */
export async function run(): Promise<Measurement[]> {
  const measurements: Measurement[] = [];
  for (const policies of POLICY_COUNTS) measurements.push(...(await measure(policies)));
  measurements.push(await measureRequests(), await measureWasm());
  return measurements;
}

export default run;

async function measure(policies: number): Promise<Measurement[]> {
  const policy = policyOf(policies);
  const intents = intentsFor(policies);
  const start = performance.now();
  const rego = await loadEngine({ kind: 'rego', modules: {}, data: policyData(policy) }, generation(1));
  const compiled = performance.now() - start;
  const builtin = compilePolicy(policy, generation(1));
  return [
    {
      name: `rego.authorize.${policies}_policies`,
      value: rate(connecting(rego, intents)),
      unit: 'decisions/s',
    },
    {
      name: `rego.builtin.${policies}_policies`,
      value: rate(connecting(builtin, intents)),
      unit: 'decisions/s',
    },
    { name: `rego.compile.${policies}_policies`, value: Math.round(compiled), unit: 'ms' },
  ];
}

/** GET to endpoints that only read: what is asked for every request of a usual API. */
async function measureRequests(): Promise<Measurement> {
  const { policies, ...counts } = REQUESTS;
  const policy = policyOf(policies, ', protocol: rest, enforcement: enforce, access: read-only');
  const engine = await loadEngine({ kind: 'rego', modules: {}, data: policyData(policy) }, generation(1));
  const intents = intentsFor(policies);
  const value = rate((index) => engine.authorizeRequest(intents[index & 63]!, REQUEST), counts);
  return { name: `rego.requests.${policies}_policies`, value, unit: 'decisions/s' };
}

const REQUEST: RequestFacts = {
  method: 'GET',
  path: '/repos/a/b',
  query: [],
  content: { kind: 'http' },
  from: 'client',
};

async function measureWasm(): Promise<Measurement> {
  const { policies, ...counts } = WASM;
  const program = new Uint8Array(readFileSync(PROGRAM));
  const data = policyData(policyOf(policies));
  const engine = await loadEngine({ kind: 'wasm', program, origin: 'policy.wasm', data }, generation(1));
  const value = rate(connecting(engine, intentsFor(policies)), counts);
  return { name: `rego.wasm.${policies}_policies`, value, unit: 'decisions/s' };
}

const intentsFor = (policies: number): readonly Intent[] =>
  Array.from({ length: 64 }, (_, index) => intent((index * 37) % policies, index));

const connecting =
  (engine: PolicyEngine, intents: readonly Intent[]): Decide =>
  (index) =>
    engine.authorizeConnect(intents[index & 63]!);

type Decide = (index: number) => object;

function rate(one: Decide, { decisions, warmUp } = { decisions: DECISIONS, warmUp: WARM_UP }): number {
  const decide = (count: number): void => {
    for (let index = 0; index < count; index++) {
      const decision = one(index);
      if (!('action' in decision) || decision.action !== 'allow')
        throw new Error('the benchmark measured denials');
    }
  };
  decide(warmUp);
  const start = performance.now();
  decide(decisions);
  return Math.round(decisions / ((performance.now() - start) / 1000));
}

/** One exact host a policy, and every tenth has a wildcard besides. */
function policyOf(policies: number, more = ''): Policy {
  const lines = ['version: 1', 'network_policies:'];
  for (let index = 0; index < policies; index++) {
    const wildcard = index % 10 === 0 ? `, { host: "*.zone-${index}.example.com", port: 443${more} }` : '';
    lines.push(
      `  p${index}:`,
      '    binaries: [{ path: /usr/bin/curl }, { path: "/opt/tools/**" }]',
      `    endpoints: [{ host: host-${index}.example.com, port: 443${more} }${wildcard}]`,
    );
  }
  const result = parsePolicy(lines.join('\n'));
  if (!result.ok) throw new Error(result.problems[0]?.message);
  return result.policy;
}

/** The shape of a usual attempt: a tool started by a shell that an agent started. One in sixteen goes to a name of a wildcard. */
function intent(policy: number, index: number): Intent {
  const isWildcard = index % 16 === 0 && policy % 10 === 0;
  return usualIntent(isWildcard ? `www.zone-${policy}.example.com` : `host-${policy}.example.com`, index);
}

if (import.meta.main) console.table(await run());
