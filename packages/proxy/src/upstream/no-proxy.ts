import { OpenShellError } from '@openshell/base';
import { type Cidr, canonicalHost, cidrContains, parseAddress, parseCidr } from '@openshell/policy';
import type { Target } from '../destination/plan.ts';

type Entry = { readonly port: number | undefined } & (
  | { readonly kind: 'all' }
  /** The name itself, unless `below`, and every name under it. */
  | { readonly kind: 'name'; readonly name: string; readonly below: boolean }
  | { readonly kind: 'block'; readonly block: Cidr }
);

/**
 * Destinations that are dialled directly although there is an upstream proxy, in the form of `NO_PROXY`: separated by commas or
 * blanks, `example.com` (it and all names under it), `.example.com` or `*.example.com` (only those under it), addresses,
 * blocks, each with an optional `:port`, and `*` for everything. Blocks hold for names too: when all addresses of one lie in them.
 */
export class NoProxy {
  readonly #entries: readonly Entry[];

  /** Throws `bad_no_proxy`. */
  constructor(text: string) {
    this.#entries = text
      .split(/[\s,]+/)
      .filter(Boolean)
      .map(parseEntry);
  }

  covers(host: string, port: number, targets: readonly Target[]): boolean {
    return this.#entries.some(
      (entry) => (entry.port === undefined || entry.port === port) && covers(entry, host, targets),
    );
  }
}

function covers(entry: Entry, host: string, targets: readonly Target[]): boolean {
  switch (entry.kind) {
    case 'all':
      return true;
    case 'name':
      return (!entry.below && host === entry.name) || host.endsWith(`.${entry.name}`);
    case 'block':
      return targets.length > 0 && targets.every(({ address }) => contains(entry.block, address));
    default: {
      const unreachable: never = entry;
      return unreachable;
    }
  }
}

function contains(block: Cidr, text: string): boolean {
  const address = parseAddress(text);
  return address !== undefined && cidrContains(block, address);
}

/** What stands before an optional port. Only a bracketed IPv6 address or block can have one. */
const PARTS = /^(?:\[([0-9a-f:.]+(?:\/[0-9]+)?)\]|([^:]+))(?::([0-9]{1,5}))?$/i;

function parseEntry(text: string): Entry {
  const bare = parseCidr(text);
  if (bare !== undefined) return { kind: 'block', block: bare, port: undefined };
  const [, bracketed, plain, portText] = PARTS.exec(text) ?? [];
  const port = portText === undefined ? undefined : Number(portText);
  if (port !== undefined && (port < 1 || port > 65_535)) throw malformed(text);
  const subject = bracketed ?? plain;
  if (subject === undefined) throw malformed(text);
  if (subject === '*') return { kind: 'all', port };
  const block = parseCidr(subject);
  if (block !== undefined) return { kind: 'block', block, port };
  const below = /^\*?\./.exec(subject)?.[0];
  const name = canonicalHost(subject.slice(below?.length ?? 0));
  if (name === undefined || bracketed !== undefined) throw malformed(text);
  return { kind: 'name', name, below: below !== undefined, port };
}

const malformed = (text: string): OpenShellError =>
  new OpenShellError(`"${text}" is no destination that can be kept from the upstream proxy`, {
    code: 'bad_no_proxy',
    remedy: 'Write a name, .suffix, address, block or *, with an optional :port.',
  });
