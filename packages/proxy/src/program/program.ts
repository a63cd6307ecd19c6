import {
  configEvent,
  type EventSink,
  lifecycleEvent,
  openFileSink,
  type SecurityEvent,
  streamSink,
} from '@openshell/audit';
import { sandboxId } from '@openshell/base';
import type { ProxyControl } from '@openshell/control';
import { authorityChanged } from '../control/session-record.ts';
import type { AuthorityNotice } from '../tls/authority-notice.ts';
import { AuthorityKeeper } from '../tls/distribution/authority-keeper.ts';
import { PROXY_VERSION } from '../version.ts';
import { loadWorkers } from '../workers/index.ts';
import { ControlDoors } from './control-doors.ts';
import { watchDescriptors } from './descriptor-notice.ts';
import { FileController } from './files/file-controller.ts';
import type { TenantsSource } from './files/read-tenants.ts';
import { FileWatch } from './files/watch.ts';
import type { ActivatedSockets } from './listen/activation.ts';
import { describe } from './log/describe.ts';
import type { Log } from './log/log.ts';
import { featuresOf, keptEvents, makeProcess, readLinkCertificates, type Voice } from './make-process.ts';
import { everywhere } from './options/address.ts';
import type { ProgramOptions } from './options/options.ts';
import type { ServedProxy } from './served-proxy.ts';

const APP = 'openshell-proxy';
const ID = sandboxId(APP);
/** Whoever wants to know how the proxy is. */
const WATCHER = { name: 'status', protocol: { min: 1, max: 2 }, role: 'observer' } as const;

/** Where the program runs. */
export interface Surroundings extends Voice {
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly sockets: ActivatedSockets;
}

/**
 * The proxy with everything that an operator asks of it, in the order of its life: what it is made of, what it is told by files, who may
 * connect, who may watch. What was begun last ends first.
 */
export class Program implements AsyncDisposable {
  readonly #options: ProgramOptions;
  readonly #surroundings: Surroundings;
  readonly #parts = new AsyncDisposableStack();
  #process!: ServedProxy;
  #authority!: AuthorityKeeper;
  #files: FileController | undefined;
  #doors!: ControlDoors;
  #watch: FileWatch | undefined;

  /** Serves until it is disposed of. Throws when it cannot begin: an option, a file that the options name, or an address. */
  static async start(options: ProgramOptions, surroundings: Surroundings): Promise<Program> {
    const program = new Program(options, surroundings);
    try {
      await program.#start();
    } catch (thrown) {
      await program[Symbol.asyncDispose]();
      throw thrown;
    }
    return program;
  }

  private constructor(options: ProgramOptions, surroundings: Surroundings) {
    this.#options = options;
    this.#surroundings = surroundings;
  }

  /** Reads all files again. What is wrong with one is said, and what it was about stays as it was. */
  async reload(): Promise<void> {
    this.#watch?.settle();
    this.#authority.reload();
    this.#doors.renew();
    await this.#renewLink();
    await this.#files?.reload();
    // A file of tenants may name others by now.
    this.#watch?.settle();
  }

  /** Takes no new connections, and waits for those that are open; those that are left in the end are ended. */
  async drain(): Promise<void> {
    const { drainMs } = this.#options;
    this.#watch?.[Symbol.dispose]();
    this.#surroundings.log('info', `stopping: open connections may go on for ${drainMs / 1000} s`);
    await this.#process.drain(drainMs);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#parts.disposeAsync();
  }

  async #start(): Promise<void> {
    const { log } = this.#surroundings;
    await this.#startProcess();
    this.#parts.use(watchDescriptors({ log, record: (event) => this.#process.record(event) }));
    await this.#readFiles();
    const listening = await this.#process.listen(this.#options.listen, this.#surroundings.sockets);
    this.#doors = this.#parts.use(
      await ControlDoors.open({
        control: this.#options.control,
        viewOf: (where) => this.#view(where, this.#options.control.sources),
        id: ID,
        record: (event) => this.#process.record(event),
        log,
      }),
    );
    const status = await this.#showStatus();
    this.#watch = this.#parts.use(
      new FileWatch({ files: () => this.#watched(), onChange: () => void this.reload() }),
    );
    this.#announce(listening, status);
  }

  async #startProcess(): Promise<void> {
    const { options, parts } = { options: this.#options, parts: this.#parts };
    const { log } = this.#surroundings;
    const sink = await openEvents(options.events, log);
    parts.defer(() => sink?.close());
    this.#authority = parts.use(
      AuthorityKeeper.start({ ...options.authority, report: (notice) => this.#authorityNotice(notice) }),
    );
    parts.defer(() => void sink?.write(lifecycleEvent({ sandbox: ID, activity: 'stop', app: APP })));
    const events = (event: SecurityEvent): boolean => sink?.write(event) ?? true;
    this.#process =
      options.workers === 1 ? await this.#makeProcess(events) : parts.use(await this.#startWorkers(events));
    this.#process.record(
      lifecycleEvent({ sandbox: ID, activity: 'start', app: APP, version: PROXY_VERSION }),
    );
  }

  #makeProcess(events: (event: SecurityEvent) => boolean): Promise<ServedProxy> {
    const { environment } = this.#surroundings;
    const authority = this.#authority.made ?? (() => this.#authority.ring());
    return makeProcess(this.#options, { authority, environment, events }, this.#surroundings, this.#parts);
  }

  async #startWorkers(events: (event: SecurityEvent) => boolean): Promise<ServedProxy> {
    const { log, sockets, environment } = this.#surroundings;
    const { listen, link, denyAll, workers } = this.#options;
    const { spawnWorkers, WorkerSet } = await loadWorkers();
    return WorkerSet.start({
      count: workers,
      start: spawnWorkers({ listen, sockets, environment }),
      version: PROXY_VERSION,
      features: featuresOf(this.#options),
      denyAll,
      link,
      authority: this.#authority.made ?? (() => this.#authority.ring()),
      events,
      log,
      limits: keptEvents(this.#options),
    });
  }

  async #readFiles(): Promise<void> {
    const source = sourceOf(this.#options);
    if (source === undefined) return;
    const controller = await FileController.start({
      control: this.#view('files', 'host'),
      source,
      log: this.#surroundings.log,
      unusable: (tenant, generation) =>
        this.#process.record(
          configEvent({
            sandbox: tenant,
            severity: 'medium',
            state: 'retained_last_valid',
            message: `the files are of no use; ${generation === 0 ? 'everything is denied' : `generation ${generation} stays in force`}`,
            unmapped: { generation, controller: 'files' },
          }),
        ),
    });
    // Without a file there is nothing that it could bring later, and somebody else may want to control.
    if (this.#options.files.kind === 'none') await controller[Symbol.asyncDispose]();
    else this.#files = this.#parts.use(controller);
  }

  async #showStatus(): Promise<string | undefined> {
    const { status } = this.#options;
    if (status === undefined) return undefined;
    const { StatusServer } = await import('../status/server.ts');
    const session = this.#parts.use(await this.#view('status', 'pushed').connect(WATCHER));
    return this.#parts.use(await StatusServer.start({ ...everywhere(status), source: session })).address;
  }

  /** What cannot be used is said, and the last certificates stay. */
  async #renewLink(): Promise<void> {
    const { link } = this.#options;
    if (link === undefined) return;
    try {
      await this.#process.renewLink(readLinkCertificates(link.tls));
    } catch (thrown) {
      this.#surroundings.log('error', `${describe(thrown)}\nthe certificates for nodes stay as they were`);
    }
  }

  #view(name: string, sources: 'host' | 'pushed'): ProxyControl {
    return this.#process.control({ name, sources });
  }

  #watched(): readonly string[] {
    const { authority: options, link } = this.#options;
    const { source } = options;
    const authority =
      source.kind === 'directory'
        ? ['tls.crt', 'tls.key', 'ca.crt'].map((name) => `${source.path}/${name}`)
        : this.#authority.watched;
    const nodes = link === undefined ? [] : [link.tls.certificate, link.tls.key, link.tls.clientCa];
    return [...(this.#files?.files ?? []), ...authority, ...this.#doors.files, ...nodes];
  }

  #announce(listening: readonly string[], status: string | undefined): void {
    const { log } = this.#surroundings;
    const { files } = this.#options;
    const what = {
      policy: () => `with the policy ${files.kind === 'policy' ? files.policy : ''}`,
      tenants: () => `the tenants of ${files.kind === 'tenants' ? files.file : ''}`,
      none: () => 'and denying everything',
    }[files.kind]();
    if (listening.length > 0) log('info', `serving on ${listening.join(', ')} ${what}`);
    if (this.#process.linkPort !== undefined) log('info', `nodes connect to port ${this.#process.linkPort}`);
    for (const address of this.#doors.addresses) log('info', `controllers connect to ${address}`);
    if (status !== undefined) log('info', `status at http://${status}/readyz`);
  }

  #authorityNotice(notice: AuthorityNotice): void {
    this.#surroundings.log(notice.severity === 'info' ? 'info' : 'warning', notice.message);
    // The others are recorded by whoever holds the authority.
    if (notice.kind === 'refused' || notice.kind === 'unwritable')
      this.#process?.record(authorityChanged(ID, notice));
  }
}

/** Who is to be served by what the options say; undefined: that is somebody else's to say. */
function sourceOf({ tenant, identity, files }: ProgramOptions): TenantsSource | undefined {
  if (files.kind === 'tenants') return { kind: 'file', file: files.file };
  if (tenant === undefined) return undefined;
  const named = files.kind === 'policy' ? files : undefined;
  return {
    kind: 'given',
    tenants: [
      {
        id: tenant,
        // Everybody who connects.
        recognitions: [
          { kind: 'source', network: '0.0.0.0/0' },
          { kind: 'source', network: '::/0' },
        ],
        programs: identity === 'none' ? 'any' : 'unnamed',
        policy: named?.policy,
        credentials: named?.credentials,
        routes: named?.routes,
        limits: undefined,
      },
    ],
  };
}

async function openEvents(destination: string | undefined, log: Log): Promise<EventSink | undefined> {
  const onError = (error: Error): void => log('error', describe(error));
  if (destination === undefined) return undefined;
  if (destination === '-') return streamSink({ stream: process.stdout, onError });
  return openFileSink({ path: destination, onError });
}
