import { OpenShellError, type SandboxId } from '@openshell/base';
import {
  type Applied,
  type ControlSession,
  PROTOCOL,
  type ProxyControl,
  type SessionEnd,
} from '@openshell/control';
import { describe } from '../log/describe.ts';
import type { Log } from '../log/log.ts';
import { readTenant, readTenantFiles, type TenantsSource, type WantedTenant } from './read-tenants.ts';
import type { TenantFiles } from './tenant-files.ts';

export interface FileControllerOptions {
  readonly control: ProxyControl;
  readonly source: TenantsSource;
  readonly log: Log;
  /** For the record, where the proxy is not even asked: this tenant's files are of no use, and the last good generation goes on. */
  readonly unusable: (tenant: SandboxId, generation: number) => void;
}

/** What is in force of one tenant. */
interface Current {
  readonly wanted: WantedTenant;
  readonly generation: number;
}

const NAME = 'files';

/**
 * The controller that reads files: what they say is registered and applied over the same contract that any controller uses. Each tenant stands
 * for itself: where something is wrong with the files of one, its last good generation goes on, and the others get theirs.
 */
export class FileController implements AsyncDisposable {
  readonly #options: FileControllerOptions;
  readonly #session: ControlSession;
  readonly #current = new Map<SandboxId, Current>();
  /** As they were described last, in force or not. */
  #described: readonly TenantFiles[] = [];
  /** One after the other, in the order in which they were asked for. */
  #reloading: Promise<void> = Promise.resolve();
  #end: SessionEnd | undefined;

  /** Installs what the files say. Throws everything that is wrong with them. */
  static async start(options: FileControllerOptions): Promise<FileController> {
    const session = await options.control.connect({ name: NAME, protocol: PROTOCOL, role: 'controller' });
    const controller = new FileController(options, session);
    try {
      await controller.#begin();
    } catch (thrown) {
      await session[Symbol.asyncDispose]();
      throw thrown;
    }
    return controller;
  }

  private constructor(options: FileControllerOptions, session: ControlSession) {
    this.#options = options;
    this.#session = session;
    void session.ended.then((end) => this.#ended(end));
  }

  /** Every file that says something, as far as is known: those to watch. */
  get files(): readonly string[] {
    const { source } = this.#options;
    const named = this.#described.flatMap(({ policy, credentials, routes }) => [policy, credentials, routes]);
    return [...(source.kind === 'file' ? [source.file] : []), ...named.filter((file) => file !== undefined)];
  }

  /** Reads all files again. Never throws: what is wrong is said, and what was in force stays. */
  reload(): Promise<void> {
    this.#reloading = this.#reloading.then(() => this.#reload());
    return this.#reloading;
  }

  /** Ends the session; what was installed stays in force. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#reloading;
    await this.#session[Symbol.asyncDispose]();
  }

  async #begin(): Promise<void> {
    const all = await this.#read();
    const wrong: unknown[] = [];
    for (const wanted of all) {
      try {
        await this.#session.registerTenant(wanted.spec);
        await this.#install(wanted);
      } catch (thrown) {
        wrong.push(this.#within(wanted.spec.id, thrown));
      }
    }
    const [first, ...more] = wrong;
    if (first !== undefined && more.length === 0) throw first;
    if (wrong.length > 0)
      throw new OpenShellError(wrong.map(describe).join('\n'), { code: 'generation_refused' });
  }

  async #reload(): Promise<void> {
    const { log } = this.#options;
    if (this.#end !== undefined) {
      log('warning', `files are not read: ${whyOff(this.#end)}`);
      return;
    }
    let all: readonly WantedTenant[];
    try {
      all = await this.#read();
    } catch (thrown) {
      log('error', `${describe(thrown)}\nthe new tenants are refused; those that there are stay as they are`);
      return;
    }
    const wanted = new Set(all.map(({ spec }) => spec.id));
    for (const id of this.#current.keys()) if (!wanted.has(id)) await this.#try(id, () => this.#remove(id));
    for (const one of all) await this.#try(one.spec.id, () => this.#update(one));
  }

  async #read(): Promise<readonly WantedTenant[]> {
    this.#described = await readTenantFiles(this.#options.source);
    const all: WantedTenant[] = [];
    // One after the other: a thousand tenants must not take a thousand descriptors.
    for (const files of this.#described) all.push(await readTenant(files));
    return all;
  }

  async #try(id: SandboxId, change: () => Promise<void>): Promise<void> {
    try {
      await change();
    } catch (thrown) {
      const { log } = this.#options;
      const generation = this.#current.get(id)?.generation ?? 0;
      const kept = generation === 0 ? 'it denies everything' : `generation ${generation} stays in force`;
      log(
        'error',
        `${describe(this.#within(id, thrown))}\n${this.#prefix(id)}the new policy is refused; ${kept}`,
        {
          tenant: id,
          generation,
        },
      );
    }
  }

  async #update(wanted: WantedTenant): Promise<void> {
    const { spec, content } = wanted;
    const before = this.#current.get(spec.id);
    if (before === undefined) {
      await this.#session.registerTenant(spec);
      this.#current.set(spec.id, { wanted: withoutContent(wanted), generation: 0 });
    } else if (JSON.stringify(before.wanted.spec) !== JSON.stringify(spec)) {
      await this.#check(wanted);
      await this.#replace(before, wanted);
    } else if (content.kind === 'nothing' && before.wanted.content.kind === 'parts') {
      await this.#replace(before, wanted);
    }
    await this.#install(wanted);
  }

  /** Finds what is wrong before anything is given up for it. */
  async #check({ spec, content }: WantedTenant): Promise<void> {
    if (content.kind === 'unusable') throw this.#unusable(spec.id, content.problems);
    if (content.kind === 'parts')
      await this.#session.apply({ tenant: spec.id, parts: content.parts, mode: 'check' });
  }

  /** Registers a tenant anew, which ends its connections; where that is refused, as it was before. */
  async #replace(before: Current, wanted: WantedTenant): Promise<void> {
    const { id } = wanted.spec;
    await this.#session.removeTenant(id);
    this.#current.delete(id);
    try {
      await this.#session.registerTenant(wanted.spec);
      this.#current.set(id, { wanted: withoutContent(wanted), generation: 0 });
    } catch (thrown) {
      await this.#session.registerTenant(before.wanted.spec);
      this.#current.set(id, { wanted: withoutContent(before.wanted), generation: 0 });
      await this.#install(before.wanted);
      throw thrown;
    }
  }

  async #install(wanted: WantedTenant): Promise<void> {
    const { spec, content } = wanted;
    switch (content.kind) {
      case 'nothing':
        this.#current.set(spec.id, { wanted, generation: 0 });
        return;
      case 'unusable':
        throw this.#unusable(spec.id, content.problems);
      case 'parts': {
        const applied = await this.#session.apply({ tenant: spec.id, parts: content.parts, mode: 'install' });
        this.#current.set(spec.id, { wanted, generation: applied.installed.generation });
        if (!applied.unchanged) this.#announce(wanted, applied);
        return;
      }
      default:
        content satisfies never;
    }
  }

  async #remove(id: SandboxId): Promise<void> {
    await this.#session.removeTenant(id);
    this.#current.delete(id);
    this.#options.log('info', `tenant ${id} is no longer served`, { tenant: id });
  }

  #announce({ spec, files }: WantedTenant, { installed, environment, notices }: Applied): void {
    const { id } = spec;
    const context = { tenant: id, generation: installed.generation };
    const say = (text: string): void => this.#options.log('info', this.#prefix(id) + text, context);
    say(`the policy ${files.policy} is in force as generation ${installed.generation}`);
    for (const notice of notices) say(notice);
    for (const [name, placeholder] of Object.entries(environment)) say(`programs use ${name}=${placeholder}`);
  }

  #ended(end: SessionEnd): void {
    this.#end = end;
    if (end.kind === 'taken_over')
      this.#options.log('warning', `${whyOff(end)}: files are not read any longer`);
  }

  /** Where there is one tenant only, nobody needs to be told which. */
  #prefix(id: SandboxId): string {
    return this.#options.source.kind === 'given' ? '' : `tenant ${id}: `;
  }

  #unusable(id: SandboxId, problems: string): OpenShellError {
    this.#options.unusable(id, this.#current.get(id)?.generation ?? 0);
    return new OpenShellError(problems, { code: 'files_unusable' });
  }

  #within(id: SandboxId, thrown: unknown): unknown {
    if (this.#options.source.kind === 'given') return thrown;
    return new OpenShellError(`tenant ${id}: ${describe(thrown)}`, { code: 'tenant_refused', cause: thrown });
  }
}

const withoutContent = (wanted: WantedTenant): WantedTenant => ({ ...wanted, content: { kind: 'nothing' } });

function whyOff(end: SessionEnd): string {
  switch (end.kind) {
    case 'taken_over':
      return `the controller "${end.by}" has taken over`;
    case 'proxy_stopping':
      return 'the proxy is stopping';
    case 'closed':
      return 'reading files has ended';
    case 'lost':
      return `the session was lost: ${end.reason}`;
    default:
      return end satisfies never;
  }
}
