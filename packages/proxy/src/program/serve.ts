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
import { messageOf, OpenShellError, sandboxId } from '@openshell/base';
import { formatAuthority } from '../http/authority.ts';
import { type Generation, Generations } from '../operator/generations.ts';
import { readUpstream } from '../operator/upstream.ts';
import { EgressProxy } from '../proxy.ts';
import type { Tenant } from '../tenant/tenant.ts';
import { readAuthority, writeAuthority } from './authority.ts';
import { readGeneration } from './generation.ts';
import type { ProgramOptions } from './options.ts';

const APP = 'openshell-proxy';
const ID = sandboxId(APP);
const BACKLOG = 4096;

export interface Service {
  /** Reads policy, credentials and routes again, as one generation; where one of them is bad, nothing changes. */
  reload(): Promise<void>;
  close(): Promise<void>;
}

const say = (text: string): void => {
  for (const line of text.split('\n')) process.stderr.write(`${APP}: ${line}\n`);
};

/** Serves until it is closed. Throws when it cannot begin: the policy, a file that the options name, or the address. */
export async function serve(options: ProgramOptions): Promise<Service> {
  await using stack = new AsyncDisposableStack();
  const { authorityOut, middlewares } = options;
  const upstream = readUpstream(options.upstream);
  const authority = readAuthority(options.authority);
  const generations = stack.use(
    new Generations({ environment: process.env, trust: upstream.trust, middlewares }),
  );
  const first = await readGeneration(options, generations, 1);
  const proxy = new EgressProxy({ overrides: options.resolve, upstream, ...(authority && { authority }) });
  stack.defer(() => proxy.close());
  if (authorityOut !== undefined) writeAuthority(authorityOut, (await proxy.authority()).certificatePem);
  const sink = await openEvents(options.events);
  stack.defer(() => sink?.close());
  const server = await listen(options.listen);
  const reporter = new RefusalReporter({
    write: (line) => process.stderr.write(`${line}\n`),
    color: process.stderr.isTTY === true && !process.env.NO_COLOR,
  });
  const tenant = proxy.addTenant({
    id: ID,
    listeners: { connect: [server] },
    evidence: {
      identify: async () => ({ kind: 'unknown', reason: 'programs are not told apart (--identity none)' }),
    },
    settings: first.settings,
    events: (event) => sink?.write(event),
    refusals: (refusal) => reporter.report(refusal),
  });
  const service = new RunningService({ options, proxy, generations, tenant, sink, reporter });
  stack.move();
  service.announce(server, first);
  return service;
}

interface ServiceParts {
  readonly options: ProgramOptions;
  readonly proxy: EgressProxy;
  readonly generations: Generations;
  readonly tenant: Tenant;
  readonly sink: EventSink | undefined;
  readonly reporter: RefusalReporter;
}

class RunningService implements Service {
  readonly #parts: ServiceParts;
  /** One after the other, in the order in which they were asked for. */
  #reloading: Promise<void> = Promise.resolve();

  constructor(parts: ServiceParts) {
    this.#parts = parts;
  }

  announce(server: Server, { environment, notices }: Generation): void {
    const { options, sink } = this.#parts;
    const address = server.address();
    const where =
      typeof address === 'object' && address !== null ? formatAuthority(address.address, address.port) : '';
    sink?.write(lifecycleEvent({ sandbox: ID, activity: 'start', app: APP }));
    this.#loaded(notices);
    say(`serving on ${where} with the policy ${options.policy}`);
    for (const [name, placeholder] of Object.entries(environment)) say(`programs use ${name}=${placeholder}`);
  }

  reload(): Promise<void> {
    this.#reloading = this.#reloading.then(() => this.#reload());
    return this.#reloading;
  }

  async close(): Promise<void> {
    const { proxy, generations, reporter, sink } = this.#parts;
    await proxy.close();
    await generations[Symbol.asyncDispose]();
    reporter.close();
    sink?.write(lifecycleEvent({ sandbox: ID, activity: 'stop', app: APP }));
    await sink?.close();
  }

  async #reload(): Promise<void> {
    const { options, generations, tenant, sink } = this.#parts;
    const current = tenant.status().generation;
    try {
      const { settings, notices } = await readGeneration(options, generations, current + 1);
      tenant.apply(settings);
      this.#loaded(notices);
      say(`the policy ${options.policy} is in force as generation ${current + 1}`);
    } catch (thrown) {
      const message = `the new policy is refused; generation ${current} stays in force`;
      sink?.write(
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

  #loaded(notices: readonly string[]): void {
    const { options, tenant, sink } = this.#parts;
    const { generation } = tenant.status();
    const message = `policy ${options.policy} is in force`;
    sink?.write(configEvent({ sandbox: ID, state: 'loaded', message, unmapped: { generation } }));
    for (const notice of notices) say(notice);
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
