import { type HostPattern, hostMatches, parseHostPattern } from '../../glob/host-pattern.ts';
import type { Middleware } from '../../policy.ts';

const NONE: readonly Middleware[] = [];

/** Which middlewares see the requests to a host, in order. */
export class MiddlewareSelector {
  readonly #entries: readonly Entry[];

  constructor(middlewares: readonly Middleware[]) {
    this.#entries = middlewares.map((middleware) => ({
      middleware,
      include: middleware.include.map((text) => parseHostPattern(text, 'any')),
      exclude: middleware.exclude.map((text) => parseHostPattern(text, 'any')),
    }));
  }

  forHost(host: string): readonly Middleware[] {
    if (this.#entries.length === 0) return NONE;
    return this.#entries
      .filter(({ include, exclude }) => someHost(include, host) && !someHost(exclude, host))
      .map(({ middleware }) => middleware);
  }
}

interface Entry {
  readonly middleware: Middleware;
  readonly include: readonly HostPattern[];
  readonly exclude: readonly HostPattern[];
}

const someHost = (patterns: readonly HostPattern[], host: string): boolean =>
  patterns.some((pattern) => hostMatches(pattern, host));
