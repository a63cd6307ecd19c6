import { execFile } from 'node:child_process';
import { LIMITS } from '../limits.ts';
import { type Eventually, isRefusal, type Refusal, unavailable } from './injection.ts';
import type { SecretValue } from './secret.ts';
import { KnownValues, type SecretSource, secretOr } from './secret-source.ts';

export interface CommandOptions {
  readonly ttlSeconds: number | undefined;
  readonly now: () => number;
}

const DEFAULT_TTL_SECONDS = 300;

/** What a command prints. Requests that need it while it runs wait for the one run. */
export class CommandValue implements SecretSource {
  readonly #argv: readonly string[];
  readonly #name: string;
  readonly #ttl: number;
  readonly #now: () => number;
  readonly #known = new KnownValues();
  #last: { readonly result: SecretValue | Refusal; readonly until: number } | undefined;
  #running: Promise<SecretValue | Refusal> | undefined;

  constructor(argv: readonly string[], name: string, { ttlSeconds, now }: CommandOptions) {
    this.#argv = argv;
    this.#name = name;
    this.#ttl = (ttlSeconds ?? DEFAULT_TTL_SECONDS) * 1000;
    this.#now = now;
  }

  get known(): readonly SecretValue[] {
    return this.#known.values;
  }

  get(): Eventually<SecretValue | Refusal> {
    if (this.#last && this.#now() < this.#last.until) return this.#last.result;
    this.#running ??= this.#run().finally(() => {
      this.#running = undefined;
    });
    return this.#running;
  }

  async #run(): Promise<SecretValue | Refusal> {
    const result = await this.#print();
    const failed = isRefusal(result);
    if (!failed) this.#known.add(result);
    const kept = failed ? LIMITS.credentialRetryTime.value : this.#ttl;
    this.#last = { result, until: this.#now() + kept };
    return result;
  }

  #print(): Promise<SecretValue | Refusal> {
    const [program = '', ...args] = this.#argv;
    const options = {
      timeout: LIMITS.credentialCommandTime.value,
      killSignal: 'SIGKILL',
      maxBuffer: LIMITS.credentialBytes.value,
      encoding: 'utf8',
    } as const;
    return new Promise((resolve) => {
      const child = execFile(program, args, options, (error, stdout) => {
        // The error's message repeats arguments and standard error, either of which may hold what must not be shown.
        if (error) resolve(this.#unavailable(reasonOf(error)));
        else resolve(secretOr(stdout.trim(), this.#name, this.#remedy()));
      });
      // Whoever asks on standard input gets no answer, and does not wait for one.
      child.stdin?.end();
    });
  }

  #unavailable(why: string): Refusal {
    return unavailable(`credential ${this.#name}: its command ${why}`, this.#remedy());
  }

  #remedy(): string {
    return `Run "${this.#argv[0] ?? ''}" by hand: it has to print the value, and nothing else, and end with 0.`;
  }
}

function reasonOf(error: {
  readonly code?: number | string | null | undefined;
  readonly killed?: boolean | undefined;
}): string {
  if (error.code === 'ERR_CHILD_PROCESS_STDIO_MAXBUFFER') return 'printed too much';
  if (error.killed) return `did not end within ${LIMITS.credentialCommandTime.value} ms`;
  return typeof error.code === 'number'
    ? `ended with ${error.code}`
    : `could not be started (${error.code ?? 'unknown'})`;
}
