import type { SandboxId } from '@openshell/base';
import type { Recognition, TenantLimits } from '@openshell/control';

/** One tenant as the operator's files describe it; files by name. */
export interface TenantFiles {
  readonly id: SandboxId;
  readonly recognitions: readonly Recognition[];
  /**
   * `told-apart`: evidence comes with each connection. `any`: the operator's word that any program may use what policy allows to some.
   * `unnamed`: neither, so that policy may not speak of programs.
   */
  readonly programs: 'told-apart' | 'any' | 'unnamed';
  /** Absent: everything is denied. */
  readonly policy: string | undefined;
  readonly credentials: string | undefined;
  readonly routes: string | undefined;
  readonly limits: TenantLimits | undefined;
}
