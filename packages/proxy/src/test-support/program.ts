import { type ChildProcess, type SpawnOptions, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { LOOPBACK, readAll } from './fixture.ts';

export const PROGRAM = fileURLToPath(new URL('../../../../bin/openshell-proxy', import.meta.url));

/** The program, with what it has said on standard error. */
export class Program implements Disposable {
  readonly child: ChildProcess;
  #said = '';
  #wake = Promise.withResolvers<void>();

  constructor(
    args: readonly string[],
    { command = PROGRAM, ...options }: SpawnOptions & { command?: string } = {},
  ) {
    this.child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'], ...options });
    this.child.stderr!.on('data', (chunk) => {
      this.#said += chunk;
      this.#wake.resolve();
      this.#wake = Promise.withResolvers();
    });
  }

  /** A test that failed leaves nothing running. */
  [Symbol.dispose](): void {
    this.child.kill('SIGKILL');
  }

  get all(): string {
    return this.#said;
  }

  /** Waits until it has said this. */
  async said(pattern: RegExp): Promise<RegExpExecArray> {
    for (;;) {
      const match = pattern.exec(this.#said);
      if (match !== null) return match;
      if (this.child.exitCode !== null) throw new Error(`it has ended; it said ${this.#said}`);
      await Promise.race([this.#wake.promise, once(this.child, 'exit')]);
    }
  }

  /** The port that it serves on. */
  async port(): Promise<number> {
    return Number((await this.said(/serving on [^ ]*:(\d+) /))[1]);
  }

  async ended(): Promise<{ code: number | null; said: string }> {
    if (this.child.exitCode !== null) return { code: this.child.exitCode, said: this.#said };
    const [code] = await once(this.child, 'close');
    return { code, said: this.#said };
  }

  /** Ends it in good order. */
  async stop(): Promise<{ code: number | null; said: string }> {
    this.child.kill('SIGTERM');
    return this.ended();
  }
}

/** One request by way of the proxy, on a connection of its own; the whole answer. */
export async function get(port: number, url: string, head = ''): Promise<string> {
  const socket = connect({ host: LOOPBACK, port });
  socket.write(`GET ${url} HTTP/1.1\r\nHost: ${new URL(url).host}\r\nConnection: close\r\n${head}\r\n`);
  return String(await readAll(socket));
}

export async function inFolder(use: (at: (name: string) => string) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'openshell-proxy-'));
  try {
    await use((name) => join(folder, name));
  } finally {
    await rm(folder, { recursive: true });
  }
}
