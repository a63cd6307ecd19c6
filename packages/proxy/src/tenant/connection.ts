import type { Socket } from 'node:net';
import { messageOf } from '@openshell/base';
import {
  type ConnectDecision,
  checkDestination,
  type DestinationVerdict,
  type Evidence,
  type Intent,
} from '@openshell/policy';
import type { Target } from '../destination/plan.ts';
import { type Flow, flowOf } from '../evidence.ts';
import { ignoreError } from '../relay/linger.ts';
import type { RelayHandle } from '../relay/relay-handle.ts';
import { reset } from '../relay/reset.ts';
import { ConnectionTrace } from '../tracing/connection-trace.ts';
import type { Adoption, AdoptionKind } from './adoption.ts';

export type AllowDecision = Extract<ConnectDecision, { action: 'allow' }>;

/** What a connection was allowed, kept so that a new policy can be asked again. */
export interface Grant {
  readonly intent: Intent;
  readonly decision: AllowDecision;
  /** The address in use, once there is one. */
  readonly target?: Target;
  /** The operator named the address. */
  readonly overridden?: boolean;
}

/** Whether the address in use is one that the grant's decision allows. What the operator named always is. */
export function checkTarget({ intent, decision, target, overridden }: Grant): DestinationVerdict {
  if (target === undefined || overridden === true) return { ok: true };
  const { host, port } = intent;
  return checkDestination([target.address], { ...decision.destination, host, port });
}

/** Made once: an error with its stack is costly, and this one is the ordinary end of an attempt. */
const CLIENT_GONE = new Error('the client closed the connection');

/** One accepted connection of a sandbox, from accept to close. */
export class Connection {
  readonly adapter: AdoptionKind;
  readonly socket: Socket;
  readonly flow: Flow | undefined;
  /** Who asks, where whoever accepted the connection knew. */
  readonly evidence: Evidence | undefined;
  grant: Grant | undefined;
  /** Where it stands in traces. */
  readonly trace = new ConnectionTrace();
  /** True until bytes flow to a destination. */
  handshaking = true;
  /** Why policy allows it no longer, once that is so. */
  revoked: string | undefined;
  readonly #abort = new AbortController();
  #opened = false;
  #relay: RelayHandle | undefined;
  #draining = false;
  #report: (() => void) | undefined;
  #over = false;

  constructor(socket: Socket, adoption: Adoption) {
    this.adapter = adoption.kind;
    this.socket = socket;
    this.flow = adoption.flow ?? flowOf(socket);
    this.evidence = adoption.evidence;
    // Half-close is passed on, whatever the server that accepted was told (it can be changed until 'end').
    socket.allowHalfOpen = true;
    socket.on('error', ignoreError);
    socket.once('close', () => {
      if (this.handshaking || this.#opened) this.#abort.abort(CLIENT_GONE);
    });
    socket.setNoDelay(true);
  }

  /** Aborted when nobody waits for this connection any more, with the reason. */
  get signal(): AbortSignal {
    return this.#abort.signal;
  }

  /** Nobody looks into it. */
  get isRaw(): boolean {
    return !this.#opened;
  }

  /** Its requests are looked into: what they wait for ends with the client. */
  opened(): void {
    this.#opened = true;
  }

  /** What it speaks cannot be looked into, and may pass nevertheless. */
  leftUnread(): void {
    this.#opened = false;
  }

  /** A new policy allows the connection as such. */
  reconsider(): void {
    this.#relay?.reconsider();
  }

  /** Its proxy stops. What is not under way yet comes about, and ends as soon as it may. */
  drain(): void {
    this.#draining = true;
    this.#relay?.drain();
  }

  /** From now on this relay is what a revocation ends. */
  relaying(relay: RelayHandle): void {
    this.#relay = relay;
    if (this.revoked !== undefined) relay.abort(this.revoked);
    else if (this.#draining) relay.drain();
  }

  /** Called once, when nothing of it is left and before `ended` resolves. */
  atEnd(report: () => void): void {
    if (this.#over) report();
    else this.#report = report;
  }

  /** Resolves when nothing of it is left, its upstream included. */
  async ended(): Promise<void> {
    if (!this.socket.closed) await new Promise((resolve) => this.socket.once('close', resolve));
    await this.#relay?.done;
    this.#over = true;
    this.#report?.();
    this.#report = undefined;
  }

  /** Why it did not end by itself; undefined where it did. */
  get cutShort(): string | undefined {
    const { reason } = this.signal;
    if (reason === undefined || reason === CLIENT_GONE) return this.socket.errored?.message;
    return messageOf(reason);
  }

  /** Ends what policy no longer allows: a tunnel at once; an attempt under way by being refused in its protocol. */
  revoke(reason: string): void {
    this.revoked ??= reason;
    this.#abort.abort(new Error(reason));
    this.#relay?.abort(reason);
  }

  /** Ends everything without an answer. */
  destroy(reason: string): void {
    this.#abort.abort(new Error(reason));
    this.#relay?.abort(reason);
    reset(this.socket);
  }
}
