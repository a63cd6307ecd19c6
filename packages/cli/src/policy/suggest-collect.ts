import type { Denial, DenialOperation } from '@openshell/policy';
import { type Denied, deniedIn } from './suggest-denials.ts';

/** Everything that the events of some runs say of denials, each counted once. */
export interface Collected {
  readonly denials: readonly Denial[];
  /** Denials of which only the number is known. */
  readonly uncounted: number;
  /** Names that were asked for and never connected to: nobody knows the port. */
  readonly names: readonly string[];
  /** Lines that are no events. */
  readonly invalid: number;
}

/** Different things that are kept apart; far more than a policy could have rules. */
const MAX_SUBJECTS = 20_000;
const MAX_NAMES = 1000;

interface Subject {
  readonly denials: readonly Denial[];
  /** By events of their own. */
  single: number;
  /** By samples of counts. */
  sampled: number;
}

/** One sandbox, program, destination, code and rule. */
interface Kind {
  readonly subjects: Map<string, Subject>;
  total: number;
}

/**
 * Brings events and counts together. A denial is in a count, and up to a bound it has an event as well: of the two numbers the larger
 * one is right. Counts lack what was denied after the last one, when a run was killed; events lack what came after their bound.
 */
export class DenialCollection {
  readonly #kinds = new Map<string, Kind>();
  readonly #names = new Set<string>();
  #subjects = 0;
  #others = 0;
  #invalid = 0;

  add(line: string): void {
    if (line.trim() === '') return;
    const denied = deniedIn(line);
    if (denied === 'invalid') this.#invalid += 1;
    else if (denied !== undefined) this.#addDenied(denied);
  }

  collected(): Collected {
    const denials: Denial[] = [];
    let uncounted = this.#others;
    for (const { subjects, total } of this.#kinds.values()) {
      let known = 0;
      for (const { denials: alike, single, sampled } of subjects.values()) {
        const count = Math.max(single, sampled);
        known += count;
        denials.push(...alike.map((denial) => ({ ...denial, count })));
      }
      uncounted += Math.max(0, total - known);
    }
    const hosts = new Set(denials.map(({ host }) => host));
    return {
      denials,
      uncounted,
      names: [...this.#names].filter((name) => !hosts.has(name)).sort(),
      invalid: this.#invalid,
    };
  }

  #addDenied(denied: Denied): void {
    switch (denied.kind) {
      case 'one': {
        const { denial, operations } = denied;
        const subject = this.#subject(this.#kind(denial), denial, operations);
        if (subject === undefined) this.#others += denial.count;
        else subject.single += denial.count;
        return;
      }
      case 'many': {
        const { denial, samples } = denied;
        const kind = this.#kind(denial);
        kind.total += denial.count;
        const shown =
          samples.length > 0 || denial.stage !== 'connect' ? samples : [{ ...NOTHING, count: denial.count }];
        for (const { method, path, operations, count } of shown) {
          const one = {
            ...denial,
            ...(method !== undefined && { method }),
            ...(path !== undefined && { path }),
          };
          const subject = this.#subject(kind, one, operations);
          if (subject !== undefined) subject.sampled += count;
        }
        return;
      }
      case 'others':
        this.#others += denied.count;
        return;
      case 'name':
        if (this.#names.size < MAX_NAMES) this.#names.add(denied.name);
        return;
      default:
        denied satisfies never;
    }
  }

  #kind({ sandbox, binary, host, port, stage, code, rule, from }: Denial): Kind {
    const key = JSON.stringify([sandbox, binary, host, port, stage, code, rule, from]);
    const known = this.#kinds.get(key);
    if (known !== undefined) return known;
    const kind: Kind = { subjects: new Map(), total: 0 };
    this.#kinds.set(key, kind);
    return kind;
  }

  /** Undefined: there are too many. */
  #subject({ subjects }: Kind, denial: Denial, operations: readonly DenialOperation[]): Subject | undefined {
    const key = JSON.stringify([denial.method, denial.path, operations]);
    const known = subjects.get(key);
    if (known !== undefined || this.#subjects >= MAX_SUBJECTS) return known;
    this.#subjects += 1;
    const denials =
      operations.length === 0 ? [denial] : operations.map((operation) => ({ ...denial, operation }));
    const subject: Subject = { denials, single: 0, sampled: 0 };
    subjects.set(key, subject);
    return subject;
  }
}

const NOTHING = { method: undefined, path: undefined, operations: [] } as const;
