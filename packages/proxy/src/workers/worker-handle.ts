import type { ProxyStatus } from '@openshell/control';
import { LIMITS } from '../limits.ts';
import type { Channel } from './channel.ts';
import { type Handlers, Peer } from './peer.ts';
import type { FirstCalls, WorkerCalls } from './protocol.ts';

/** A worker that was started: the way to it, and its end. */
export interface StartedWorker {
  readonly channel: Channel;
  /** At once, whatever it does. */
  kill(): void;
}

/** One worker as the first process has it, from its start to its end. */
export class WorkerHandle {
  readonly #started: StartedWorker;
  readonly #peer: Peer<WorkerCalls, FirstCalls>;
  readonly #pulse: NodeJS.Timeout;
  readonly #taken = new Set<() => void>();
  /** What it said last. */
  #status: ProxyStatus | undefined;
  #takenUpTo = 0;

  constructor(started: StartedWorker, answers: (worker: WorkerHandle) => Handlers<FirstCalls>) {
    this.#started = started;
    this.#peer = new Peer(started.channel, answers(this));
    this.#pulse = setInterval(() => void this.#feel(), LIMITS.workerSilence.value / 2).unref();
    void this.ended.then(() => clearInterval(this.#pulse));
  }

  get call(): Peer<WorkerCalls, FirstCalls>['call'] {
    return this.#peer.call.bind(this.#peer) as Peer<WorkerCalls, FirstCalls>['call'];
  }

  get ended(): Promise<void> {
    return this.#started.channel.closed;
  }

  get isLost(): boolean {
    return this.#peer.isLost;
  }

  /** Undefined: it has not said anything yet. */
  get lastStatus(): ProxyStatus | undefined {
    return this.#status;
  }

  kill(): void {
    this.#started.kill();
  }

  /** Events up to this number are in the record. */
  took(sequence: number): void {
    this.#takenUpTo = sequence;
    for (const wake of this.#taken) wake();
    this.#taken.clear();
  }

  /** Its numbers, with every event in the record that it counts; the last ones where it takes too long or is gone. Never rejects. */
  async status(): Promise<ProxyStatus | undefined> {
    const { promise: late, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, LIMITS.workerAnswerTime.value);
    await Promise.race([this.#caughtUp(), late, this.ended]).catch(() => undefined);
    clearTimeout(timer);
    return this.#status;
  }

  async #caughtUp(): Promise<void> {
    const { lastEvent } = await this.#ask();
    while (this.#takenUpTo < lastEvent) await new Promise<void>((wake) => this.#taken.add(wake));
  }

  async #ask(): Promise<ProxyStatus> {
    const status = await this.call('report', undefined);
    this.#status = status;
    return status;
  }

  /** One that says nothing for so long turns in a loop, or is stopped. */
  async #feel(): Promise<void> {
    const { promise: late, resolve } = Promise.withResolvers<'late'>();
    const timer = setTimeout(resolve, LIMITS.workerSilence.value, 'late').unref();
    const answer = await Promise.race([this.#ask(), late]).catch(() => undefined);
    clearTimeout(timer);
    if (answer === 'late' && !this.isLost) this.kill();
  }
}
