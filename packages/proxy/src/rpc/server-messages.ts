import type { RpcMessage } from '@openshell/policy';
import type { BodyReceiver, BodySource } from '../exchange/body.ts';
import type { ResponseHead } from '../exchange/exchange.ts';
import type { HeaderField } from '../http/request-head.ts';
import { type ByteBudget, Holding, NO_MEMORY } from '../tenant/byte-budget.ts';
import type { RpcDialect, RpcEntry, RpcId } from './messages.ts';
import { type ServerBodyLimits, type ServerPart, serverBodyReader } from './server-body.ts';

export interface ServerMessageOptions {
  readonly head: ResponseHead;
  readonly dialect: RpcDialect;
  readonly limits: ServerBodyLimits;
  /** What the tenant may hold in memory. */
  readonly budget: ByteBudget;
  /** Asked about each message, responses included, before any byte of it goes on. Never throws and never rejects. */
  readonly decide: (message: RpcMessage) => boolean | Promise<boolean>;
  /** A message has been taken out. `id` is undefined for a notification; nobody answers the server (see README). */
  readonly onRefused: (message: RpcMessage, id: RpcId | undefined) => void;
}

/**
 * The body of a response without the messages that are not allowed. Its length is not known beforehand. A JSON answer that
 * consists of refused messages, and whatever cannot be understood, ends the body as a failure.
 */
export function filterServerMessages(source: BodySource, options: ServerMessageOptions): BodySource {
  return new FilteredBody(source, options);
}

class FilteredBody implements BodySource {
  readonly length = undefined;
  readonly #source: BodySource;
  readonly #options: ServerMessageOptions;
  /** Of the message that is being read. */
  readonly #held: Holding;
  /** Understood and not delivered yet: what one call of the source brought, at most. */
  #parts: ServerPart[] = [];
  /** Set once the source has ended. */
  #trailers: readonly HeaderField[] | undefined;
  #receiver: BodyReceiver | undefined;
  #deciding = false;
  #full = false;
  #sourcePaused = false;
  #done = false;

  constructor(source: BodySource, options: ServerMessageOptions) {
    this.#source = source;
    this.#options = options;
    this.#held = new Holding(options.budget);
  }

  start(receiver: BodyReceiver): void {
    this.#receiver = receiver;
    const { head, dialect, limits } = this.#options;
    const reader = serverBodyReader(head, dialect, limits);
    const held = this.#held;
    this.#source.start({
      data: (bytes) => {
        if (this.#done) return false;
        this.#parts.push(...reader.push(bytes));
        if (!held.holds(reader.held)) this.#parts.push({ kind: 'fault', reason: NO_MEMORY.detail });
        this.#deliver();
        this.#sourcePaused = this.#busy;
        return !this.#busy;
      },
      end: (trailers) => {
        if (this.#done) return;
        this.#parts.push(...reader.end());
        held.release();
        this.#trailers = trailers;
        this.#deliver();
      },
      fail: (reason) => this.#fail(reason),
    });
  }

  resume(): void {
    this.#full = false;
    this.#continue();
  }

  cancel(): void {
    if (this.#done) return;
    this.#done = true;
    this.#held.release();
    this.#parts = [];
    this.#source.cancel();
  }

  get #busy(): boolean {
    return this.#done || this.#deciding || this.#full;
  }

  #continue(): void {
    this.#deliver();
    if (this.#busy || !this.#sourcePaused) return;
    this.#sourcePaused = false;
    this.#source.resume();
  }

  #deliver(): void {
    while (!this.#busy) {
      const part = this.#parts.shift();
      if (!part) break;
      this.#deliverPart(part);
    }
    if (this.#busy || !this.#trailers) return;
    this.#done = true;
    this.#receiver?.end(this.#trailers);
  }

  #deliverPart(part: ServerPart): void {
    switch (part.kind) {
      case 'plain':
        this.#write(part.bytes);
        break;
      case 'messages':
        this.#deliverMessages(part);
        break;
      case 'fault':
        this.#stop(`what the server sent cannot be passed on: ${part.reason}`);
        break;
      default:
        part satisfies never;
    }
  }

  #deliverMessages(part: Extract<ServerPart, { kind: 'messages' }>): void {
    const kept = this.#allowed(part.text.entries);
    if (!(kept instanceof Promise)) {
      this.#writeKept(part, kept);
      return;
    }
    this.#deciding = true;
    kept.then(
      (entries) => {
        this.#deciding = false;
        if (this.#done) return;
        this.#writeKept(part, entries);
        this.#continue();
      },
      () => this.#stop('a message of the server could not be decided about'),
    );
  }

  /** Waits only where the rules are elsewhere. */
  #allowed(entries: readonly RpcEntry[]): readonly RpcEntry[] | Promise<readonly RpcEntry[]> {
    const answers = entries.map(({ message }) => this.#options.decide(message));
    const keep = (verdicts: readonly boolean[]): readonly RpcEntry[] => {
      const kept = entries.filter((_, index) => verdicts[index]);
      if (this.#done) return kept;
      for (const entry of entries)
        if (!kept.includes(entry)) this.#options.onRefused(entry.message, entry.id);
      return kept;
    };
    return answers.every((answer) => typeof answer === 'boolean')
      ? keep(answers)
      : Promise.all(answers).then(keep);
  }

  #writeKept(part: Extract<ServerPart, { kind: 'messages' }>, kept: readonly RpcEntry[]): void {
    if (kept.length > 0) this.#write(part.write(kept));
    else if (part.onlyPart) this.#stop('policy refuses what the server sent');
  }

  #write(bytes: Buffer): void {
    if (!this.#receiver?.data(bytes)) this.#full = true;
  }

  /** Nothing more goes through: the client gets less than everything, and can tell. */
  #stop(reason: string): void {
    if (this.#done) return;
    this.#source.cancel();
    this.#fail(reason);
  }

  #fail(reason: string): void {
    if (this.#done) return;
    this.#done = true;
    this.#held.release();
    this.#parts = [];
    this.#receiver?.fail(reason);
  }
}
