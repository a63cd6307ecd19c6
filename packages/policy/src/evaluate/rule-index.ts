import { isAddressLiteral } from '../address/canonical-host.ts';
import { domainOf, hostMatches } from '../glob/host-pattern.ts';
import type { EndpointRule } from './rule.ts';

const NONE: readonly EndpointRule[] = [];

/**
 * Finds the endpoints that match a host. Exact hosts are looked up in one map, so their number costs nothing; wildcards are kept by
 * their last two labels, which are always literal; endpoints without a host by port. Every list is in order of rank.
 */
export class RuleIndex {
  readonly #exact = new Map<string, EndpointRule[]>();
  readonly #byDomain = new Map<string, EndpointRule[]>();
  readonly #byPort = new Map<number, EndpointRule[]>();

  constructor(rules: readonly EndpointRule[]) {
    for (const rule of rules) {
      if (rule.host === undefined) for (const port of rule.endpoint.ports) add(this.#byPort, port, rule);
      else if (rule.host.kind === 'wildcard') add(this.#byDomain, rule.host.domain, rule);
      else add(this.#exact, rule.host.host, rule);
    }
  }

  /** Endpoints that name the host. */
  exact(host: string): readonly EndpointRule[] {
    return this.#exact.get(host) ?? NONE;
  }

  /** Endpoints whose wildcards may match the host: the caller asks `hostMatches` of each. */
  wildcard(host: string): readonly EndpointRule[] {
    if (this.#byDomain.size === 0 || isAddressLiteral(host)) return NONE;
    return this.#byDomain.get(domainOf(host)) ?? NONE;
  }

  /** Endpoints for any host on the port. */
  hostless(port: number): readonly EndpointRule[] {
    return this.#byPort.size === 0 ? NONE : (this.#byPort.get(port) ?? NONE);
  }

  /** Every endpoint that matches host and port, whoever asks. For denials and DNS, not for the hot path. */
  matching(host: string, port: number): EndpointRule[] {
    const wildcards = this.wildcard(host).filter((rule) => hostMatches(rule.host!, host));
    return [...this.exact(host), ...wildcards]
      .filter((rule) => rule.hasPort(port))
      .concat(this.hostless(port));
  }

  get hasHostless(): boolean {
    return [...this.#byPort.values()].some((rules) => rules.some((rule) => rule.isUsable));
  }
}

function add<Key>(map: Map<Key, EndpointRule[]>, key: Key, rule: EndpointRule): void {
  const list = map.get(key);
  if (list) list.push(rule);
  else map.set(key, [rule]);
}
