import { copyFileSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { program } from '../checkout.ts';

const ORIGIN = 'origin.test';
const PORT_IN_SANDBOX = 3128;

interface StartContext {
  readonly dir: string;
  readonly port: number;
  readonly originHttps: number;
  /** The directory of the harness's certificates. */
  readonly certs: string;
}

interface LoadContext {
  readonly args: readonly string[];
  /** The directory of the harness. */
  readonly here: string;
  readonly state: string;
}

interface CommandLine {
  readonly command: string;
  readonly args: readonly string[];
}

/** A policy that lets one program, or any, reach the origin of the harness. */
const policyFor = (binary: string, port: string | number): string => `version: 1
filesystem_policy:
  include_workdir: true
  read_only: [/usr, /lib, /lib64, /bin, /etc]
network_policies:
  origin:
    binaries: [{ path: "${binary}" }]
    endpoints: [{ host: ${ORIGIN}, port: ${port} }]
`;

/** The standalone proxy, programs not told apart, events written. */
function startProxy({ dir, port, originHttps }: StartContext): CommandLine {
  const policy = join(dir, 'policy.yaml');
  writeFileSync(policy, policyFor('/**', originHttps));
  const listen = ['--listen', `127.0.0.1:${port}`, '--identity', 'none', '--resolve', `${ORIGIN}=127.0.0.1`];
  return {
    command: program('openshell-proxy'),
    args: ['--policy', policy, ...listen, '--events', join(dir, 'events.jsonl')],
  };
}

/** As many further hosts as make a policy of a hundred endpoints. */
const FURTHER_HOSTS = 98;
/** Hosts that the workload `cold-host` asks for, one after the other, over all rounds. */
const COLD_HOSTS = 200;

/** Opens TLS, with the interception authority of the harness: rules for each request, a credential to look for, events written. */
function startInspecting(
  { dir, port, originHttps, certs }: StartContext,
  more: readonly string[] = [],
): CommandLine {
  const policy = join(dir, 'policy.yaml');
  const credentials = join(dir, 'credentials.yaml');
  const endpoint = (host: string, at: number): string =>
    `      - { host: "${host}", port: ${at}, protocol: rest, enforcement: enforce, access: read-write }\n`;
  const further = Array.from({ length: FURTHER_HOSTS }, (_, index) =>
    endpoint(`host${index}.example.com`, 443),
  );
  const endpoints = [endpoint(ORIGIN, originHttps), endpoint(`*.${ORIGIN}`, originHttps), ...further].join(
    '',
  );
  writeFileSync(
    policy,
    `version: 1\nnetwork_policies:\n  origin:\n    binaries: [{ path: "/**" }]\n    endpoints:\n${endpoints}`,
  );
  const secret = join(dir, 'token');
  writeFileSync(secret, 'not-a-real-token-but-of-its-length', { mode: 0o600 });
  writeFileSync(
    credentials,
    `credentials:\n  - { name: TOKEN, file: ${secret}, bindings: [{ host: host1.example.com }] }\n`,
  );
  const listen = ['--listen', `127.0.0.1:${port}`, '--identity', 'none'];
  const authorities = ['--ca-cert', join(certs, 'mitm-ca.pem'), '--ca-key', join(certs, 'mitm-ca.key')];
  const trust = ['--upstream-ca', join(certs, 'origin-ca.pem')];
  const cold = Array.from({ length: COLD_HOSTS }, (_, index) => `h${index}.${ORIGIN}`);
  const resolve = [ORIGIN, ...cold].flatMap((name) => ['--resolve', `${name}=127.0.0.1`]);
  const rest = [...resolve, '--events', join(dir, 'events.jsonl'), ...more];
  return {
    command: program('openshell-proxy'),
    args: ['--policy', policy, '--credentials', credentials, ...listen, ...authorities, ...trust, ...rest],
  };
}

/** The generator in a sandbox, through the proxy that every sandbox has: identity and events on. */
function loadInSandbox({ args, here, state }: LoadContext): CommandLine {
  const dir = join(state, 'openshell-run');
  const workdir = join(dir, 'work');
  mkdirSync(workdir, { recursive: true });
  const generator = join(workdir, 'loadgen');
  copyFileSync(join(here, 'loadgen'), generator);
  const policy = join(dir, 'policy.yaml');
  const originPort = /:(\d+)\//.exec(args.at(-1)!)![1]!;
  writeFileSync(policy, policyFor(generator, originPort));
  const where = ['--workdir', workdir, '--resolve', `${ORIGIN}=127.0.0.1`];
  const options = ['--policy', policy, ...where, '--events', join(dir, 'events.jsonl')];
  return { command: program('openshell'), args: ['run', ...options, '--', generator, ...args] };
}

/** In the shape of the harness's peers.mjs. */
export const peers = [
  { name: 'openshell-proxy', kind: 'tunnel', start: startProxy },
  {
    name: 'openshell-proxy inspecting',
    kind: 'mitm',
    start: (context: StartContext) => startInspecting(context),
  },
  {
    name: 'openshell-proxy inspecting with 2 workers',
    kind: 'mitm',
    start: (context: StartContext) => startInspecting(context, ['--workers', '2']),
  },
  { name: 'openshell run', kind: 'tunnel', port: PORT_IN_SANDBOX, load: loadInSandbox },
];
