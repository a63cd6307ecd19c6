import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { accessSync, constants, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createInterface } from 'node:readline';

/** Why this test cannot have a container engine of its own; undefined when it can. */
export const noContainerEngine = (): string | undefined => {
  for (const program of ['dockerd', 'docker']) {
    const found = (process.env.PATH ?? '').split(':').some((directory) => {
      try {
        accessSync(`${directory}/${program}`, constants.X_OK);
        return true;
      } catch {
        return false;
      }
    });
    if (!found) return `${program} is not on this machine`;
  }
  return process.geteuid?.() === 0 ? undefined : 'needs root: dockerd makes networks';
};

/**
 * A dockerd for one test: its own network namespace, so that its bridges and firewall rules are nobody else's, and its own data, which ends with
 * it. Images are built or imported, never pulled.
 */
export class ContainerEngine implements AsyncDisposable {
  readonly #directory: string;
  readonly #daemon: ReturnType<typeof spawn>;
  readonly #namespace: string;

  private constructor(directory: string, namespace: string, daemon: ReturnType<typeof spawn>) {
    this.#directory = directory;
    this.#namespace = namespace;
    this.#daemon = daemon;
  }

  static async start(): Promise<ContainerEngine> {
    // Not below the directory of the test run: the daemon's socket would have a longer name than sockets may have.
    const directory = mkdtempSync('/tmp/openshell-');
    const namespace = `openshell-${process.pid}`;
    execFileSync('ip', ['netns', 'add', namespace]);
    execFileSync('ip', ['-n', namespace, 'link', 'set', 'lo', 'up']);
    const config = `${directory}/daemon.json`;
    mkdirSync(`${directory}/data`);
    writeFileSync(
      config,
      JSON.stringify({
        'exec-opts': ['native.cgroupdriver=cgroupfs'],
        'data-root': `${directory}/data`,
        'exec-root': `${directory}/exec`,
        pidfile: `${directory}/pid`,
        hosts: [`unix://${directory}/docker.sock`],
        // gVisor with the network stack of the container's own namespace: its own one does not start on every kernel.
        runtimes: { runsc: { path: 'runsc', runtimeArgs: ['--network=host', '--platform=ptrace'] } },
        // A bridge of this name may be the machine's own; the test makes the networks that it needs.
        bridge: 'none',
      }),
    );
    const daemon = spawn('nsenter', [`--net=/run/netns/${namespace}`, 'dockerd', `--config-file=${config}`], {
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    const engine = new ContainerEngine(directory, namespace, daemon);
    const said: string[] = [];
    for await (const line of createInterface(daemon.stderr!)) {
      said.push(line);
      if (!line.includes('API listen on')) continue;
      daemon.stderr!.resume();
      return engine;
    }
    await engine[Symbol.asyncDispose]();
    throw new Error(`dockerd did not start:\n${said.slice(-10).join('\n')}`);
  }

  /** What a client of it needs to know. */
  get environment(): Readonly<Record<string, string>> {
    return { DOCKER_HOST: `unix://${this.#directory}/docker.sock` };
  }

  /** Runs a program as a client of it and returns what it printed. */
  run(command: string, ...args: readonly string[]): string {
    return execFileSync(command, args, {
      encoding: 'utf8',
      env: { ...process.env, ...this.environment },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#daemon.exitCode === null) {
      const ended = once(this.#daemon, 'exit');
      this.#daemon.kill('SIGTERM');
      await ended;
    }
    execFileSync('ip', ['netns', 'delete', this.#namespace]);
    // One that was killed leaves its own bind mounts and the network namespaces of containers behind.
    for (const place of mountsBelow(this.#directory)) execFileSync('umount', ['--lazy', place]);
    rmSync(this.#directory, { recursive: true, force: true });
  }
}

/** The innermost first. */
const mountsBelow = (directory: string): readonly string[] =>
  readFileSync('/proc/self/mountinfo', 'utf8')
    .split('\n')
    .flatMap((line) => line.split(' ')[4] ?? [])
    .filter((place) => place.startsWith(`${directory}/`))
    .reverse();
