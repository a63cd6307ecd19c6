import { abandon, type Dialer, type LinkConnection } from './dial.ts';
import { EDGE_LIMITS } from './limits.ts';

interface Spare {
  readonly connection: LinkConnection;
  readonly forget: () => void;
}

/**
 * Connections for the sandbox's next ones: a handshake costs both sides some milliseconds and two round trips, so after one was used a
 * few are kept ready for a while. A sandbox that asks for nothing has none.
 */
export class SpareConnections {
  readonly #dialer: Dialer;
  readonly #ready = new Set<Spare>();
  #coming = 0;
  #closed = false;

  constructor(dialer: Dialer) {
    this.#dialer = dialer;
  }

  /** Throws as `dial` does. */
  async take(): Promise<LinkConnection> {
    const [spare] = this.#ready;
    spare?.forget();
    const connection = spare?.connection ?? (await this.#dialer.dial());
    this.#refill();
    return connection;
  }

  /** They belong to a proxy that is gone. */
  drop(): void {
    for (const { connection, forget } of this.#ready) {
      forget();
      abandon(connection);
    }
  }

  close(): void {
    this.#closed = true;
    this.drop();
  }

  #refill(): void {
    while (!this.#closed && this.#ready.size + this.#coming < EDGE_LIMITS.spare) {
      this.#coming += 1;
      this.#dialer
        .dial()
        .then((connection) => this.#keep(connection))
        // Whoever needs one will hear why there is none.
        .catch(() => {})
        .finally(() => {
          this.#coming -= 1;
        });
    }
  }

  #keep(connection: LinkConnection): void {
    if (this.#closed) {
      abandon(connection);
      return;
    }
    const { socket } = connection;
    const end = (): void => {
      forget();
      abandon(connection);
    };
    const timer = setTimeout(end, EDGE_LIMITS.spareTime).unref();
    const forget = (): void => {
      clearTimeout(timer);
      this.#ready.delete(spare);
      socket.off('close', end).off('readable', end);
    };
    const spare: Spare = { connection, forget };
    this.#ready.add(spare);
    // The proxy says nothing on a connection that it has not been told the use of: what comes is its end.
    socket.once('close', end).once('readable', end);
  }
}
