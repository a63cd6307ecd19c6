import { type Address, type Cidr, parseAddress, parseCidr } from '@openshell/policy';

const WIDTHS = { 4: 32, 6: 128 } as const;

/** RFC 4291 section 2.5.5.2: how a dual-stack socket shows an IPv4 address. */
const MAPPED_PREFIX = 96;
const MAPPED = 0xffffn;

/** Reads a network; one of mapped IPv4 addresses as the IPv4 network that it is. Undefined where it is none. */
export function parseNetwork(text: string): Cidr | undefined {
  const network = parseCidr(text);
  if (network === undefined || network.family === 4 || network.prefix < MAPPED_PREFIX) return network;
  if (network.value >> 32n !== MAPPED) return network;
  return { family: 4, value: BigInt.asUintN(32, network.value), prefix: network.prefix - MAPPED_PREFIX };
}

/** The address of a peer as Node.js shows it. */
export function parsePeer(text: string): Address | undefined {
  const zone = text.indexOf('%');
  const address = parseAddress(zone < 0 ? text : text.slice(0, zone));
  if (address?.family !== 6 || address.value >> 32n !== MAPPED) return address;
  return { family: 4, value: BigInt.asUintN(32, address.value) };
}

/** What belongs to networks. Finding costs one look-up for each length of prefix in use, however many networks there are. */
export class NetworkTable<Owner> {
  readonly #byPrefix = { 4: new Map<number, Map<bigint, Owner>>(), 6: new Map<number, Map<bigint, Owner>>() };
  /** Longest first. */
  readonly #prefixes: Record<4 | 6, readonly number[]> = { 4: [], 6: [] };

  get({ family, value, prefix }: Cidr): Owner | undefined {
    return this.#byPrefix[family].get(prefix)?.get(bitsOf(family, value, prefix));
  }

  set({ family, value, prefix }: Cidr, owner: Owner): void {
    const ofPrefix = this.#byPrefix[family].get(prefix) ?? new Map<bigint, Owner>();
    this.#byPrefix[family].set(prefix, ofPrefix.set(bitsOf(family, value, prefix), owner));
    this.#sort(family);
  }

  delete({ family, value, prefix }: Cidr): void {
    const ofPrefix = this.#byPrefix[family].get(prefix);
    ofPrefix?.delete(bitsOf(family, value, prefix));
    if (ofPrefix?.size === 0) this.#byPrefix[family].delete(prefix);
    this.#sort(family);
  }

  /** The owner of the smallest network that contains the address. */
  find({ family, value }: Address): Owner | undefined {
    for (const prefix of this.#prefixes[family]) {
      const owner = this.get({ family, value, prefix });
      if (owner !== undefined) return owner;
    }
    return undefined;
  }

  #sort(family: 4 | 6): void {
    this.#prefixes[family] = [...this.#byPrefix[family].keys()].sort((a, b) => b - a);
  }
}

const bitsOf = (family: 4 | 6, value: bigint, prefix: number): bigint =>
  value >> BigInt(WIDTHS[family] - prefix);
