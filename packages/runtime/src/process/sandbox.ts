import type { Socket as DatagramSocket } from 'node:dgram';
import type { Server } from 'node:net';
import type { Readable, Writable } from 'node:stream';
import type { Flow, ProcessIdentity } from '../identity/identity.ts';
import type { IdentityResolver } from '../identity/resolver.ts';
import type { LauncherProcess } from './launcher-process.ts';

/** How the sandbox ended. */
export type SandboxExit =
  | { readonly kind: 'code'; readonly code: number }
  | { readonly kind: 'signal'; readonly signal: number }
  /** Its init was killed from outside, and everything in it with it. */
  | { readonly kind: 'lost' };

/** Sockets that listen inside the sandbox's network namespace and are accepted on outside. */
export interface SandboxListeners {
  readonly connect: readonly Server[];
  readonly capture: readonly Server[];
  readonly dns: { readonly udp: readonly DatagramSocket[]; readonly tcp: readonly Server[] };
}

/** Something that the sandbox goes without: a kernel feature that was refused, or a path that is not there. */
export interface SandboxNote {
  /** `tproxy4`, `tproxy6`, `routes6`, `landlock`, `path`. */
  readonly feature: string;
  /** An errno's name, or `missing`. */
  readonly reason: string;
  readonly detail: string;
}

export interface SandboxParts {
  readonly id: string;
  readonly launcher: LauncherProcess;
  readonly initPid: number;
  readonly listeners: SandboxListeners;
  readonly identities: IdentityResolver;
  /** Resolves when the command's execve succeeded, rejects with what kept it from it. */
  readonly started: Promise<number>;
  readonly ended: Promise<SandboxExit>;
  readonly notes: readonly SandboxNote[];
  readonly directory: string;
}

/** A running sandbox: boundary built, listeners open, command waiting for `run()`. */
export class Sandbox implements AsyncDisposable {
  readonly #parts: SandboxParts;

  constructor(parts: SandboxParts) {
    this.#parts = parts;
    parts.started.catch(() => {}); // reported by whoever calls run()
  }

  get id(): string {
    return this.#parts.id;
  }

  /** Process id of the sandbox's init in the supervisor's namespace. */
  get initPid(): number {
    return this.#parts.initPid;
  }

  /** Process id of the launcher that stays with the sandbox. */
  get launcherPid(): number {
    return this.#parts.launcher.pid;
  }

  get listeners(): SandboxListeners {
    return this.#parts.listeners;
  }

  /** Where the command starts: the directory that was asked for, or / where the sandbox does not show it. */
  get directory(): string {
    return this.#parts.directory;
  }

  get notes(): readonly SandboxNote[] {
    return this.#parts.notes;
  }

  get stdin(): Writable | null {
    return this.#parts.launcher.stdio[0] as Writable | null;
  }

  get stdout(): Readable | null {
    return this.#parts.launcher.stdio[1] as Readable | null;
  }

  get stderr(): Readable | null {
    return this.#parts.launcher.stdio[2] as Readable | null;
  }

  /** Lets the command start. @throws OpenShellError when it could not; `code` tells why. Returns its pid inside. */
  run(): Promise<number> {
    this.#parts.launcher.send('run\n');
    return this.#parts.started;
  }

  /** Sends a signal by number to the command, or to its whole process group as a terminal would. */
  signal(number: number, target: 'process' | 'group'): void {
    this.#parts.launcher.send(`signal ${number} ${target === 'group' ? 1 : 0}\n`);
  }

  /** Ends everything in the sandbox at once. */
  kill(): void {
    this.#parts.launcher.send('kill\n');
  }

  /** New size of the sandbox's terminal, for a caller that is not a terminal itself. */
  resize(rows: number, columns: number): void {
    this.#parts.launcher.send(`resize ${rows} ${columns}\n`);
  }

  /** Who holds the client's end of a connection that a listener accepted. Never rejects. */
  async identify(flow: Flow): Promise<ProcessIdentity> {
    return this.#parts.identities.resolve(await this.#parts.launcher.who(flow));
  }

  /** Resolves when nothing of the sandbox is left. */
  wait(): Promise<SandboxExit> {
    return this.#parts.ended;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#parts.launcher.destroy();
    await this.#parts.ended;
  }
}
