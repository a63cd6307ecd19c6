import { compileGlob, type Glob } from '../glob/glob.ts';
import { domainOf, type HostPattern, hostsOverlap, parseHostPattern } from '../glob/host-pattern.ts';
import { globsOverlap } from '../glob/overlap.ts';
import { POLICY_LIMITS } from '../limits.ts';
import type { Endpoint } from '../policy.ts';
import { formatPath } from '../problem.ts';
import { isInspected } from '../protocols.ts';
import type { PlacedEndpoint } from './network.ts';

/** An endpoint prepared for comparison. Two endpoints with equal treatments cannot disagree. */
interface Candidate {
  /** Order in the file: the later of two is the one that is reported. */
  readonly position: number;
  readonly placed: PlacedEndpoint;
  /** Undefined: any host. */
  readonly host: HostPattern | undefined;
  readonly connection: string;
  readonly inspection: string | undefined;
}

/**
 * Refuses policies in which two endpoints match the same traffic and disagree on how to treat it: which one applied would depend on an
 * order that nobody wrote down. Hosts and ports must be compatible for the connection as a whole; where both are inspected and
 * their path selectors overlap with the same weight, so must be everything that inspection depends on. Rules may differ: they add up.
 */
export function checkAmbiguity(placed: readonly PlacedEndpoint[]): void {
  const candidates = placed.map(toCandidate);
  const exact = candidates.filter(({ host }) => host && host.kind !== 'wildcard');
  const wide = candidates.filter(({ host }) => !host || host.kind === 'wildcard');
  checkSameHosts(exact);
  const byDomain = Map.groupBy(exact, ({ host }) => domainOf(host!.host));
  for (const [index, one] of wide.entries()) {
    const names = one.host?.kind === 'wildcard' ? (byDomain.get(one.host.domain) ?? []) : exact;
    for (const other of names) compare(one, other);
    for (const other of wide.slice(index + 1)) compare(one, other);
  }
}

/** Exact hosts meet only their equals, so the work stays in proportion to the number of endpoints. */
function checkSameHosts(candidates: readonly Candidate[]): void {
  const places = new Map<string, Candidate[]>();
  for (const candidate of candidates) {
    for (const port of candidate.placed.endpoint.ports) {
      const place = `${port} ${candidate.host!.host}`;
      const list = places.get(place);
      if (list) list.push(candidate);
      else places.set(place, [candidate]);
    }
  }
  const reported = new Set<Candidate>();
  for (const [place, list] of places) {
    if (list.length > 1) checkPlace(list, place, reported);
  }
}

function checkPlace(list: readonly Candidate[], place: string, reported: Set<Candidate>): void {
  const first = list[0]!;
  for (const other of list) {
    if (!reported.has(other) && other.connection !== first.connection)
      report(first, other, connectionDifference(first, other));
    if (other.connection !== first.connection) reported.add(other);
  }
  const inspected = list.filter(({ inspection }) => inspection !== undefined);
  if (inspected.length > POLICY_LIMITS.inspectedEndpointsPerHost) {
    const [port, host] = place.split(' ');
    inspected
      .at(-1)!
      .placed.scope.problem(
        'too_many',
        `${inspected.length} inspected endpoints for ${host}:${port}; at most ${POLICY_LIMITS.inspectedEndpointsPerHost} are accepted.`,
        'Join those that treat requests alike: one endpoint can have many rules.',
      );
    return;
  }
  for (const [index, one] of inspected.entries()) {
    for (const other of inspected.slice(index + 1)) {
      if (reported.has(other) || !inspectionsDisagree(one, other)) continue;
      report(one, other, inspectionDifference(one, other));
      reported.add(other);
    }
  }
}

function compare(a: Candidate, b: Candidate): void {
  const connection = a.connection !== b.connection;
  if (
    !connection &&
    (a.inspection === undefined || b.inspection === undefined || a.inspection === b.inspection)
  )
    return;
  if (!sharePort(a, b) || (a.host && b.host && !hostsOverlap(a.host, b.host))) return;
  if (connection) report(a, b, connectionDifference(a, b));
  else if (inspectionsDisagree(a, b)) report(a, b, inspectionDifference(a, b));
}

function report(a: Candidate, b: Candidate, difference: string): void {
  const [other, { scope, endpoint }] = a.position < b.position ? [a.placed, b.placed] : [b.placed, a.placed];
  scope.problem(
    'ambiguous_endpoints',
    `This endpoint (${shown(endpoint)}) and ${formatPath(other.scope.path)} (${shown(other.endpoint)}) match the same traffic and disagree on ${difference}.`,
    'Make the two agree, or make their hosts, ports or paths exclude each other.',
  );
}

const shown = ({ host, ports, path }: Endpoint): string => `${host || 'any host'}:${ports.join(',')}${path}`;

function toCandidate(placed: PlacedEndpoint, position: number): Candidate {
  const { endpoint } = placed;
  return {
    position,
    placed,
    host: endpoint.host === '' ? undefined : parseHostPattern(endpoint.host),
    connection: JSON.stringify(connectionTreatment(endpoint)),
    inspection: isInspected(endpoint.protocol) ? JSON.stringify(inspectionTreatment(endpoint)) : undefined,
  };
}

/** How the connection itself is treated, by the names that people write. */
const connectionTreatment = (endpoint: Endpoint) => ({
  'protocol tcp': endpoint.protocol === 'tcp',
  tls: endpoint.tls,
  allowed_ips: endpoint.allowedIps ?? null,
});

/** What inspecting one request depends on. */
const inspectionTreatment = (endpoint: Endpoint) => ({
  protocol: endpoint.protocol,
  enforcement: endpoint.enforcement,
  allow_encoded_slash: endpoint.allowEncodedSlash,
  websocket_credential_rewrite: endpoint.websocketCredentialRewrite,
  request_body_credential_rewrite: endpoint.requestBodyCredentialRewrite,
  'GraphQL options': endpoint.graphql ?? null,
  'GraphQL over WebSocket': endpoint.protocol === 'websocket' && endpoint.rules?.some(isGraphqlRule) === true,
  credential_signing: endpoint.signing ?? null,
  credential_binding: endpoint.credentialProvider ?? null,
  json_rpc: endpoint.jsonRpc ?? null,
  // Which methods are allowed is a rule, and rules add up.
  mcp: endpoint.mcp ? [endpoint.mcp.maxBodyBytes, endpoint.mcp.strictToolNames] : null,
});

const isGraphqlRule = (rule: NonNullable<Endpoint['rules']>[number]): boolean =>
  rule.operationType !== undefined || rule.operationName !== undefined || rule.fields !== undefined;

const connectionDifference = (a: Candidate, b: Candidate): string => difference(connectionTreatment, a, b);
const inspectionDifference = (a: Candidate, b: Candidate): string => difference(inspectionTreatment, a, b);

function difference(
  treatment: (endpoint: Endpoint) => Record<string, unknown>,
  a: Candidate,
  b: Candidate,
): string {
  const left = treatment(a.placed.endpoint);
  const right = treatment(b.placed.endpoint);
  return Object.keys(left)
    .filter((name) => JSON.stringify(left[name]) !== JSON.stringify(right[name]))
    .join(', ');
}

function inspectionsDisagree(a: Candidate, b: Candidate): boolean {
  if (a.inspection === undefined || b.inspection === undefined || a.inspection === b.inspection) return false;
  // A database's connection has no paths that could keep the two apart.
  if ((a.placed.endpoint.protocol === 'sql') !== (b.placed.endpoint.protocol === 'sql')) return true;
  const left = selector(a);
  const right = selector(b);
  return weight(left) === weight(right) && globsOverlap(left, right);
}

const selector = ({ placed }: Candidate): Glob => compileGlob(placed.endpoint.path || '**', '/');

/** How specific a path selector is: among several that match a request, the heaviest sets how it is read. */
const weight = ({ source }: Glob): number => source.replaceAll('*', '').length;

const sharePort = (a: Candidate, b: Candidate): boolean =>
  a.placed.endpoint.ports.some((port) => b.placed.endpoint.ports.includes(port));
