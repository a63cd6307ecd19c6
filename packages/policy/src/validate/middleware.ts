import { OpenShellError } from '@openshell/base';
import { type HostPattern, hostsOverlap, parseHostPattern } from '../glob/host-pattern.ts';
import { POLICY_LIMITS } from '../limits.ts';
import type { Middleware } from '../policy.ts';
import { formatPath } from '../problem.ts';
import type { RawMiddleware } from '../schema/policy-schema.ts';
import type { PlacedEndpoint } from './network.ts';
import type { Scope } from './scope.ts';

/** Checks and normalises `network_middlewares`, which also depend on the endpoints that they select. */
export function readMiddlewares(
  raw: ReadonlyMap<string, RawMiddleware>,
  endpoints: readonly PlacedEndpoint[],
  scope: Scope,
): Middleware[] {
  const byOrder = new Map<number, string>();
  const middlewares = [...raw].map(([key, entry]) => {
    const here = scope.at(key);
    const middleware = readMiddleware(key, entry, here);
    const other = byOrder.get(middleware.order);
    if (other === undefined) byOrder.set(middleware.order, key);
    else
      here
        .at('order')
        .problem(
          'duplicate_order',
          `"${other}" has order ${middleware.order}, too.`,
          'Give each its own order.',
        );
    checkSkippedTls(middleware, endpoints, here);
    return middleware;
  });
  return middlewares.sort((a, b) => a.order - b.order || (a.key < b.key ? -1 : 1));
}

function readMiddleware(key: string, raw: RawMiddleware, scope: Scope): Middleware {
  const selector = scope.at('endpoints');
  const include = readPatterns(raw.endpoints?.include ?? [], selector.at('include'));
  const exclude = readPatterns(raw.endpoints?.exclude ?? [], selector.at('exclude'));
  if (raw.endpoints?.include?.length === 0) {
    selector
      .at('include')
      .problem(
        'empty_list',
        'The middleware selects no host.',
        'Add a host pattern, or remove the middleware.',
      );
  }
  if (include.length + exclude.length > POLICY_LIMITS.middlewarePatterns) {
    selector.problem('too_many', `More than ${POLICY_LIMITS.middlewarePatterns} patterns.`, 'Use wildcards.');
  }
  if (raw.middleware === '')
    scope
      .at('middleware')
      .problem(
        'missing_field',
        'The name of the middleware is empty.',
        'Write "openshell/regex" or a registered name.',
      );
  return {
    key,
    name: raw.name || key,
    middleware: raw.middleware ?? '',
    order: raw.order ?? 0,
    config: Object.fromEntries(raw.config ?? []),
    onError: raw.on_error === 'fail_open' ? 'fail_open' : 'fail_closed',
    include,
    exclude,
  };
}

function readPatterns(texts: readonly string[], scope: Scope): string[] {
  const hosts: string[] = [];
  for (const [index, text] of texts.entries()) {
    if (text === undefined) continue;
    try {
      hosts.push(parseHostPattern(text, 'any').host);
    } catch (thrown) {
      if (!(thrown instanceof OpenShellError)) throw thrown;
      scope.at(index).problem(thrown.code, thrown.message, thrown.remedy ?? '');
    }
  }
  return [...new Set(hosts)].sort();
}

/** A stage that must see every request cannot do so inside TLS that is never opened. */
function checkSkippedTls(middleware: Middleware, endpoints: readonly PlacedEndpoint[], scope: Scope): void {
  if (middleware.onError === 'fail_open') return;
  const include = middleware.include.map((text) => parseHostPattern(text, 'any'));
  const exclude = middleware.exclude.map((text) => parseHostPattern(text, 'any'));
  const skipped = endpoints.find(
    ({ endpoint }) => endpoint.tls === 'skip' && selects(include, exclude, endpoint.host),
  );
  if (!skipped) return;
  scope
    .at('endpoints')
    .problem(
      'middleware_tls_skip',
      `The middleware must see every request, but ${formatPath(skipped.scope.path)} (${skipped.endpoint.host || 'any host'}) has "tls: skip".`,
      'Exclude that host, set on_error to fail_open, or remove "tls: skip".',
    );
}

function selects(include: readonly HostPattern[], exclude: readonly HostPattern[], host: string): boolean {
  if (host === '') return true;
  const pattern = parseHostPattern(host);
  if (!include.some((one) => hostsOverlap(one, pattern))) return false;
  // A wildcard endpoint is excluded as a whole only by the very same pattern.
  return !exclude.some(
    (one) => one.host === host || (pattern.kind !== 'wildcard' && hostsOverlap(one, pattern)),
  );
}
