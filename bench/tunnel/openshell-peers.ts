import { copyFileSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { program } from '../checkout.ts';

const ORIGIN = 'origin.test';
const PORT_IN_SANDBOX = 3128;

interface StartContext {
  readonly dir: string;
  readonly port: number;
  readonly originHttps: number;
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
  { name: 'openshell run', kind: 'tunnel', port: PORT_IN_SANDBOX, load: loadInSandbox },
];
