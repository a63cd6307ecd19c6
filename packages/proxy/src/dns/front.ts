import { canonicalHost } from '@openshell/policy';
import {
  type Answer,
  CLASS_IN,
  encodeName,
  type Query,
  RCODE,
  type Rcode,
  type Response,
  readQuery,
  TYPE,
  typeName,
  writeFault,
  writeResponse,
} from './message.ts';
import type { SyntheticNames } from './synthetic-names.ts';

/** Seconds that a program may keep a synthetic address. */
const POSITIVE_TTL = 30;
/** Seconds that it may keep a refusal: short, since a policy can be changed while it runs. */
const NEGATIVE_TTL = 5;

export interface DnsFrontOptions {
  readonly names: SyntheticNames;
  readonly maxBytes: number;
  /** Whether some endpoint could allow this canonical name; `type` is that of the record. A promise that rejects: nobody can say now. */
  readonly couldAllow: (name: string, type: string) => boolean | Promise<boolean>;
  /** Told of each name that was refused. */
  readonly onRefused: (refused: { name: string; type: string; rcode: 'NXDomain' | 'Refused' }) => void;
}

/**
 * Answers name lookups of a sandbox from what policy says and from nothing else: no question is ever asked of anybody,
 * so a name that is looked up tells nobody anything. Real addresses are found when a connection is made.
 */
export class DnsFront {
  readonly #options: DnsFrontOptions;

  constructor(options: DnsFrontOptions) {
    this.#options = options;
  }

  /** The response to a message; undefined when it deserves none. Never throws and never rejects. */
  answer(message: Buffer): Buffer | undefined | Promise<Buffer> {
    const result = readQuery(message, this.#options.maxBytes);
    switch (result.kind) {
      case 'drop':
        return undefined;
      case 'fault':
        return writeFault(result);
      case 'query': {
        const { query } = result;
        const response = this.#respond(query);
        if (!(response instanceof Promise)) return writeResponse(query, response);
        return response.then(
          (later) => writeResponse(query, later),
          () => writeResponse(query, { rcode: RCODE.servFail }),
        );
      }
      default: {
        const unreachable: never = result;
        return unreachable;
      }
    }
  }

  #respond(query: Query): Response | Promise<Response> {
    if (query.class !== CLASS_IN || query.type === TYPE.ANY || query.type === 252)
      return { rcode: RCODE.refused };
    if (query.name.endsWith('.arpa')) return this.#reverse(query);
    if (query.name === 'localhost' || query.name.endsWith('.localhost')) return localhost(query.type);
    const name = canonicalHost(query.name);
    if (name === undefined) return this.#refuse(query);
    const known = this.#options.couldAllow(name, typeName(query.type));
    if (known instanceof Promise) return known.then((later) => this.#decided(query, name, later));
    return this.#decided(query, name, known);
  }

  #decided(query: Query, name: string, known: boolean): Response {
    return known ? this.#forward(name, query.type) : this.#refuse(query);
  }

  #forward(name: string, type: number): Response {
    if (type !== TYPE.A && type !== TYPE.AAAA) return nothing(RCODE.noError);
    const { v4, v6 } = this.#options.names.addressesOf(name);
    return found({ type, ttl: POSITIVE_TTL, data: type === TYPE.A ? v4 : v6 });
  }

  #reverse({ name, type }: Query): Response {
    const address = reverseAddress(name);
    if (address === undefined) return nothing(RCODE.nxDomain);
    const host =
      address === '127.0.0.1' || address === '::1' ? 'localhost' : this.#options.names.nameOf(address);
    if (host === undefined) return nothing(RCODE.nxDomain);
    if (type !== TYPE.PTR) return nothing(RCODE.noError);
    return found({ type, ttl: POSITIVE_TTL, data: encodeName(host) });
  }

  #refuse({ name, type }: Query): Response {
    this.#options.onRefused({ name: name === '' ? '.' : name, type: typeName(type), rcode: 'NXDomain' });
    return nothing(RCODE.nxDomain);
  }
}

const found = (answer: Answer): Response => ({ rcode: RCODE.noError, answer });
const nothing = (rcode: Rcode): Response => ({ rcode, negativeTtl: NEGATIVE_TTL });

/** RFC 6761 section 6.3: these names are this machine's own, whatever anybody says. */
function localhost(type: number): Response {
  if (type === TYPE.A) return found({ type, ttl: POSITIVE_TTL, data: Buffer.from([127, 0, 0, 1]) });
  if (type !== TYPE.AAAA) return nothing(RCODE.noError);
  const data = Buffer.alloc(16);
  data[15] = 1;
  return found({ type, ttl: POSITIVE_TTL, data });
}

const V4_SUFFIX = '.in-addr.arpa';
const V6_SUFFIX = '.ip6.arpa';

/** The address that a reverse name is about (RFC 1035 section 3.5, RFC 3596 section 2.5), in canonical form. */
export function reverseAddress(name: string): string | undefined {
  if (name.endsWith(V4_SUFFIX)) {
    const labels = name.slice(0, -V4_SUFFIX.length).split('.');
    return labels.length === 4 ? canonicalHost(labels.reverse().join('.')) : undefined;
  }
  if (!name.endsWith(V6_SUFFIX)) return undefined;
  const nibbles = name.slice(0, -V6_SUFFIX.length).split('.').reverse();
  if (nibbles.length !== 32 || nibbles.some((nibble) => !/^[0-9a-f]$/.test(nibble))) return undefined;
  return canonicalHost(nibbles.join('').replace(/(....)(?!$)/g, '$1:'));
}
