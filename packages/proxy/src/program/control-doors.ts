import { findingEvent, type SecurityEvent } from '@openshell/audit';
import type { SandboxId } from '@openshell/base';
import type { ControlServer, ListenAddress, ProxyControl, ServerTls } from '@openshell/control';
import { LIMITS } from '../limits.ts';
import { readOperatorFile } from '../operator/read-file.ts';
import { Throttle } from '../tenant/throttle.ts';
import { describe } from './log/describe.ts';
import type { Log } from './log/log.ts';
import type { ControlOptions, ControlWord, MutualTlsFiles } from './options/control-words.ts';

export interface ControlDoorsOptions {
  readonly control: ControlOptions;
  /** What a controller gets that comes in there. */
  readonly viewOf: (where: string) => ProxyControl;
  readonly id: SandboxId;
  readonly record: (event: SecurityEvent) => void;
  readonly log: Log;
}

interface Door {
  readonly word: ControlWord;
  readonly server: ControlServer;
}

/** Where controllers get in. */
export class ControlDoors implements AsyncDisposable {
  readonly #options: ControlDoorsOptions;
  readonly #turnedAway: Throttle<string>;
  #doors: readonly Door[] = [];

  /** Throws `operator_file_unreadable`, and what `serveControl` throws; then nothing is open. */
  static async open(options: ControlDoorsOptions): Promise<ControlDoors> {
    const doors = new ControlDoors(options);
    try {
      await doors.#open();
    } catch (thrown) {
      await doors[Symbol.asyncDispose]();
      throw thrown;
    }
    return doors;
  }

  private constructor(options: ControlDoorsOptions) {
    this.#options = options;
    this.#turnedAway = new Throttle({
      maxKinds: LIMITS.refusalKinds.value,
      windowMs: LIMITS.refusalWindow.value,
      emit: (why, count) => this.#report(why, count),
    });
  }

  get addresses(): readonly string[] {
    return this.#doors.map(({ server }) => server.address);
  }

  /** Files whose change `renew` takes up. */
  get files(): readonly string[] {
    return this.#doors.flatMap(({ word }) =>
      word.kind === 'tcp' ? [word.tls.certificate, word.tls.key, word.tls.clientCa] : [],
    );
  }

  /** Shows the certificates that the files hold now. What cannot be used is said, and the last ones stay. */
  renew(): void {
    for (const { word, server } of this.#doors) {
      if (word.kind !== 'tcp') continue;
      try {
        server.renew(readTls(word.tls, word.clients));
      } catch (thrown) {
        this.#options.log(
          'error',
          `${describe(thrown)}\nthe certificates of ${server.address} stay as they were`,
        );
      }
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#doors.map(({ server }) => server[Symbol.asyncDispose]()));
    this.#turnedAway.flush();
  }

  async #open(): Promise<void> {
    const { control, viewOf } = this.#options;
    if (control.where.length === 0) return;
    const { serveControl } = await import('@openshell/control');
    for (const word of control.where) {
      const name = nameOf(word);
      const server = await serveControl({
        control: viewOf(name),
        address: addressOf(word),
        tokenFile: control.tokenFile,
        onRefused: ({ who, why }) => this.#turnedAway.add(why, `${name}: ${who}: ${why}`),
      });
      this.#doors = [...this.#doors, { word, server }];
    }
  }

  #report(why: string, count: number): void {
    const { id, record, log } = this.#options;
    const title = 'A connection of a controller was turned away';
    log('warning', `${title}: ${why}${count > 1 ? ` (${count} times)` : ''}`);
    record(
      findingEvent({
        sandbox: id,
        uid: 'control-turned-away',
        title,
        description: why,
        severity: 'medium',
        action: 'denied',
        count,
      }),
    );
  }
}

const nameOf = (word: ControlWord): string =>
  word.kind === 'unix' ? `unix:${word.path}` : `${word.host}:${word.port}`;

function addressOf(word: ControlWord): ListenAddress {
  if (word.kind === 'unix')
    return { kind: 'unix', path: word.path, peers: { kind: 'checked', uids: word.uids } };
  const { host, port, tls, clients } = word;
  return { kind: 'tcp', host, port, tls: readTls(tls, clients) };
}

const readTls = (files: MutualTlsFiles, clients: readonly string[]): ServerTls => ({
  certificate: readOperatorFile(files.certificate, 'the certificate for controllers'),
  key: readOperatorFile(files.key, 'the key of the certificate for controllers'),
  clientCa: readOperatorFile(files.clientCa, 'the authority of controllers'),
  clientNames: clients.length === 0 ? undefined : clients,
});
