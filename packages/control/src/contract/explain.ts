import type { SandboxId } from '@openshell/base';

export interface ExplainQuery {
  readonly tenant: SandboxId;
  /** A name or an address. */
  readonly host: string;
  readonly port: number;
  /** The executable's path, its parent's and so on. Empty: nobody knows. */
  readonly binaries: readonly string[];
  readonly request?: { readonly method: string; readonly target: string } | undefined;
}

export interface ExplainAnswer {
  readonly allowed: boolean;
  /** 0: nothing is installed. */
  readonly generation: number;
  readonly reason: string;
  /** What would allow it. */
  readonly remedy?: string | undefined;
  /** As events code it, of a denial. */
  readonly code?: string | undefined;
  readonly policy?: string | undefined;
  /** Whether requests on the connection are looked into. */
  readonly inspected: boolean;
}
