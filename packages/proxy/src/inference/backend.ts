import { isIP } from 'node:net';
import { OpenShellError } from '@openshell/base';
import { canonicalHost } from '@openshell/policy';
import { findOverride } from '../destination/overrides.ts';
import type { DestinationPlan, Planner } from '../destination/plan.ts';
import { formatAuthority } from '../http/authority.ts';
import type { UpstreamDestination } from '../upstream/destination.ts';
import type { InferenceRoute } from './routes.ts';

/** Where a route leads. */
export interface Backend {
  readonly scheme: 'http' | 'https';
  /** Canonical. */
  readonly host: string;
  readonly port: number;
  /** For `Host`: without the scheme's own port. */
  readonly authority: string;
  /** What stands in place of `/v1`. */
  readonly basePath: string;
}

const PORTS = { http: 80, https: 443 } as const;

/** Names and addresses of this machine itself: what is sent there crosses no wire. */
const isLoopback = (host: string): boolean =>
  host === 'localhost' || host === '::1' || /^127\.[0-9]+\.[0-9]+\.[0-9]+$/.test(host);

/**
 * Takes a route's address apart.
 * @throws OpenShellError `bad_inference_route`
 */
export function backendOf({ name, baseUrl }: Pick<InferenceRoute, 'name' | 'baseUrl'>): Backend {
  const wrong = wrongBaseUrl(baseUrl);
  if (wrong !== undefined)
    throw new OpenShellError(`inference route "${name}": its base URL ${wrong}`, {
      code: 'bad_inference_route',
      remedy: 'Write it as https://HOST or https://HOST/PATH.',
    });
  const url = new URL(baseUrl);
  const scheme = url.protocol === 'https:' ? 'https' : 'http';
  const port = url.port === '' ? PORTS[scheme] : Number(url.port);
  const host = hostOf(url)!;
  const path = url.pathname.replace(/\/+$/, '');
  return {
    scheme,
    host,
    port,
    authority: formatAuthority(host, port, PORTS[scheme]),
    basePath: path === '' ? '/v1' : path,
  };
}

/** What is wrong with a base URL; undefined when nothing is. */
export function wrongBaseUrl(text: string): string | undefined {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || (url.protocol !== 'https:' && url.protocol !== 'http:'))
    return 'is no http or https URL';
  const host = hostOf(url);
  if (host === undefined) return 'has no host that can be meant';
  if (url.username !== '' || url.password !== '') return 'holds credentials; they belong into "auth"';
  if (url.search !== '' || url.hash !== '') return 'has a query or a fragment';
  if (url.protocol === 'http:' && !isLoopback(host))
    return 'is http, where everyone on the way can read the key';
  return undefined;
}

const hostOf = (url: URL): string | undefined => canonicalHost(url.hostname);

/** What the pool is asked for. Backends have connections of their own: no workload's request ever shares one with a route's key. */
export const backendDestination = (backend: Backend, planner: Planner): UpstreamDestination => ({
  scheme: backend.scheme,
  host: backend.host,
  port: backend.port,
  protocols: backend.scheme === 'https' ? ['h2', 'h1'] : ['h1'],
  partition: 'inference',
  rule: { exactHost: true },
  plan: () => planBackend(backend, planner),
});

/** The operator has named the backend, so any address will do; except that plain http stays on this machine. */
async function planBackend(
  { scheme, host, port }: Backend,
  { resolver, overrides, limits }: Planner,
): Promise<DestinationPlan> {
  const override = findOverride(overrides, host, port);
  if (override !== undefined)
    return {
      kind: 'plan',
      targets: [{ address: override.address, port: override.toPort ?? port }],
      overridden: true,
    };
  const found = isIP(host) === 0 ? await resolver.lookup(host) : [host];
  if (scheme === 'http' && !found.every(isLoopback))
    return {
      kind: 'refused',
      code: 'ssrf_denied',
      reason: `${host} is not an address of this machine`,
      remedy: 'Use https for the route.',
    };
  const targets = found.slice(0, limits.addresses).map((address) => ({ address, port }));
  return { kind: 'plan', targets, overridden: true };
}
