import { OpenShellError } from '@openshell/base';
import { canonicalHost, isAddressLiteral } from '../address/canonical-host.ts';
import { compileGlob, type Glob, globMatches } from './glob.ts';
import { globsOverlap } from './overlap.ts';

/** A host as endpoints and middleware selectors write it: a name, an address literal, or a name with wildcards. */
export type HostPattern =
  | { readonly kind: 'name' | 'address'; readonly host: string }
  | {
      readonly kind: 'wildcard';
      readonly host: string;
      readonly glob: Glob;
      /** The last two labels, which endpoints always write out: where an index may look. */
      readonly domain: string;
    };

const WILDCARD_LABEL = /^[a-z0-9_*-]{1,63}$/;

/** Whether a pattern may cover whole top-level domains: `any` for selectors of middlewares, which only ever add a check. */
export type HostBreadth = 'domain' | 'any';

/**
 * Reads a host pattern. `*` stands for one label, or for part of the first one; `**` for one or more and only as the whole first label.
 * The last two labels are written out, so that no pattern covers a top-level domain, unless the breadth says otherwise.
 * @throws OpenShellError `bad_host`, `tld_wildcard` or `bad_host_wildcard`
 */
export function parseHostPattern(text: string, breadth: HostBreadth = 'domain'): HostPattern {
  if (text.includes('*')) return parseWildcard(text, breadth);
  const host = canonicalHost(text);
  if (host === undefined) {
    throw new OpenShellError(`"${text}" is neither a host name nor an IP address.`, {
      code: 'bad_host',
      remedy:
        'Write a name such as "api.example.com" without scheme, port, path or braces; international names as "xn--".',
    });
  }
  return { kind: isAddressLiteral(host) ? 'address' : 'name', host };
}

/** Whether a canonical host is the pattern's. Wildcards never match address literals. */
export function hostMatches(pattern: HostPattern, host: string): boolean {
  if (pattern.kind !== 'wildcard') return pattern.host === host;
  return !isAddressLiteral(host) && globMatches(pattern.glob, host);
}

/** Whether some host is matched by both patterns. */
export function hostsOverlap(a: HostPattern, b: HostPattern): boolean {
  if (a.kind !== 'wildcard') return hostMatches(b, a.host);
  return b.kind === 'wildcard' ? globsOverlap(a.glob, b.glob) : hostMatches(a, b.host);
}

/** The last two labels of a name. */
export const domainOf = (host: string): string =>
  host.slice(host.lastIndexOf('.', host.lastIndexOf('.') - 1) + 1);

function parseWildcard(text: string, breadth: HostBreadth): HostPattern {
  const lower = text.toLowerCase();
  const labels = (lower.endsWith('.') ? lower.slice(0, -1) : lower).split('.');
  const ending = labels.slice(-2);
  if (breadth === 'domain' && (labels.length < 3 || ending.some((label) => label.includes('*')))) {
    throw new OpenShellError(`"${text}" would match hosts of a whole top-level domain.`, {
      code: 'tld_wildcard',
      remedy: 'Write out at least the last two labels, for example "*.example.com".',
    });
  }
  const host = labels.join('.');
  if (host.length > 253 || !labels.every(labelIsPattern) || !isNameEnding(ending)) {
    throw new OpenShellError(`"${text}" is not a host pattern.`, {
      code: 'bad_host_wildcard',
      remedy:
        'Use "*" for one label or inside the first one, "**" only as the whole first label: "*.example.com", "**.example.com", "api-*.example.com".',
    });
  }
  return {
    kind: 'wildcard',
    host,
    glob: compileGlob(labels.map(labelGlob).join('.'), '.'),
    domain: ending.join('.'),
  };
}

/** A name never ends in a number, so a pattern that does would only look like an address. */
const isNameEnding = (labels: readonly string[]): boolean =>
  canonicalHost(labels.join('.').replaceAll('*', 'a')) !== undefined;

function labelIsPattern(label: string, index: number): boolean {
  if (!WILDCARD_LABEL.test(label)) return false;
  if (label.includes('**')) return index === 0 && label === '**';
  return index === 0 || label === '*' || !label.includes('*');
}

/** A label is never empty: a lone star needs at least one character of it. */
function labelGlob(label: string): string {
  if (label === '**') return '?**';
  return label === '*' ? '?*' : label;
}
