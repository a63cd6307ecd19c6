import { OpenShellError, sandboxId } from '@openshell/base';
import {
  ControlRefusal,
  type ControlSession,
  connectProxy,
  type EventCursor,
  keepConnected,
  type ProxyControl,
} from '@openshell/control';
import type { Arguments } from '../command/arguments.ts';
import type { Handler } from '../handlers.ts';
import type { Io } from '../io.ts';
import { printable } from '../output/printable.ts';
import { type Beginning, beginningOf } from './cursor.ts';
import { printJsonLine, printTextLine } from './event-lines.ts';
import { Interruption } from './interruption.ts';
import { controlTarget } from './target.ts';
import { helloOf, visit } from './visit.ts';

/** As long as a timer can wait: nobody is late while there are events to print. */
const UNHURRIED_SECONDS = 2_147_483;

/** `openshell proxyctl events`: 0 when all is printed; with `--follow` it ends by a signal, as which it exits. */
export const showEvents: Handler = async (args, io) => {
  const reader = new EventReader(args, io);
  using interruption = new Interruption();
  const { signal } = interruption;
  if (args.has('follow')) await follow(connectProxy(controlTarget(args, io.env)), reader, signal);
  else
    await visit({ args, io, role: 'observer', seconds: UNHURRIED_SECONDS }, (session) =>
      reader.read(session, signal),
    );
  return interruption.exitCode ?? 0;
};

/** Prints events, and knows which was the last one, whatever session it came from. */
class EventReader {
  readonly args: Arguments;
  readonly io: Io;
  readonly #beginning: Beginning;
  #last: EventCursor | undefined;

  /** @throws OpenShellError with code `usage`. */
  constructor(args: Arguments, io: Io) {
    this.args = args;
    this.io = io;
    this.#beginning = beginningOf(args.value('after'));
  }

  async read(session: ControlSession, signal: AbortSignal): Promise<void> {
    const { args, io } = this;
    const tenants = args.values('tenant').map(sandboxId);
    const print = args.has('json') ? printJsonLine : printTextLine;
    this.#last ??= await this.#begin(session);
    const events = session.events({
      after: this.#last,
      tenants: tenants.length === 0 ? undefined : tenants,
      denialsOnly: args.has('denials'),
      follow: args.has('follow'),
      signal,
    });
    for await (const event of events) {
      print(event, io);
      this.#last = event.cursor;
    }
  }

  async #begin(session: ControlSession): Promise<EventCursor> {
    const { instance } = session.hello;
    switch (this.#beginning.kind) {
      case 'after':
        return this.#beginning.cursor;
      case 'oldest':
        return { instance, sequence: 0 };
      case 'newest':
        return { instance, sequence: (await session.status()).lastEvent };
    }
  }
}

/** Goes on through losses of the connection and new starts of the proxy. One that was never there is an error. */
const follow = async (control: ProxyControl, reader: EventReader, signal: AbortSignal): Promise<void> => {
  const { args, io } = reader;
  let state: 'never' | 'connected' | 'waiting' = 'never';
  await keepConnected({
    control,
    hello: helloOf('observer', args),
    signal,
    onSession: async (session) => {
      if (state === 'waiting') io.err('openshell: connected again\n');
      state = 'connected';
      await reader.read(session, signal).catch((thrown: unknown) => {
        if (!signal.aborted) throw lasting(thrown);
      });
    },
    onWaiting: (refusal) => {
      if (state === 'never') throw refusal;
      // Once for all attempts.
      if (state === 'connected') io.err(`openshell: ${printable(refusal.message)}; connecting again\n`);
      state = 'waiting';
    },
  });
};

/** What another session would be refused as well is no reason to connect again. */
const lasting = (thrown: unknown): unknown => {
  if (!(thrown instanceof ControlRefusal)) return thrown;
  const { code, message } = thrown;
  if (code === 'unavailable' || code === 'session_ended') return thrown;
  return new OpenShellError(message, { code, cause: thrown });
};
