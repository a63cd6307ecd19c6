/** Turns a name into addresses. Called by the trusted side only, for names that policy has allowed. */
export interface Resolver {
  /** All addresses, in the order of preference; throws when there are none. */
  lookup(host: string): Promise<readonly string[]>;
}

/** The machine's own resolver (`/etc/hosts` included), in its own order. */
export const systemResolver: Resolver = {
  async lookup(host) {
    const { lookup } = await import('node:dns/promises');
    const found = await lookup(host, { all: true, order: 'verbatim' });
    return found.map(({ address }) => address);
  },
};
