import {
  type BinaryPathResolver,
  compileGlob,
  domainOf,
  type Endpoint,
  formatPath,
  globRegex,
  type HostPattern,
  hostMatches,
  isInspected,
  type Middleware,
  type NetworkPolicy,
  type Policy,
  parseHostPattern,
  pathWeight,
} from '@openshell/policy';
import type { Json, JsonObject } from '@openshell/rego';
import { endpointData } from './endpoint-data.ts';
import { type Table, table } from './patterns-data.ts';
import { requestData } from './request-data.ts';

/**
 * The endpoints of a policy by what a connection is known by, so that rules look up instead of searching. `hosts` has, for each host
 * that some endpoint names, everything that matches it; for all other hosts there are `domains`, wildcards by their last two labels,
 * and `ports`, the endpoints for any host. Every list is in the order of rank: of what matches, the first decides. `middlewares` are
 * those of the policy, in their order, with the hosts that they select.
 */
export const egressIndex = (policy: Policy, resolve?: BinaryPathResolver): JsonObject => {
  const endpoints = rankedEndpoints(policy, resolve);
  const middlewares = policy.middlewares.map(selectorData);
  const index: Index = { hosts: table(), domains: table(), ports: table(), middlewares };
  for (const { pattern, entry } of endpoints) {
    if (pattern === undefined) for (const port of entry.ports) push(index.ports, String(port), entry);
    else if (pattern.kind === 'wildcard') push(index.domains, pattern.domain, entry);
    else index.hosts[pattern.host] ??= [];
  }
  for (const { pattern, entry } of endpoints) {
    if (pattern?.kind === 'name' || pattern?.kind === 'address') index.hosts[pattern.host]!.push(entry);
  }
  addCovering(index, endpoints);
  return index;
};

interface Index extends Table<Json> {
  readonly hosts: Table<Entry[]>;
  readonly domains: Table<Entry[]>;
  readonly ports: Table<Entry[]>;
  readonly middlewares: readonly JsonObject[];
}

interface Entry extends Record<string, Json | undefined> {
  readonly rank: number;
  readonly ports: readonly number[];
  /** As the policy names it; what a wildcard is matched by. */
  readonly host: string;
  /** Whether that is a host itself, and not a pattern or nothing. */
  readonly names_host: boolean;
  readonly programs: JsonObject;
  /** An element of the result's `matched_endpoints`. */
  readonly match: JsonObject;
  /** In the file: `network_policies.github.endpoints[0]`. */
  readonly place: string;
  /** Only where requests are looked into: the place in the order of paths, the most specific first, and what is said of requests. */
  order?: number;
  readonly requests?: JsonObject;
}

interface RankedEndpoint {
  /** Undefined: any host. */
  readonly pattern: HostPattern | undefined;
  readonly entry: Entry;
}

const rankedEndpoints = (policy: Policy, resolve?: BinaryPathResolver): readonly RankedEndpoint[] => {
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
  const ranked = endpoints.map(({ network, endpoint, position, programs }, rank) => {
    const { host, ports, protocol } = endpoint;
    const pattern = host === '' ? undefined : parseHostPattern(host);
    const place = formatPath(['network_policies', network.key, 'endpoints', position]);
    const entry: Entry = {
      rank,
      ports,
      host,
      names_host: pattern !== undefined && pattern.kind !== 'wildcard',
      programs,
      match: matchData(network, endpoint, position),
      place,
      ...(isInspected(protocol) ? { requests: requestData(endpoint, place) } : {}),
    };
    return { pattern, endpoint, entry };
  });
  const inspected = ranked.filter(({ entry }) => entry.requests !== undefined);
  inspected.sort(
    (a, b) => pathWeight(b.endpoint.path) - pathWeight(a.endpoint.path) || a.entry.rank - b.entry.rank,
  );
  for (const [order, { entry }] of inspected.entries()) entry.order = order;
  return ranked;
};

const matchData = (network: NetworkPolicy, endpoint: Endpoint, position: number): JsonObject => ({
  policy_name: network.name,
  policy_key: network.key,
  endpoint_index: position,
  endpoint: endpointData(endpoint),
});

/** Adds to each host's list the endpoints that do not name it and match it all the same. */
const addCovering = (index: Index, endpoints: readonly RankedEndpoint[]): void => {
  const hostless = endpoints.filter(({ pattern }) => pattern === undefined);
  const wildcards = new Map(endpoints.map(({ pattern, entry }) => [entry, pattern]));
  for (const [host, entries] of Object.entries(index.hosts)) {
    const inDomain = index.domains[domainOf(host)] ?? [];
    entries.push(...inDomain.filter((entry) => hostMatches(wildcards.get(entry)!, host)));
    entries.push(...hostless.map(({ entry }) => entry));
    entries.sort((a, b) => a.rank - b.rank);
  }
};

/** A middleware by its key, and the hosts whose requests it sees. */
const selectorData = (middleware: Middleware): JsonObject => ({
  key: middleware.key,
  include: hostsData(middleware.include),
  exclude: hostsData(middleware.exclude),
});

/** Hosts that are written out, and regular expressions that only names can match: a wildcard stands for no address. */
const hostsData = (texts: readonly string[]): JsonObject => {
  const exact = table<true>();
  const names: string[] = [];
  for (const text of texts) {
    const pattern = parseHostPattern(text, 'any');
    if (pattern.kind === 'wildcard') names.push(globRegex(pattern.glob));
    else exact[pattern.host] = true;
  }
  return { exact, names };
};

const push = (lists: Table<Entry[]>, key: string, entry: Entry): void => {
  const list = lists[key];
  if (list) list.push(entry);
  else lists[key] = [entry];
};

/**
 * The programs of a policy, each in the cheapest form: paths, beginnings of paths, and regular expressions for the rest. A path that is
 * a link admits what it leads to as well, since the kernel names programs by where they really are.
 */
export const programsData = (paths: readonly string[], resolve?: BinaryPathResolver): JsonObject => {
  const exact = table<true>();
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
