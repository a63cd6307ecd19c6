import { POLICY_LIMITS } from '../limits.ts';
import type { Endpoint, NetworkPolicy } from '../policy.ts';
import type { RawNetworkPolicy } from '../schema/policy-schema.ts';
import { readEndpoint } from './endpoint.ts';
import { checkPathPattern } from './rules.ts';
import type { Scope } from './scope.ts';

/** An endpoint with its place, for checks that compare endpoints. */
export interface PlacedEndpoint {
  readonly endpoint: Endpoint;
  readonly scope: Scope;
}

export interface NetworkReading {
  readonly policies: NetworkPolicy[];
  /** The endpoints in which no problem was found. */
  readonly sound: PlacedEndpoint[];
}

/** Checks and normalises `network_policies`, entry by entry. */
export function readNetworkPolicies(
  raw: ReadonlyMap<string, RawNetworkPolicy>,
  isBroken: (value: object) => boolean,
  scope: Scope,
): NetworkReading {
  const policies: NetworkPolicy[] = [];
  const sound: PlacedEndpoint[] = [];
  for (const [key, entry] of raw) {
    const here = scope.at(key);
    const endpoints: Endpoint[] = [];
    for (const [index, written] of (entry.endpoints ?? []).entries()) {
      if (!written || isBroken(written)) continue;
      const place = here.at('endpoints', index);
      const before = place.problemCount;
      const endpoint = readEndpoint(written, place);
      endpoints.push(endpoint);
      if (place.problemCount === before) sound.push({ endpoint, scope: place });
    }
    checkKey(key, here);
    policies.push({ key, name: entry.name || key, endpoints, binaries: readBinaries(entry, here) });
  }
  checkTotals(policies, scope);
  return { policies: policies.sort((a, b) => (a.key < b.key ? -1 : 1)), sound };
}

function checkKey(key: string, scope: Scope): void {
  if (!key.startsWith('_provider_')) return;
  scope.notice(
    'reserved_key',
    `Keys that start with "_provider_" belong to providers; "${key}" is replaced when one brings its own.`,
    'Choose another key.',
    'key',
  );
}

function readBinaries(entry: RawNetworkPolicy, scope: Scope): string[] {
  const written = entry.binaries ?? [];
  if (written.length === 0 && entry.endpoints?.length) {
    scope.notice(
      'no_binaries',
      'No program may use these endpoints: binaries is empty.',
      'Add "binaries: [{ path: /usr/bin/NAME }]"; "/**" is every program.',
      'key',
    );
  }
  const paths: string[] = [];
  for (const [index, binary] of written.entries()) {
    if (binary?.path === undefined) continue;
    checkPathPattern(binary.path, scope.at('binaries', index, 'path'));
    paths.push(binary.path);
  }
  return [...new Set(paths)].sort();
}

function checkTotals(policies: readonly NetworkPolicy[], scope: Scope): void {
  const endpoints = policies.flatMap((policy) => policy.endpoints);
  const wildcards = endpoints.filter(({ host }) => host === '' || host.includes('*'));
  const totals = [
    ['endpoints', endpoints.length, POLICY_LIMITS.endpoints],
    ['endpoints with a wildcard host or none', wildcards.length, POLICY_LIMITS.wildcardEndpoints],
  ] as const;
  for (const [what, count, limit] of totals) {
    if (count > limit)
      scope.problem(
        'too_many',
        `${count} ${what}; at most ${limit} are accepted.`,
        'Join endpoints, or use fewer wildcards.',
      );
  }
}
