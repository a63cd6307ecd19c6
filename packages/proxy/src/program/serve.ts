import { once } from 'node:events';
import { createServer, type Server } from 'node:net';
import {
  configEvent,
  type EventSink,
  lifecycleEvent,
  openFileSink,
  RefusalReporter,
  streamSink,
} from '@openshell/audit';
import { generation, messageOf, OpenShellError, sandboxId } from '@openshell/base';
import { formatAuthority } from '../http/authority.ts';
import { EgressProxy } from '../proxy.ts';
import type { Tenant } from '../tenant/tenant.ts';
import type { ProgramOptions } from './options.ts';
import { loadEngine } from './policy-file.ts';

const APP = 'openshell-proxy';
const ID = sandboxId(APP);
const BACKLOG = 4096;

export interface Service {
  /** Reads the policy again; a bad one changes nothing. */
  reload(): Promise<void>;
  close(): Promise<void>;
}

const say = (text: string): void => {
  for (const line of text.split('\n')) process.stderr.write(`${APP}: ${line}\n`);
};

/** Serves until it is closed. Throws when it cannot begin: the policy, the events' file or the address. */
export async function serve(options: ProgramOptions): Promise<Service> {
  const engine = await loadEngine(options.policy, generation(1));
  const sink = await openEvents(options.events);
  const server = await listen(options.listen).catch(async (cause: unknown) => {
    await sink?.close();
    throw cause;
  });
  const reporter = new RefusalReporter({
    write: (line) => process.stderr.write(`${line}\n`),
    color: process.stderr.isTTY === true && !process.env.NO_COLOR,
  });
  const proxy = new EgressProxy({ overrides: options.resolve });
  const tenant = proxy.addTenant({
    id: ID,
    listeners: { connect: [server] },
    evidence: {
      identify: async () => ({ kind: 'unknown', reason: 'programs are not told apart (--identity none)' }),
    },
    engine,
    events: (event) => sink?.write(event),
    refusals: (refusal) => reporter.report(refusal),
  });
  const service = new RunningService(options, proxy, tenant, sink, reporter);
  service.announce(server);
  return service;
}

class RunningService implements Service {
  readonly #options: ProgramOptions;
  readonly #proxy: EgressProxy;
  readonly #tenant: Tenant;
  readonly #sink: EventSink | undefined;
  readonly #reporter: RefusalReporter;
  /** One after the other, in the order in which they were asked for. */
  #reloading: Promise<void> = Promise.resolve();

  constructor(
    options: ProgramOptions,
    proxy: EgressProxy,
    tenant: Tenant,
    sink: EventSink | undefined,
    reporter: RefusalReporter,
  ) {
    this.#options = options;
    this.#proxy = proxy;
    this.#tenant = tenant;
    this.#sink = sink;
    this.#reporter = reporter;
  }

  announce(server: Server): void {
    const address = server.address();
    const where =
      typeof address === 'object' && address !== null ? formatAuthority(address.address, address.port) : '';
    this.#sink?.write(lifecycleEvent({ sandbox: ID, activity: 'start', app: APP }));
    this.#loaded();
    say(`serving on ${where} with the policy ${this.#options.policy}`);
  }

  reload(): Promise<void> {
    this.#reloading = this.#reloading.then(() => this.#reload());
    return this.#reloading;
  }

  async close(): Promise<void> {
    await this.#proxy.close();
    this.#reporter.close();
    this.#sink?.write(lifecycleEvent({ sandbox: ID, activity: 'stop', app: APP }));
    await this.#sink?.close();
  }

  async #reload(): Promise<void> {
    const current = this.#tenant.status().generation;
    try {
      this.#tenant.apply(await loadEngine(this.#options.policy, generation(current + 1)));
      this.#loaded();
      say(`the policy ${this.#options.policy} is in force as generation ${current + 1}`);
    } catch (thrown) {
      const message = `the new policy is refused; generation ${current} stays in force`;
      this.#sink?.write(
        configEvent({
          sandbox: ID,
          severity: 'medium',
          state: 'retained_last_valid',
          message,
          unmapped: { generation: current },
        }),
      );
      say(`${describe(thrown)}\n${message}`);
    }
  }

  #loaded(): void {
    const { generation } = this.#tenant.status();
    const message = `policy ${this.#options.policy} is in force`;
    this.#sink?.write(configEvent({ sandbox: ID, state: 'loaded', message, unmapped: { generation } }));
  }
}

/** What was thrown, for a person. */
export const describe = (thrown: unknown): string =>
  thrown instanceof OpenShellError && thrown.remedy !== undefined
    ? `${thrown.message}\n${thrown.remedy}`
    : messageOf(thrown);

async function openEvents(destination: string | undefined): Promise<EventSink | undefined> {
  const onError = (error: Error): void => say(describe(error));
  if (destination === undefined) return undefined;
  if (destination === '-') return streamSink({ stream: process.stdout, onError });
  return openFileSink({ path: destination, onError });
}

async function listen({ host, port }: ProgramOptions['listen']): Promise<Server> {
  const server = createServer({ allowHalfOpen: true, pauseOnConnect: true });
  try {
    await once(server.listen({ host, port, backlog: BACKLOG }), 'listening');
  } catch (cause) {
    throw new OpenShellError(`cannot listen on ${formatAuthority(host, port)}: ${messageOf(cause)}`, {
      code: 'listen_failed',
      cause,
      remedy: 'Choose an address of this machine and a port that is free and permitted.',
    });
  }
  return server;
}
