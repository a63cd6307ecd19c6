import { messageOf, OpenShellError } from '@openshell/base';
import { CONTROL_CODES, type ControlProblem, ControlRefusal } from '@openshell/control';
import type { Channel } from './channel.ts';

/** What one side can be asked: each call takes one value and answers with one. */
export type Calls<Names extends string = string> = { readonly [Name in Names]: (argument: never) => unknown };

type Argument<Call> = Call extends (argument: infer Value) => unknown ? Value : never;
type Answer<Call> = Call extends (argument: never) => infer Value ? Awaited<Value> : never;

/** How one side answers. */
export type Handlers<Own extends Calls<keyof Own & string>> = {
  readonly [Name in keyof Own]: (
    argument: Argument<Own[Name]>,
  ) => Answer<Own[Name]> | Promise<Answer<Own[Name]>>;
};

/** The other process is gone: nobody knows how far it had come. */
export class PeerLost extends ControlRefusal {
  constructor() {
    super('a worker of the proxy has ended', {
      code: 'unavailable',
      remedy: 'Ask again: it is being replaced.',
    });
  }
}

type Message =
  | { readonly kind: 'call'; readonly id: number; readonly name: string; readonly argument: never }
  | { readonly kind: 'answer'; readonly id: number; readonly value: unknown }
  | { readonly kind: 'refusal'; readonly id: number; readonly refusal: WrittenRefusal };

interface WrittenRefusal {
  readonly code: string;
  readonly message: string;
  readonly remedy: string | undefined;
  readonly problems: readonly ControlProblem[];
}

interface Waiting {
  readonly resolve: (value: never) => void;
  readonly reject: (thrown: unknown) => void;
}

/** Asks the other side and answers what it asks. Both are processes of one program, so what they say is believed. */
export class Peer<Theirs extends Calls<keyof Theirs & string>, Own extends Calls<keyof Own & string>> {
  readonly #channel: Channel;
  readonly #own: Handlers<Own>;
  readonly #waiting = new Map<number, Waiting>();
  #lastId = 0;
  #isLost = false;

  constructor(channel: Channel, own: Handlers<Own>) {
    this.#channel = channel;
    this.#own = own;
    channel.receive((message) => this.#receive(message as Message));
    void channel.closed.then(() => this.#lose());
  }

  get isLost(): boolean {
    return this.#isLost;
  }

  /** Throws what the other side throws, as `ControlRefusal`, or `PeerLost`. */
  call<Name extends keyof Theirs & string>(
    name: Name,
    argument: Argument<Theirs[Name]>,
  ): Promise<Answer<Theirs[Name]>> {
    if (this.#isLost) return Promise.reject(new PeerLost());
    this.#lastId += 1;
    const id = this.#lastId;
    const { promise, resolve, reject } = Promise.withResolvers<Answer<Theirs[Name]>>();
    this.#waiting.set(id, { resolve, reject });
    this.#send({ kind: 'call', id, name, argument: argument as never });
    return promise;
  }

  #receive(message: Message): void {
    switch (message.kind) {
      case 'call':
        void this.#answer(message.id, message.name, message.argument);
        return;
      case 'answer':
        this.#settle(message.id)?.resolve(message.value as never);
        return;
      case 'refusal':
        this.#settle(message.id)?.reject(readRefusal(message.refusal));
        return;
      default:
        message satisfies never;
    }
  }

  async #answer(id: number, name: string, argument: never): Promise<void> {
    try {
      const value = await this.#own[name as keyof Own](argument);
      this.#send({ kind: 'answer', id, value });
    } catch (thrown) {
      this.#send({ kind: 'refusal', id, refusal: writeRefusal(thrown) });
    }
  }

  #send(message: Message): void {
    this.#channel.send(message);
  }

  #settle(id: number): Waiting | undefined {
    const waiting = this.#waiting.get(id);
    this.#waiting.delete(id);
    return waiting;
  }

  #lose(): void {
    this.#isLost = true;
    for (const { reject } of this.#waiting.values()) reject(new PeerLost());
    this.#waiting.clear();
  }
}

const writeRefusal = (thrown: unknown): WrittenRefusal => {
  const { code, remedy } =
    thrown instanceof OpenShellError ? thrown : { code: 'internal', remedy: undefined };
  const problems = thrown instanceof ControlRefusal ? thrown.problems : [];
  return { code, message: messageOf(thrown), remedy, problems };
};

const readRefusal = ({ code, message, remedy, problems }: WrittenRefusal): ControlRefusal =>
  new ControlRefusal(message, {
    code: CONTROL_CODES.find((known) => known === code) ?? 'internal',
    ...(remedy !== undefined && { remedy }),
    problems,
  });
