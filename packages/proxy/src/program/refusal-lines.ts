import { type Correlation, type Refusal, RefusalReporter } from '@openshell/audit';
import type { SandboxId } from '@openshell/base';
import type { Log } from './log/log.ts';

export interface RefusalLinesOptions {
  readonly log: Log;
  /** Writes a line as it is, where people read. */
  readonly plain: ((line: string) => void) | undefined;
  readonly color: boolean;
  /** Where there is one tenant, nobody needs to be told which. */
  readonly nameTenants: boolean;
}

/** Tenants whose refusals are counted at one time. */
const MAX_TENANTS = 10_000;

/** Tells whoever runs the proxy what was refused. Each tenant has its own share of lines: one in a loop hides nothing of another. */
export class RefusalLines {
  readonly #options: RefusalLinesOptions;
  readonly #reporters = new Map<SandboxId, RefusalReporter>();

  constructor(options: RefusalLinesOptions) {
    this.#options = options;
  }

  readonly report = (refusal: Refusal, tenant: SandboxId): void => {
    const reporter = this.#reporters.get(tenant) ?? this.#begin(tenant);
    reporter?.report(refusal);
  };

  /** Says how often each refusal happened again. */
  close(): void {
    for (const reporter of this.#reporters.values()) reporter.close();
    this.#reporters.clear();
  }

  #begin(tenant: SandboxId): RefusalReporter | undefined {
    if (this.#reporters.size >= MAX_TENANTS) return undefined;
    const { color, plain, log, nameTenants } = this.#options;
    const write = (line: string, { generation, traceId }: Correlation): void => {
      if (plain === undefined) log('warning', line, { tenant, generation, traceId });
      else plain(nameTenants ? `${line} (tenant ${tenant})` : line);
    };
    const reporter = new RefusalReporter({ write, color });
    this.#reporters.set(tenant, reporter);
    return reporter;
  }
}
