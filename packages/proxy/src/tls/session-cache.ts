/** TLS sessions of upstreams, for handshakes without certificates. One for each tenant, so that no two can be linked by them. */
export class SessionCache {
  readonly #capacity: number;
  /** In the order of use. */
  readonly #sessions = new Map<string, Buffer>();

  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  /**
   * The newest session. It stays: many servers send no further ticket on a connection that used one, and that a server could link
   * connections of one tenant by it (RFC 8446 appendix C.4) tells it nothing, as they come from one address.
   */
  find(key: string): Buffer | undefined {
    const session = this.#sessions.get(key);
    if (session !== undefined) this.store(key, session);
    return session;
  }

  store(key: string, session: Buffer): void {
    this.#sessions.delete(key);
    this.#sessions.set(key, session);
    if (this.#sessions.size > this.#capacity) this.#sessions.delete(this.#sessions.keys().next().value!);
  }
}
