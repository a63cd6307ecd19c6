import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { OPENSHELL } from './paths.ts';
import { descendants } from './processes.ts';
import { until } from './until.ts';

const PATIENCE_MS = 20_000;

/** A command on a terminal of its own, which script(1) makes, with a person who types and reads. */
export class Terminal implements Disposable {
  readonly #script: ChildProcess;
  readonly finished: Promise<number | null>;
  #shown = '';
  #read = 0;

  /** `command` is a shell's; `$OPENSHELL` in it is the program. */
  constructor(command: string, cwd: string = tmpdir()) {
    this.#script = spawn('script', ['--quiet', '--return', '--flush', '--command', command, '/dev/null'], {
      cwd,
      env: {
        ...{
          PATH: '/usr/local/bin:/usr/bin:/bin',
          HOME: process.env.HOME ?? '/nonexistent',
          TMPDIR: tmpdir(),
        },
        ...{ OPENSHELL, TERM: 'xterm', SHELL: '/bin/bash', XDG_CONFIG_HOME: '/nonexistent' },
      },
      stdio: ['pipe', 'pipe', 'inherit'],
      timeout: 60_000,
      killSignal: 'SIGKILL',
    });
    this.#script.stdout!.setEncoding('utf8').on('data', (text: string) => {
      this.#shown += text;
    });
    this.#script.stdin!.on('error', () => {}); // the command may be gone
    this.finished = once(this.#script, 'close').then(([code]) => code);
  }

  /** Everything that was shown so far, lines ended by \n alone. */
  get screen(): string {
    return this.#shown.replaceAll('\r\n', '\n');
  }

  type(keys: string): void {
    this.#script.stdin!.write(keys);
  }

  /** Waits until a text appears behind what was waited for last; returns what stood before it. */
  async shows(text: string): Promise<string> {
    const timer = AbortSignal.timeout(PATIENCE_MS);
    for (;;) {
      const at = this.screen.indexOf(text, this.#read);
      if (at >= 0) {
        const before = this.screen.slice(this.#read, at);
        this.#read = at + text.length;
        return before;
      }
      if (this.#script.exitCode !== null)
        throw new Error(`ended without ${JSON.stringify(text)}: ${this.screen}`);
      await once(this.#script.stdout!, 'data', { signal: timer }).catch(() => {
        throw new Error(`${JSON.stringify(text)} did not appear: ${JSON.stringify(this.screen)}`);
      });
    }
  }

  /** The terminal's device, once a process runs on it. */
  device(): Promise<string> {
    return until('a process on the terminal', () => {
      const [process] = descendants(this.#script.pid ?? 0);
      try {
        const path = process && readlinkSync(`/proc/${process.pid}/fd/0`);
        return path?.startsWith('/dev/pts/') ? path : undefined;
      } catch {
        return undefined; // it is just starting
      }
    });
  }

  /** Gives it another size, as dragging a window's corner does. */
  async resize(rows: number, columns: number): Promise<void> {
    execFileSync('stty', ['-F', await this.device(), 'rows', String(rows), 'columns', String(columns)]);
  }

  /** The process of openshell on it. */
  supervisor(): Promise<number> {
    return until(
      'openshell on the terminal',
      () =>
        descendants(this.#script.pid ?? 0).find(
          ({ name }) => name.startsWith('node') || name === 'MainThread',
        )?.pid,
    );
  }

  /** Hangs up: what still runs on it is told by SIGHUP. */
  [Symbol.dispose](): void {
    this.#script.kill('SIGKILL');
  }
}
