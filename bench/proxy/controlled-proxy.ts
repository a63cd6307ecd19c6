import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { sandboxId } from '@openshell/base';
import { type ControlSession, connectProxy, PROTOCOL } from '@openshell/control';
import { ROOT } from '../checkout.ts';
import { startOwned, stop } from '../measure/owned-process.ts';
import type { ProbeAnswer, ProbeOrder } from './probe.ts';

const PROBE = fileURLToPath(new URL('probe.ts', import.meta.url));
const SERVING = /serving on 127\.0\.0\.1:(\d+) /;
const CONTROLLED = /controllers connect to unix:/;

export interface ControlledProxyOptions {
  /** For its socket and its events. */
  readonly directory: string;
  /** Further arguments of `openshell-proxy`. */
  readonly args: readonly string[];
}

/** The real program in a process of its own, steered over its control socket, which can be asked what it holds. */
export class ControlledProxy implements AsyncDisposable {
  readonly #child: ChildProcess;
  readonly #socket: string;
  /** Where its tenants' shared listener is, on 127.0.0.1. */
  readonly port: number;
  readonly session: ControlSession;

  /** Throws what it says when it does not start. */
  static async start({ directory, args }: ControlledProxyOptions): Promise<ControlledProxy> {
    const socket = join(directory, 'control.sock');
    const own = [
      '--listen',
      '127.0.0.1:0',
      '--control',
      `unix:${socket}`,
      '--events',
      join(directory, 'events'),
    ];
    const start = [`${ROOT}bin/start.mjs`, 'packages/proxy/src/program.ts'];
    const child = startOwned(
      process.execPath,
      ['--expose-gc', '--import', PROBE, ...start, ...own, ...args],
      { stdio: ['ignore', 'ignore', 'pipe', 'ipc'] },
    );
    const port = await started(child);
    const session = await controllerOf(socket, 'controller');
    return new ControlledProxy(child, { socket, port, session });
  }

  private constructor(
    child: ChildProcess,
    parts: { readonly socket: string; readonly port: number; readonly session: ControlSession },
  ) {
    this.#child = child;
    this.#socket = parts.socket;
    this.port = parts.port;
    this.session = parts.session;
  }

  /** What it holds, after a garbage collection. */
  async probe(order: ProbeOrder = {}): Promise<ProbeAnswer> {
    const answered = once(this.#child, 'message');
    this.#child.send(order);
    const [answer] = (await answered) as [ProbeAnswer];
    return answer;
  }

  /** Another session, which changes nothing. */
  observe(): Promise<ControlSession> {
    return controllerOf(this.#socket, 'observer');
  }

  /** Puts a policy in force. Throws all that is wrong with it. */
  async apply(tenant: string, text: string): Promise<void> {
    const policy = { kind: 'text', name: 'policy.yaml', text } as const;
    await this.session.apply({ tenant: sandboxId(tenant), parts: { policy }, mode: 'install' });
  }

  /** False as soon as it has ended by itself. */
  get isRunning(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.session[Symbol.asyncDispose]();
    await stop(this.#child);
  }
}

const controllerOf = (path: string, role: 'controller' | 'observer'): Promise<ControlSession> =>
  connectProxy({ kind: 'unix', path }).connect({ name: 'benchmark', protocol: PROTOCOL, role });

/** Waits until it serves. What it says later is dropped: refusals, which are meant. */
async function started(child: ChildProcess): Promise<number> {
  const lines = createInterface({ input: child.stderr! });
  const said: string[] = [];
  let port: number | undefined;
  for await (const line of lines) {
    said.push(line);
    port ??= Number(SERVING.exec(line)?.[1]) || undefined;
    if (port === undefined || !CONTROLLED.test(line)) continue;
    child.stderr!.resume();
    return port;
  }
  throw new Error(`the proxy did not start: ${said.join('; ')}`);
}
