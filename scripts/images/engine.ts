import { execFileSync, spawnSync } from 'node:child_process';

/** A container engine's command, as `docker` or `podman` understand it. */
export class Engine {
  readonly #command: string;

  /** `command`: a program that is called as `docker` is. */
  constructor(command: string) {
    this.#command = command;
  }

  /** Why it cannot be used; undefined when it can. */
  problem(): string | undefined {
    const { status, error, stderr } = spawnSync(
      this.#command,
      ['version', '--format', '{{.Server.Version}}'],
      {
        encoding: 'utf8',
      },
    );
    if (error !== undefined) return `${this.#command} cannot be run: ${error.message}`;
    return status === 0 ? undefined : `${this.#command} does not answer: ${stderr.trim()}`;
  }

  /** Makes an image of one layer from a folder. */
  importRoot(folder: string, image: string): void {
    const tar = ['--create', '--numeric-owner', '--owner=0', '--group=0', '--directory', folder, '.'];
    // A pipe between the two: the archive of a root file system is too large to hold.
    const script =
      'set -o pipefail; folder=$1; command=$2; image=$3; shift 3; tar "$@" | "$command" import - "$image"';
    execFileSync('bash', ['-c', script, 'bash', folder, this.#command, image, ...tar], {
      stdio: ['ignore', 'ignore', 'inherit'],
    });
  }

  /** Builds `dockerfile` with `context` on `base`. The classic builder is enough and needs nothing installed. */
  build(dockerfile: string, context: string, base: string, image: string): void {
    execFileSync(
      this.#command,
      ['build', '--quiet', '--file', dockerfile, '--build-arg', `BASE=${base}`, '--tag', image, context],
      { stdio: ['ignore', 'ignore', 'inherit'], env: { ...process.env, DOCKER_BUILDKIT: '0' } },
    );
  }

  /** In bytes. */
  size(image: string): number {
    return Number(
      execFileSync(this.#command, ['image', 'inspect', '--format', '{{.Size}}', image], { encoding: 'utf8' }),
    );
  }
}
