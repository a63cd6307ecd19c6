import { sandboxId } from '@openshell/base';
import type { ControlEvent, EventCursor, RotationStep } from '@openshell/control';
import type { ControlledProxy } from '../proxy/controlled-proxy.ts';
import { dial, headOf, statusOf } from '../proxy/wire.ts';
import { ECHO_PORT, HOSTS, policyOf, type World } from './world.ts';

const ROTATION: readonly RotationStep[] = ['prepare', 'activate', 'retire'];
const GUEST_FROM = '127.0.0.2';

/** What controllers do to a proxy while it serves: policies, rotations, tenants that come and go, readers of events. */
export class Upheaval {
  readonly #proxy: ControlledProxy;
  readonly #world: World;
  readonly #tenant: string;
  #edition = 1;
  #rotation = 0;
  #guests = 0;
  #cursor: EventCursor;

  constructor(proxy: ControlledProxy, world: World, tenant: string) {
    this.#proxy = proxy;
    this.#world = world;
    this.#tenant = tenant;
    this.#cursor = { instance: proxy.session.hello.instance, sequence: 0 };
  }

  /** One of each. */
  async once(): Promise<void> {
    await this.#newPolicy();
    await this.#rotate();
    await this.#guest();
    await this.#follow();
  }

  async #newPolicy(): Promise<void> {
    this.#edition += 1;
    await this.#proxy.apply(this.#tenant, policyOf(this.#edition));
  }

  async #rotate(): Promise<void> {
    const step = ROTATION[this.#rotation++ % ROTATION.length]!;
    await this.#proxy.session.rotateAuthority(step);
    // What a client learns once it is prepared is all that it needs while it lasts.
    if (step === 'prepare') await this.#world.learnTrust();
  }

  /** A tenant that uses the proxy, and is removed with a connection open. */
  async #guest(): Promise<void> {
    this.#guests += 1;
    const id = sandboxId(`guest-${this.#guests}`);
    const { session, port } = this.#proxy;
    await session.registerTenant({
      id,
      recognitions: [
        { kind: 'source', network: `${GUEST_FROM}/32` },
        { kind: 'listener', host: '127.0.0.1', port: 0 },
      ],
      identity: 'not-required',
    });
    await this.#proxy.apply(id, policyOf(this.#guests));
    const way = { port, from: GUEST_FROM };
    const socket = await dial(way);
    const closed = new Promise<void>((done) => socket.once('close', () => done()));
    socket.write(headOf(way, 'CONNECT', `${HOSTS.echo}:${ECHO_PORT}`));
    const status = await statusOf(socket);
    if (status !== 200) throw new Error(`a guest was answered ${status}`);
    socket.resume();
    await session.removeTenant(id);
    socket.end();
    await closed;
  }

  /** A reader of events that comes back and goes on where it was, and one that ends in the middle. */
  async #follow(): Promise<void> {
    await using reader = await this.#proxy.observe();
    for await (const one of reader.events({ after: this.#cursor, follow: false })) this.#cursor = one.cursor;
    const leaving = reader.events({ after: this.#cursor, follow: true })[Symbol.asyncIterator]();
    const next: Promise<IteratorResult<ControlEvent>> = leaving.next();
    await this.#newPolicy();
    await next;
  }
}
