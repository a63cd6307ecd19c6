import type { Server, Socket } from 'node:net';
import { findingEvent, type SecurityEvent } from '@openshell/audit';
import { SOCKS4_DETAIL } from '../adapters/explicit.ts';
import { readOpening } from '../adapters/opening.ts';
import { flowOf } from '../evidence.ts';
import { renderAnswer } from '../http/answer.ts';
import { FAULT_NAMES, type RequestHead } from '../http/request-head.ts';
import type { Limits } from '../limits.ts';
import { endGently, ignoreError } from '../relay/linger.ts';
import { reset } from '../relay/reset.ts';
import { agree } from '../socks/agreement.ts';
import { SOCKS4_REJECTED } from '../socks/messages.ts';
import { Tally } from '../tally.ts';
import type { Adoption, ReadRequest } from '../tenant/adoption.ts';
import { Throttle } from '../tenant/throttle.ts';
import { detailOf, renderUnrecognised } from './answers.ts';
import { saidBy } from './credentials.ts';
import type { Recognisable, TenantDirectory } from './directory.ts';
import { placeOf } from './place-of.ts';
import type { Recognised, Unrecognised } from './recognise.ts';

export interface IngressOptions {
  readonly directory: TenantDirectory;
  readonly limits: Limits;
  /** Told of who was turned away; of no tenant, since there is none. Must not throw and must not wait. */
  readonly events?: (event: SecurityEvent) => unknown;
}

/** Why somebody was turned away who has no tenant. */
interface TurnedAway {
  readonly code: Unrecognised | 'too_many' | 'malformed';
  readonly address: string;
  readonly detail: string;
}

/** A connection of which it is not known yet whose it is. */
interface Newcomer {
  readonly socket: Socket;
  readonly address: string;
}

/** Serves listeners that tenants share: finds out whose a connection is, and hands it over. */
export class Ingress {
  readonly #options: IngressOptions;
  readonly #servers = new Set<Server>();
  readonly #newcomers = new Set<Socket>();
  readonly #byAddress = new Tally();
  readonly #turnedAway: Throttle<TurnedAway>;
  #closing = false;
  #onEmpty: (() => void) | undefined;

  constructor(options: IngressOptions) {
    const { limits, events = () => {} } = options;
    this.#options = options;
    this.#turnedAway = new Throttle({
      maxKinds: limits.refusalKinds,
      windowMs: limits.refusalWindow,
      emit: (turnedAway, count) => events(eventOf(turnedAway, count)),
    });
  }

  /** Accepts at a listener from now on, and closes it in the end. */
  serve(server: Server): void {
    this.#servers.add(server);
    // Running out of descriptors must not end the process; Node goes on accepting by itself.
    server.on('error', ignoreError);
    server.on('connection', (socket: Socket) => this.#accept(socket));
  }

  /** Connections of which it is not known yet whose they are. */
  get newcomers(): number {
    return this.#newcomers.size;
  }

  /**
   * Stops listening. Who has connected already is still handed over; resolves when that is done for all, which takes no longer than
   * they may take to say who they are.
   */
  close(): Promise<void> {
    this.#closing = true;
    for (const server of this.#servers) server.close();
    const { promise, resolve } = Promise.withResolvers<void>();
    const before = this.#onEmpty;
    this.#onEmpty = () => {
      before?.();
      resolve();
    };
    this.#tellWhenEmpty();
    return promise;
  }

  /** Ends those that have no tenant yet, too. */
  destroy(): void {
    void this.close();
    for (const socket of this.#newcomers) socket.destroy();
    this.#turnedAway.flush();
  }

  #accept(socket: Socket): void {
    socket.on('error', ignoreError);
    const address = flowOf(socket)?.clientAddress;
    if (address === undefined) {
      socket.destroy();
      return;
    }
    const recognised = this.#options.directory.recognise(address);
    // Nothing was read, and the tenant reads in its own time.
    if (recognised.kind === 'owner') {
      recognised.owner.adopt(socket, { kind: 'explicit' });
      return;
    }
    if (!this.#admit(socket, address)) {
      reset(socket);
      this.#report('too_many', address, 'too many connections that do not say whose they are');
      return;
    }
    const newcomer = { socket, address };
    const served = recognised.kind === 'read' ? this.#read(newcomer) : this.#refuse(newcomer, recognised.why);
    served.catch(() => socket.destroy());
  }

  #admit(socket: Socket, address: string): boolean {
    const { ingressConnections, ingressConnectionsPerAddress } = this.#options.limits;
    if (this.#newcomers.size >= ingressConnections) return false;
    if (!this.#byAddress.take(placeOf(address), ingressConnectionsPerAddress)) return false;
    this.#newcomers.add(socket);
    socket.once('close', () => this.#leave({ socket, address }));
    return true;
  }

  /** It has a tenant now, or is gone. */
  #leave({ socket, address }: Newcomer): void {
    if (!this.#newcomers.delete(socket)) return;
    this.#byAddress.giveBack(placeOf(address));
    this.#tellWhenEmpty();
  }

  #tellWhenEmpty(): void {
    if (this.#closing && this.#newcomers.size === 0) this.#onEmpty?.();
  }

  async #read(newcomer: Newcomer): Promise<void> {
    const { socket, address } = newcomer;
    const { limits } = this.#options;
    const opening = await readOpening(socket, limits);
    switch (opening.kind) {
      case 'gone':
        socket.destroy();
        return;
      case 'fault': {
        const { status, detail } = opening.fault;
        this.#report('malformed', address, detail);
        return endGently(
          socket,
          renderAnswer({ status, body: { error: FAULT_NAMES[status], detail } }),
          limits,
        );
      }
      case 'socks4':
        this.#report('malformed', address, SOCKS4_DETAIL);
        return endGently(socket, SOCKS4_REJECTED, limits);
      case 'socks5':
        return this.#readSocks5(newcomer, opening.initial);
      case 'head':
        return this.#readHead(newcomer, opening);
      default:
        return opening satisfies never;
    }
  }

  #readHead(newcomer: Newcomer, first: ReadRequest): Promise<void> {
    const { address } = newcomer;
    const { directory } = this.#options;
    const recognised = directory.recognise(address, saidBy(first.head));
    if (recognised.kind !== 'owner') return this.#refuse(newcomer, whyOf(recognised));
    const { owner } = recognised;
    const admit = (head: RequestHead): Buffer | undefined => {
      const again = directory.recognise(address, saidBy(head));
      if (again.kind === 'owner' && again.owner === owner) return undefined;
      const why = again.kind === 'owner' ? 'credentials_wrong' : whyOf(again);
      this.#report(why, address, 'another user, or none, on a connection that is in use');
      return renderUnrecognised(why);
    };
    this.#handOver(newcomer, owner, { kind: 'explicit', first, admit });
    return DONE;
  }

  async #readSocks5(newcomer: Newcomer, initial: Buffer): Promise<void> {
    const { socket, address } = newcomer;
    const { directory, limits } = this.#options;
    const late = new AbortController();
    const timer = setTimeout(() => late.abort(), limits.headTime);
    let why: Unrecognised = 'credentials_missing';
    const agreement = await agree<Recognisable>({
      ...{ socket, initial, signal: late.signal },
      // A client that has credentials is to be who it says, and only then anybody.
      choose: ({ none, password }) => (password ? 'password' : none ? 'none' : undefined),
      recognise: (given) => {
        const said =
          given === undefined ? ({ kind: 'nothing' } as const) : { kind: 'given' as const, ...given };
        const recognised = directory.recognise(address, said);
        if (recognised.kind === 'owner') return recognised.owner;
        why = whyOf(recognised);
        return undefined;
      },
    });
    clearTimeout(timer);
    switch (agreement.kind) {
      case 'gone':
      case 'late':
        socket.destroy();
        return;
      case 'malformed':
        this.#report('malformed', address, agreement.detail);
        return endGently(socket, NOTHING, limits);
      case 'refused':
        this.#report(why, address, detailOf(why));
        return endGently(socket, agreement.answer, limits);
      case 'agreed':
        this.#handOver(newcomer, agreement.who, { kind: 'socks5', initial: agreement.rest });
        return;
      default:
        return agreement satisfies never;
    }
  }

  #handOver(newcomer: Newcomer, owner: Recognisable, adoption: Adoption): void {
    owner.adopt(newcomer.socket, adoption);
    this.#leave(newcomer);
  }

  #refuse({ socket, address }: Newcomer, why: Unrecognised): Promise<void> {
    this.#report(why, address, detailOf(why));
    return endGently(socket, renderUnrecognised(why), this.#options.limits);
  }

  /** Never says which user name was tried: people type passwords there, too. */
  #report(code: TurnedAway['code'], address: string, detail: string): void {
    this.#turnedAway.add(`${code}\0${address}`, { code, address, detail });
  }
}

const NOTHING = Buffer.alloc(0);
const DONE = Promise.resolve();

const whyOf = (recognised: Exclude<Recognised<Recognisable>, { kind: 'owner' }>): Unrecognised =>
  recognised.kind === 'nobody' ? recognised.why : 'credentials_missing';

const eventOf = ({ code, address, detail }: TurnedAway, count: number): SecurityEvent =>
  findingEvent({
    uid: 'tenant-unrecognised',
    title: "A connection was turned away that is no tenant's",
    description: detail,
    severity: 'low',
    action: 'denied',
    count,
    unmapped: { code, client: address, count },
  });
