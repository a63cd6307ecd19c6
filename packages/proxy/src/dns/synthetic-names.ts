/**
 * Stand-in addresses for names. A sandbox never learns a real address: it gets one of these, connects to it, and is
 * known by it to want that name. IPv4 ones are from 198.18.0.0/15 (RFC 2544, benchmarking: never a real destination),
 * IPv6 ones from fdc3:7a5e:91d4::/48 (RFC 4193; its 40 bits were drawn at random once, for all OpenShells, since
 * these addresses exist in no network). The same number stands behind both families of a name.
 */

const V4_BASE = (198 << 24) | (18 << 16);
const V4_SIZE = 1 << 17;
const V6_PREFIX = 'fdc3:7a5e:91d4::';
/** The first and last address of the IPv4 block look like a network and a broadcast address to some programs. */
const FIRST = 1;
const LAST = V4_SIZE - 2;

export interface SyntheticAddresses {
  /** Four bytes. */
  readonly v4: Buffer;
  /** Sixteen bytes. */
  readonly v6: Buffer;
}

export class SyntheticNames {
  readonly #capacity: number;
  /** In the order of last use, oldest first: a Map keeps the order of insertion. */
  readonly #numbers = new Map<string, number>();
  readonly #names = new Map<number, string>();
  #next = FIRST;

  /** `capacity` names at a time, far fewer than there are addresses, so that a forgotten one rests before it returns. */
  constructor(capacity: number) {
    this.#capacity = Math.max(1, Math.min(capacity, V4_SIZE / 4));
  }

  get size(): number {
    return this.#numbers.size;
  }

  /** The addresses of a name, the same ones as long as it is remembered. */
  addressesOf(name: string): SyntheticAddresses {
    const number = this.#touch(name) ?? this.#assign(name);
    const v4 = Buffer.alloc(4);
    v4.writeInt32BE(V4_BASE | number);
    const v6 = Buffer.from('fdc37a5e91d400000000000000000000', 'hex');
    v6.writeUInt32BE(number, 12);
    return { v4, v6 };
  }

  /** The name behind an address (IPv6 in canonical form); undefined when the address stands for no name now. */
  nameOf(address: string): string | undefined {
    const number = numberOf(address);
    const name = number === undefined ? undefined : this.#names.get(number);
    if (name !== undefined) this.#touch(name);
    return name;
  }

  #touch(name: string): number | undefined {
    const number = this.#numbers.get(name);
    if (number === undefined) return undefined;
    this.#numbers.delete(name);
    this.#numbers.set(name, number);
    return number;
  }

  #assign(name: string): number {
    if (this.#numbers.size >= this.#capacity) this.#forgetOldest();
    while (this.#names.has(this.#next)) this.#advance();
    const number = this.#next;
    this.#advance();
    this.#numbers.set(name, number);
    this.#names.set(number, name);
    return number;
  }

  #advance(): void {
    this.#next = this.#next === LAST ? FIRST : this.#next + 1;
  }

  #forgetOldest(): void {
    for (const [name, number] of this.#numbers) {
      this.#numbers.delete(name);
      this.#names.delete(number);
      return;
    }
  }
}

/** Whether an address is one that only stands for a name, whether or not it does now. */
export const isSynthetic = (address: string): boolean => numberOf(address) !== undefined;

function numberOf(address: string): number | undefined {
  if (address.startsWith(V6_PREFIX)) return numberOfV6(address.slice(V6_PREFIX.length));
  const parts = address.split('.').map(Number);
  const [a, b, c, d] = parts;
  if (parts.length !== 4 || a !== 198 || (b !== 18 && b !== 19)) return undefined;
  return ((b - 18) << 16) | (c! << 8) | d!;
}

function numberOfV6(suffix: string): number | undefined {
  const groups = suffix.split(':');
  if (groups.length > 2) return undefined;
  const [low = '0', high = '0'] = groups.reverse();
  return Number.parseInt(high || '0', 16) * 65_536 + Number.parseInt(low || '0', 16);
}
