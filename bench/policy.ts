import { generation, sandboxId } from '@openshell/base';
import { compilePolicy, type Intent, parsePolicy, type RequestFacts } from '@openshell/policy';

/** One measured number. */
export interface Measurement {
  readonly name: string;
  readonly value: number;
  readonly unit: string;
}

const ENDPOINT_COUNTS = [10, 1_000, 10_000];
const DECISIONS = 3_000_000;
const WARM_UP = 300_000;
const PER_POLICY = 10;

/** Measures how many connections and requests the built-in engine decides per second on one core, and how long a policy takes to load. */
export async function run(): Promise<Measurement[]> {
  return [...ENDPOINT_COUNTS.flatMap(measure), ...ENDPOINT_COUNTS.map(measureRequests)];
}

export default run;

function measure(endpoints: number): Measurement[] {
  const text = policyText(endpoints);
  const loading = performance.now();
  const result = parsePolicy(text);
  if (!result.ok) throw new Error(result.problems[0]?.message);
  const loaded = performance.now();
  const engine = compilePolicy(result.policy, generation(1));
  const compiled = performance.now();
  const intents = Array.from({ length: 64 }, (_, index) => intent((index * 37) % endpoints));
  const perSecond = rate((index) => engine.authorizeConnect(intents[index & 63]!));
  return [
    {
      name: `policy.authorize.${endpoints}_endpoints`,
      value: perSecond,
      unit: 'decisions/s',
    },
    { name: `policy.parse.${endpoints}_endpoints`, value: Math.round(loaded - loading), unit: 'ms' },
    { name: `policy.compile.${endpoints}_endpoints`, value: Math.round(compiled - loaded), unit: 'ms' },
  ];
}

/** Requests to inspected hosts, by method and path. */
function measureRequests(endpoints: number): Measurement {
  const result = parsePolicy(policyText(endpoints, INSPECTED));
  if (!result.ok) throw new Error(result.problems[0]?.message);
  const engine = compilePolicy(result.policy, generation(1));
  const intents = Array.from({ length: 64 }, (_, index) => intent((index * 37) % endpoints));
  const requests = ['/repos/a/b', '/repos/x', '/repos/longer/path/here', '/repos/a/b'].map(getRequest);
  const value = rate((index) => engine.authorizeRequest(intents[index & 63]!, requests[index & 3]!));
  return { name: `policy.requests.${endpoints}_endpoints`, value, unit: 'decisions/s' };
}

/** Short, so that ten thousand fit into a policy file. */
const INSPECTED = ', protocol: rest, access: read-only';

const getRequest = (path: string): RequestFacts => ({
  method: 'GET',
  path,
  query: [],
  content: { kind: 'http' },
  from: 'client',
});

/** Decisions a second; every one must allow. */
function rate(decide: (index: number) => { readonly action: string }): number {
  let allowed = 0;
  const repeat = (count: number) => {
    for (let index = 0; index < count; index++) if (decide(index).action === 'allow') allowed++;
  };
  repeat(WARM_UP);
  const start = performance.now();
  repeat(DECISIONS);
  const seconds = (performance.now() - start) / 1000;
  if (allowed !== DECISIONS + WARM_UP) throw new Error('the benchmark measured denials');
  return Math.round(DECISIONS / seconds);
}

function policyText(endpoints: number, more = ''): string {
  const lines = ['version: 1', 'network_policies:'];
  for (let index = 0; index < endpoints; index++) {
    if (index % PER_POLICY === 0) {
      lines.push(
        `  p${index / PER_POLICY}:`,
        '    binaries: [{ path: /usr/bin/curl }, { path: "/opt/tools/**" }]',
        '    endpoints:',
      );
    }
    lines.push(`      - { host: host-${index}.example.com, port: 443${more} }`);
  }
  return lines.join('\n');
}

/** The shape of a usual attempt: a tool started by a shell that an agent started; the tool alternates with `index`. */
export function usualIntent(host: string, index: number): Intent {
  const program = (path: string) => ({ path, sha256: '0'.repeat(64), pinned: true });
  return {
    sandbox: sandboxId('bench'),
    adapter: 'connect',
    host,
    port: 443,
    evidence: {
      kind: 'process',
      pid: 1,
      executable: program(index % 2 ? '/usr/bin/curl' : '/opt/tools/bin/agent'),
      ancestors: [program('/usr/bin/bash'), program('/usr/bin/node')],
      argv: [],
    },
  };
}

const intent = (index: number): Intent => usualIntent(`host-${index}.example.com`, index);

if (import.meta.main) console.table(await run());
