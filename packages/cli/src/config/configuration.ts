import type { ResolveRule, RuntimeKind } from '@openshell/sandbox';

/** What the operator of a machine has said once for every run. */
export interface Configuration {
  readonly resolve: readonly ResolveRule[];
  /** Absolute paths of PEM files. */
  readonly upstreamCa: readonly string[];
  readonly runtime?: RuntimeKind;
}

/** What holds where there is no file. */
export const noConfiguration: Configuration = { resolve: [], upstreamCa: [] };
