import type { ProcessRuntime, Sandbox, SandboxCommand } from '@openshell/runtime';

/** What a usual policy shows. */
const READ_ONLY = ['/usr', '/lib', '/lib64', '/bin', '/sbin', '/etc', '/proc'];

export interface BenchSandbox {
  readonly id: string;
  readonly workdir: string;
  readonly command?: SandboxCommand;
  /** Shown besides the system's directories. */
  readonly readOnly?: readonly string[];
}

/** Starts a sandbox as `openshell run` would, without a proxy. */
export function startSandbox(
  runtime: ProcessRuntime,
  { id, workdir, command, readOnly = [] }: BenchSandbox,
): Promise<Sandbox> {
  return runtime.start({
    id,
    hostname: 'sandbox',
    workdir,
    readOnly: [...READ_ONLY, ...readOnly],
    readWrite: ['/tmp'],
    landlock: 'best_effort',
    user: {},
    files: [],
    ...(command === undefined ? {} : { command }),
  });
}

/** Closes the listeners of a sandbox that no proxy took over. */
export function closeListeners({ listeners: { connect, capture, dns } }: Sandbox): void {
  for (const listener of [...connect, ...capture, ...dns.tcp, ...dns.udp]) listener.close();
}
