import {
  type BinaryPathResolver,
  compileGlob,
  type Endpoint,
  globRegex,
  type NetworkPolicy,
  type Policy,
  parseHostPattern,
} from '@openshell/policy';
import type { Json, JsonObject } from '@openshell/rego';
import { endpointData } from './endpoint-data.ts';

/**
 * The endpoints of a policy by what a connection is known by, so that rules look up instead of searching: by exact host, by the last
 * two labels of a wildcard, by port where any host is meant. Each endpoint has its rank: the smallest one that matches decides.
 */
export const egressIndex = (policy: Policy, resolve?: BinaryPathResolver): JsonObject => {
  const index: Index = { hosts: table(), domains: table(), ports: table() };
  const endpoints = policy.networkPolicies.flatMap((network) => {
    const programs = programsData(network.binaries, resolve);
    return network.endpoints.map((endpoint, position) => ({ network, endpoint, position, programs }));
  });
  endpoints.sort(
    (a, b) =>
      compareText(a.network.name, b.network.name) ||
      compareText(a.network.key, b.network.key) ||
      a.position - b.position,
  );
  for (const [rank, { network, endpoint, position, programs }] of endpoints.entries()) {
    const match = matchData(network, endpoint, position);
    add(index, endpoint, { rank, ports: endpoint.ports, host: endpoint.host, programs, match });
  }
  return index;
};

interface Index extends Record<string, Record<string, Json[]>> {
  readonly hosts: Record<string, Json[]>;
  readonly domains: Record<string, Json[]>;
  readonly ports: Record<string, Json[]>;
}

/** An element of the result's `matched_endpoints`. */
const matchData = (network: NetworkPolicy, endpoint: Endpoint, position: number): JsonObject => ({
  policy_name: network.name,
  policy_key: network.key,
  endpoint_index: position,
  endpoint: endpointData(endpoint),
});

const add = (index: Index, endpoint: Endpoint, entry: JsonObject): void => {
  if (endpoint.host === '') {
    for (const port of endpoint.ports) push(index.ports, String(port), entry);
    return;
  }
  const pattern = parseHostPattern(endpoint.host);
  if (pattern.kind === 'wildcard') push(index.domains, pattern.domain, entry);
  else push(index.hosts, pattern.host, { ...entry, exact: true });
};

const push = (lists: Record<string, Json[]>, key: string, entry: JsonObject): void => {
  const list = lists[key];
  if (list) list.push(entry);
  else lists[key] = [entry];
};

/** Without a prototype: `__proto__` is a host name like any other. */
const table = <T>(): Record<string, T> => Object.create(null) as Record<string, T>;

/**
 * The programs of a policy, each in the cheapest form: paths, beginnings of paths, and regular expressions for the rest. A path that is
 * a link admits what it leads to as well, since the kernel names programs by where they really are.
 */
export const programsData = (paths: readonly string[], resolve?: BinaryPathResolver): JsonObject => {
  const exact: Record<string, true> = table();
  const prefixes: string[] = [];
  const patterns: string[] = [];
  for (const path of paths) {
    const glob = compileGlob(path, '/');
    if (path === '**') prefixes.push('/');
    else if (glob.prefix !== undefined) prefixes.push(glob.prefix);
    else if (glob.literal === undefined) patterns.push(globRegex(glob));
    else {
      exact[glob.literal] = true;
      const target = resolve?.(glob.literal);
      if (target !== undefined) exact[target] = true;
    }
  }
  return { exact, prefixes, patterns };
};

const compareText = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);
