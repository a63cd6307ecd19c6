import { OpenShellError } from '@openshell/base';
import { compileGlob, type Glob, globMatches } from '@openshell/policy';
import type { SecretSource } from '../credentials/secret-source.ts';
import type { SourcePool } from '../credentials/source-pool.ts';
import type { Limits } from '../limits.ts';
import { type Backend, backendOf } from './backend.ts';
import {
  INFERENCE_PROTOCOLS,
  type InferenceProtocol,
  type InferenceRoute,
  type RouteLimits,
} from './routes.ts';

/** A route ready for use. */
export interface CompiledRoute {
  readonly route: InferenceRoute;
  readonly patterns: readonly Glob[];
  readonly backend: Backend;
  readonly limits: RouteLimits;
  /** Undefined: the backend wants no key. */
  readonly key: SecretSource | undefined;
}

/** Every route of one generation. Never changes. */
export class RouteTable {
  readonly routes: readonly CompiledRoute[];

  /** @throws OpenShellError `bad_inference_route`, and what a credential's source throws. */
  constructor(routes: readonly InferenceRoute[], sources: SourcePool, limits: Limits) {
    this.routes = routes.map((route) => compile(route, sources, limits));
  }

  /**
   * The route for a model: that with the most specific pattern, of several the first. Without a model, the first that says itself
   * which one it is.
   */
  choose(protocol: InferenceProtocol, model: string | undefined): CompiledRoute | undefined {
    let best: CompiledRoute | undefined;
    let most = -1;
    for (const one of this.routes) {
      if (!one.route.protocols.includes(protocol)) continue;
      const fit =
        model === undefined ? (one.route.model === undefined ? -1 : 0) : specificity(one.patterns, model);
      if (fit > most) [best, most] = [one, fit];
    }
    return best;
  }

  /** Whether some route has the model. */
  serves(model: string): boolean {
    return this.routes.some(({ route, patterns }) => generates(route) && specificity(patterns, model) >= 0);
  }

  /** The models that routes name in full, in the order of the routes; of those with a protocol where one is given. */
  names(protocol?: InferenceProtocol): string[] {
    const of = this.routes.filter(({ route }) =>
      protocol === undefined ? generates(route) : route.protocols.includes(protocol),
    );
    return [...new Set(of.flatMap(({ patterns }) => patterns.flatMap(({ literal }) => literal ?? [])))];
  }
}

const generates = ({ protocols }: InferenceRoute): boolean =>
  protocols.some((one) => one !== 'model_discovery');

const EXACT = 1_000_000;

/** How exactly the patterns say the model; -1: they do not. */
function specificity(patterns: readonly Glob[], model: string): number {
  let most = -1;
  for (const pattern of patterns) {
    if (!globMatches(pattern, model)) continue;
    most = Math.max(most, pattern.literal === undefined ? pattern.source.replace(/[*?]/g, '').length : EXACT);
  }
  return most;
}

function compile(route: InferenceRoute, sources: SourcePool, limits: Limits): CompiledRoute {
  const { auth, models, protocols, name } = route;
  if (models.length === 0 || protocols.some((one) => !INFERENCE_PROTOCOLS.includes(one)))
    throw new OpenShellError(`inference route "${name}" has no models, or a protocol that is not known`, {
      code: 'bad_inference_route',
      remedy: 'Correct the route.',
    });
  return {
    route,
    patterns: models.map((model) => compileGlob(model, 'none')),
    backend: backendOf(route),
    key: auth.kind === 'none' ? undefined : sources.source(auth.credential, `inference route ${name}`),
    limits: {
      connectTime: limits.inferenceConnectTime,
      headTime: limits.inferenceHeadTime,
      totalTime: limits.inferenceTotalTime,
      chunkTime: limits.inferenceChunkTime,
      requestBytes: limits.inferenceRequestBytes,
      responseBytes: limits.inferenceResponseBytes,
      ...route.limits,
    },
  };
}
