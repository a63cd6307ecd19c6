import type { Socket } from 'node:net';
import type { TenantLimits, TenantReport } from '@openshell/control';
import { dial, finish, headOf, statusOf, type Way } from '../proxy/wire.ts';
import { BODIES, MAX_BODY, ORIGIN, PORT, TUNNEL } from './many-tenants.ts';

/** Attempts beyond the bound, per second. */
export const ATTEMPTS_PER_SECOND = 100;

/** A tenant that has used up one of its bounds, and goes on asking for more. */
export interface Neighbour {
  readonly name: string;
  readonly limits: TenantLimits;
  /** Uses up the bound. What it holds is let go by its owner. */
  readonly fill: (way: Way) => Promise<readonly Socket[]>;
  /** Once more, beyond the bound. */
  readonly attempt: (way: Way) => Promise<void>;
  /** Whether the proxy has had to refuse it something because of that bound. */
  readonly wasAtBound: (report: TenantReport) => boolean;
}

const CONNECTIONS = 256;
const HELD_BODIES = 8;
const EVENTS_PER_SECOND = 20;

const tunnelHead = (way: Way): string => headOf(way, 'CONNECT', `${TUNNEL}:${PORT}`);
const bodyHead = (way: Way): string =>
  headOf(way, 'POST', `http://${BODIES}/graphql`, [
    'Content-Type: application/json',
    `Content-Length: ${MAX_BODY}`,
  ]);

/** Opens a connection, sends this, and expects this status. */
async function expect(way: Way, head: string, status: number): Promise<Socket> {
  const socket = await dial(way);
  socket.write(head);
  const got = await statusOf(socket);
  if (got === status) return socket;
  socket.destroy();
  throw new Error(`a neighbour was answered ${got} instead of ${status}`);
}

const refused =
  (head: (way: Way) => string, status: number) =>
  async (way: Way): Promise<void> =>
    finish(await expect(way, head(way), status));

export const NEIGHBOURS: readonly Neighbour[] = [
  {
    name: 'a neighbour at its connection bound',
    limits: { connections: CONNECTIONS },
    fill: async (way) => {
      const open: Socket[] = [];
      while (open.length < CONNECTIONS) {
        const socket = await expect(way, tunnelHead(way), 200);
        socket.setTimeout(0);
        open.push(socket);
      }
      return open;
    },
    attempt: refused(tunnelHead, 503),
    wasAtBound: ({ counters }) => counters.shed > 0,
  },
  {
    name: 'a neighbour at its memory bound',
    limits: { heldBytes: HELD_BODIES * MAX_BODY },
    fill: async (way) => {
      const open: Socket[] = [];
      while (open.length < HELD_BODIES) {
        const socket = await dial(way);
        socket.setTimeout(0);
        socket.write(bodyHead(way));
        // All but the last byte, for which the proxy waits.
        await new Promise((written) => socket.write(Buffer.alloc(MAX_BODY - 1, ' '), written));
        open.push(socket);
      }
      return open;
    },
    attempt: refused(bodyHead, 503),
    wasAtBound: ({ heldBytes }) => heldBytes >= HELD_BODIES * MAX_BODY,
  },
  {
    name: 'a neighbour at its event bound',
    limits: { eventsPerSecond: EVENTS_PER_SECOND },
    fill: async () => [],
    attempt: refused((way) => headOf(way, 'GET', `http://${ORIGIN}/of-nobody`, ['Connection: close']), 403),
    wasAtBound: ({ counters }) => counters.eventsLost > 0,
  },
];

/** Goes on asking until it is disposed of. */
export class Pressure implements AsyncDisposable {
  readonly #held: readonly Socket[];
  readonly #timer: NodeJS.Timeout;
  readonly #attempts = new Set<Promise<void>>();
  #failure: unknown;

  static async begin(neighbour: Neighbour, way: Way): Promise<Pressure> {
    return new Pressure(neighbour, way, await neighbour.fill(way));
  }

  private constructor({ attempt }: Neighbour, way: Way, held: readonly Socket[]) {
    this.#held = held;
    this.#timer = setInterval(() => {
      const one = attempt(way)
        .catch((thrown: unknown) => {
          this.#failure ??= thrown;
        })
        .finally(() => this.#attempts.delete(one));
      this.#attempts.add(one);
    }, 1000 / ATTEMPTS_PER_SECOND);
  }

  /** Throws where an attempt did not end as it should. */
  async [Symbol.asyncDispose](): Promise<void> {
    clearInterval(this.#timer);
    await Promise.all(this.#attempts);
    const closed = this.#held.map((socket) => new Promise((done) => socket.destroy().once('close', done)));
    await Promise.all(closed);
    if (this.#failure !== undefined) throw this.#failure;
  }
}
