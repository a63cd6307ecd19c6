import { generation } from '@openshell/base';
import { inspectedParts, type Policy } from '@openshell/policy';
import { EgressProxy, Generations, readUpstream, type SettingsGeneration } from '@openshell/proxy';
import type { Learning } from './learn.ts';
import { loadEngine } from './load-engine.ts';
import type { RunOptions } from './run-options.ts';

/** The proxy of a sandbox that does not exist yet, and what it will be told to enforce. */
export interface Egress extends AsyncDisposable {
  readonly proxy: EgressProxy;
  readonly first: SettingsGeneration;
  /** What programs have to trust (PEM). Undefined where nothing is ever opened: to make an authority takes time. */
  readonly authority: string | undefined;
}

/**
 * Reads everything that the operator and the policy name, so that nothing is started that could not be enforced.
 * Throws what is wrong with the rules, a credential, a route, a middleware, or a file of the operator's.
 */
export const prepareEgress = async (
  { rules, grants, operator }: Pick<RunOptions, 'rules' | 'grants' | 'operator'>,
  policy: Policy,
  learning?: Learning,
): Promise<Egress> => {
  const { resolve, upstreamCa, clientCertificates, upstreamProxy, middlewares } = operator;
  const upstream = readUpstream({ authorities: upstreamCa, clientCertificates, proxy: upstreamProxy });
  await using stack = new AsyncDisposableStack();
  const generations = stack.use(
    new Generations({ environment: process.env, trust: upstream.trust, middlewares }),
  );
  const engine = learning?.engine(policy) ?? (await loadEngine(policy, rules, generation(1)));
  const first = await generations.make({ policy, engine, grants, unbound: 'error' });
  const proxy = new EgressProxy({ overrides: resolve, upstream });
  stack.defer(() => proxy.close());
  const owned = stack.move();
  const opens = learning !== undefined || rules !== undefined || opensConnections(policy, first);
  return {
    proxy,
    first,
    authority: opens ? (await proxy.authority()).bundlePem : undefined,
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
};

const opensConnections = (policy: Policy, { settings }: SettingsGeneration): boolean =>
  inspectedParts(policy).length > 0 || !settings.credentials.isEmpty || settings.inference !== undefined;
