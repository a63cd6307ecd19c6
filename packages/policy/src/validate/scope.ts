import type { Findings, PolicyPath, Remark } from '../problem.ts';

/** A place in the policy at which checks speak. */
export class Scope {
  readonly path: PolicyPath;
  readonly #findings: Findings;

  constructor(findings: Findings, path: PolicyPath = []) {
    this.#findings = findings;
    this.path = path;
  }

  at(...steps: PolicyPath): Scope {
    return new Scope(this.#findings, [...this.path, ...steps]);
  }

  problem(code: string, message: string, fix: string, on?: Remark['on']): void {
    this.#findings.problem(this.path, { code, message, fix, ...(on ? { on } : {}) });
  }

  notice(code: string, message: string, fix: string, on?: Remark['on']): void {
    this.#findings.notice(this.path, { code, message, fix, ...(on ? { on } : {}) });
  }

  /** How many problems there are, to see whether a step has found any. */
  get problemCount(): number {
    return this.#findings.problems.length;
  }
}
