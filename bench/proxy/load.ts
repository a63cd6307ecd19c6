import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { exitOf, startOwned } from '../measure/owned-process.ts';
import type { TopicContext } from '../measure/topic.ts';
import { hasProgram } from '../peers/installed.ts';
import type { Way } from './wire.ts';

const HARNESS = fileURLToPath(new URL('../harness', import.meta.url));

export interface Load {
  readonly way: Way;
  readonly url: string;
  readonly connections: number;
  readonly seconds: number;
}

/** What one run of the generator found. */
export interface LoadResult {
  readonly rps: number;
  readonly p50us: number;
  readonly p99us: number;
  readonly errors: number;
  readonly non2xx: number;
}

const WARM_UP_SECONDS = 0.5;

/** The load generator of the harness, on its own. */
export class LoadGenerator {
  readonly #program: string;

  /** Undefined, with a note, where it cannot be built. */
  static build({ scratch, note }: TopicContext): LoadGenerator | undefined {
    if (['gcc', 'make'].map((name) => hasProgram(name, note)).includes(false)) return undefined;
    const directory = scratch.directory('loadgen');
    mkdirSync(join(directory, 'src'), { recursive: true });
    for (const file of ['Makefile', 'src/loadgen.c'])
      copyFileSync(join(HARNESS, file), join(directory, file));
    execFileSync('make', { cwd: directory, stdio: 'ignore' });
    return new LoadGenerator(join(directory, 'loadgen'));
  }

  private constructor(program: string) {
    this.#program = program;
  }

  /** Request after request on each of some connections, for a time. */
  async run({ way, url, connections, seconds }: Load): Promise<LoadResult> {
    const { port, credentials } = way;
    const header = credentials === undefined ? [] : ['-H', `Proxy-Authorization: ${credentials}`];
    const child = startOwned(
      this.#program,
      [
        ...['-x', `127.0.0.1:${port}`, '-c', String(connections), '-d', String(seconds)],
        ...['-w', String(WARM_UP_SECONDS), ...header, url],
      ],
      { stdio: ['ignore', 'pipe', 'inherit'] },
    );
    const [printed, code] = await Promise.all([text(child.stdout!), exitOf(child)]);
    if (code !== 0) throw new Error(`the load generator failed (${code}): ${printed}`);
    return JSON.parse(printed) as LoadResult;
  }
}
