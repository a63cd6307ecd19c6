import { type ChildProcess, spawn } from 'node:child_process';
import type { Socket as DatagramSocket } from 'node:dgram';
import { constants } from 'node:os';
import type { Duplex } from 'node:stream';
import { OpenShellError } from '@openshell/base';
import type { Flow } from '../identity/identity.ts';
import { readWhoReply, type WhoReply } from '../identity/reply.ts';

/** What a descriptor of the workload is connected to: the caller's own, nothing, or a pipe for the caller. */
export type StdioTarget = 'inherit' | 'ignore' | 'pipe' | number;

export type LauncherEvent =
  | { readonly kind: 'hello'; readonly landlockAbi: number }
  | { readonly kind: 'ready'; readonly initPid: number; readonly procFd: number; readonly listeners: number }
  | { readonly kind: 'started'; readonly pid: number }
  | { readonly kind: 'note'; readonly step: string; readonly errno: number; readonly detail: string }
  | { readonly kind: 'failed'; readonly step: string; readonly errno: number; readonly detail: string }
  | { readonly kind: 'exit'; readonly code: number; readonly signal: number }
  | { readonly kind: 'lost' };

/** A listening socket as Node.js hands it over: a raw TCP handle, or a bound datagram socket. */
export type ReceivedHandle = { readonly name: string; readonly handle: object | DatagramSocket };

export interface LauncherCallbacks {
  onEvent(event: LauncherEvent): void;
  onHandle(received: ReceivedHandle): void;
  /** The launcher is gone, whether it said so or not. */
  onClose(): void;
}

/** How long the owner of a connection may take to be found, in milliseconds. Then it is unknown. */
const WHO_TIMEOUT_MS = 5000;
/** Longest line from the launcher, in characters: an answer about many owners. */
const MAX_LINE = 512 * 1024;

const numbers = (text: string): number[] => text.split(' ').map(Number);

const readEvent = (line: string): LauncherEvent | undefined => {
  const at = line.indexOf(' ');
  const word = at < 0 ? line : line.slice(0, at);
  const rest = at < 0 ? '' : line.slice(at + 1);
  switch (word) {
    case 'hello':
      return { kind: 'hello', landlockAbi: Number(rest) };
    case 'ready': {
      const [initPid = 0, procFd = 0, listeners = 0] = numbers(rest);
      return { kind: 'ready', initPid, procFd, listeners };
    }
    case 'started':
      return { kind: 'started', pid: Number(rest) };
    case 'note':
    case 'fail': {
      const [step = '', errno = '0', detail = ''] = rest.split('\t');
      return { kind: word === 'note' ? 'note' : 'failed', step, errno: Number(errno), detail };
    }
    case 'exit': {
      const [code = 0, signal = 0] = numbers(rest);
      return { kind: 'exit', code, signal };
    }
    case 'lost':
      return { kind: 'lost' };
    default:
      return undefined;
  }
};

const hexAddress = (address: string): string => {
  if (!address.includes(':')) {
    return address.split('.').reduce((hex, part) => hex + Number(part).toString(16).padStart(2, '0'), '');
  }
  const [head = '', tail] = address.split('::');
  const groups = (text: string): string[] =>
    text
      .split(':')
      .filter(Boolean)
      .map((group) => group.padStart(4, '0'));
  const left = groups(head);
  const right = tail === undefined ? [] : groups(tail);
  return [...left, ...Array<string>(8 - left.length - right.length).fill('0000'), ...right].join('');
};

/** One launcher: its process, its control socket (descriptor 3) and its handle channel (descriptor 4). */
export class LauncherProcess {
  readonly #child: ChildProcess;
  readonly #control: Duplex;
  readonly #questions = new Map<number, { resolve: (reply: WhoReply) => void; timer: NodeJS.Timeout }>();
  #lastQuestion = 0;
  #buffered = '';

  constructor(
    path: string,
    stdio: readonly [StdioTarget, StdioTarget, StdioTarget],
    callbacks: LauncherCallbacks,
  ) {
    // An empty environment: nothing of the caller's is there to leak.
    this.#child = spawn(path, [], {
      argv0: 'openshell',
      stdio: [...stdio, 'pipe', 'ipc'],
      env: {},
      cwd: '/',
    });
    this.#control = this.#child.stdio[3] as Duplex;
    this.#control.setEncoding('utf8');
    this.#control.on('data', (text: string) => this.#take(text, callbacks));
    // The launcher's end is told by 'close'; a write to a launcher that is gone has nothing to add.
    this.#control.on('error', () => {});
    this.#child.on('message', (name, handle) =>
      callbacks.onHandle({ name: String(name), handle: handle as object }),
    );
    this.#child.on('error', () => {});
    this.#child.on('close', () => {
      for (const id of [...this.#questions.keys()]) this.#answer({ id, problem: 'gone' });
      callbacks.onClose();
    });
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  get stdio(): ChildProcess['stdio'] {
    return this.#child.stdio;
  }

  send(bytes: Uint8Array | string): void {
    if (this.#control.writable) this.#control.write(bytes);
  }

  /** Ends the launcher's side of everything: it takes the sandbox with it. */
  destroy(): void {
    this.#control.destroy();
  }

  /** Who holds the client's end of this connection? Never rejects. */
  who(flow: Flow): Promise<WhoReply> {
    this.#lastQuestion = (this.#lastQuestion + 1) >>> 0;
    const id = this.#lastQuestion;
    return new Promise((resolve) => {
      const timer = setTimeout(() => this.#answer({ id, problem: 'timeout' }), WHO_TIMEOUT_MS);
      this.#questions.set(id, { resolve, timer });
      const client = `${hexAddress(flow.clientAddress)} ${flow.clientPort}`;
      this.send(`who ${id} ${client} ${hexAddress(flow.serverAddress)} ${flow.serverPort}\n`);
      if (!this.#control.writable) this.#answer({ id, problem: 'gone' });
    });
  }

  #answer(reply: WhoReply): void {
    const question = this.#questions.get(reply.id);
    if (!question) return;
    this.#questions.delete(reply.id);
    clearTimeout(question.timer);
    question.resolve(reply);
  }

  #take(text: string, callbacks: LauncherCallbacks): void {
    this.#buffered += text;
    for (let end = this.#buffered.indexOf('\n'); end >= 0; end = this.#buffered.indexOf('\n')) {
      const line = this.#buffered.slice(0, end);
      this.#buffered = this.#buffered.slice(end + 1);
      const reply = readWhoReply(line);
      if (reply) this.#answer(reply);
      const event = reply ? undefined : readEvent(line);
      if (event) callbacks.onEvent(event);
    }
    if (this.#buffered.length > MAX_LINE) this.destroy();
  }
}

/** The name of an errno, e.g. `EACCES`. */
export const errnoName = (errno: number): string =>
  Object.entries(constants.errno).find(([, value]) => value === errno)?.[0] ?? `errno ${errno}`;

/** What went wrong in the launcher, as an error for a person. */
export const launcherError = (event: Extract<LauncherEvent, { kind: 'failed' }>): OpenShellError => {
  const where = event.detail ? `${event.step} (${event.detail})` : event.step;
  const known = REMEDIES[event.step];
  return new OpenShellError(`could not start the sandbox: ${where}: ${errnoName(event.errno)}`, {
    code: 'launch_failed',
    remedy: known ?? "Run 'openshell doctor' to see what this machine supports.",
  });
};

const REMEDIES: Readonly<Record<string, string>> = {
  namespaces:
    'User namespaces must be allowed: sysctl -w user.max_user_namespaces=10000 kernel.unprivileged_userns_clone=1, or run as root.',
  'idmapped mount':
    'The file system of this directory cannot map owners. Use a directory on ext4, xfs, btrfs or tmpfs, or run as its owner instead of root.',
  'create file system': 'In a container, /proc must be fully visible for a sandbox to get its own.',
};
