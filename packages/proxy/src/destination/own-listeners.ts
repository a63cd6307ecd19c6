import type { Server } from 'node:net';
import { networkInterfaces } from 'node:os';
import { canonicalAddress } from '@openshell/policy';

/**
 * The ports at which this program itself is reached: its listeners, its control, its status. A connection that went out to one of them would
 * come in as the proxy's own, from its address, and so perhaps as another tenant's than the one who made it.
 */
export class OwnListeners {
  /** How many servers have it. */
  readonly #ports: Map<number, number>;
  readonly #addresses: () => readonly string[];

  /** `ports`: those of servers that are elsewhere in the program. */
  constructor(ports: readonly number[] = [], addresses: () => readonly string[] = addressesOfMachine) {
    this.#ports = new Map(ports.map((port) => [port, 1]));
    this.#addresses = addresses;
  }

  /** From the moment at which it listens, until it is closed. */
  add(server: Server): void {
    if (server.listening) this.#count(server);
    else server.once('listening', () => this.#count(server));
  }

  /** The machine is asked for its addresses only where the port is one of these. */
  has({ address, port }: { readonly address: string; readonly port: number }): boolean {
    if (!this.#ports.has(port)) return false;
    const canonical = canonicalAddress(address);
    const own = this.#addressesNow();
    return own === undefined || own.some((one) => canonicalAddress(one) === canonical);
  }

  /** Undefined where the system does not say, as it does when there are no descriptors left to ask with. */
  #addressesNow(): readonly string[] | undefined {
    try {
      return this.#addresses();
    } catch {
      return undefined;
    }
  }

  #count(server: Server): void {
    const address = server.address();
    if (typeof address !== 'object' || address === null) return;
    const { port } = address;
    this.#ports.set(port, (this.#ports.get(port) ?? 0) + 1);
    server.once('close', () => {
      const left = (this.#ports.get(port) ?? 0) - 1;
      if (left > 0) this.#ports.set(port, left);
      else this.#ports.delete(port);
    });
  }
}

const addressesOfMachine = (): readonly string[] =>
  Object.values(networkInterfaces()).flatMap((addresses = []) => addresses.map(({ address }) => address));
