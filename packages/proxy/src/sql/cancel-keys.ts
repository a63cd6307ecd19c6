/** What a cancellation needs to know about the session that it is for. */
export interface CancelTarget {
  /** The session's leg to the server has TLS, so that its cancellation has too. */
  readonly tls: boolean;
}

/**
 * The keys by which running statements of one tenant can be cancelled. A CancelRequest is not authenticated otherwise and comes
 * on a connection of its own, so it is passed on only for a session that goes through this proxy for this tenant.
 */
export class CancelKeys {
  readonly #targets = new Map<string, CancelTarget>();

  /** `key`: process id and secret as BackendKeyData has them. Returns what forgets it. */
  add(server: string, key: Buffer, target: CancelTarget): () => void {
    const name = nameOf(server, key);
    this.#targets.set(name, target);
    return () => {
      if (this.#targets.get(name) === target) this.#targets.delete(name);
    };
  }

  find(server: string, key: Buffer): CancelTarget | undefined {
    return this.#targets.get(nameOf(server, key));
  }
}

const nameOf = (server: string, key: Buffer): string => `${server} ${key.toString('hex')}`;
