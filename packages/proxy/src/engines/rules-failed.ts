import type { Generation } from '@openshell/base';
import { MAX_TEXT } from './answer-fields.ts';

export interface AnswerOptions {
  readonly generation: Generation;
  /** Where the rules are, for the person who has to look at them: `rules.rego`, `http://127.0.0.1:8181`. */
  readonly origin: string;
}

/** The denial for when there is no answer that could be used, to a connection or a request. */
export const rulesFailed = ({ generation, origin }: AnswerOptions, why: string, remedy = CORRECT) =>
  ({
    action: 'deny',
    generation,
    code: 'rules_failed',
    reason: `the rules (${origin}) cannot decide: ${why.slice(0, MAX_TEXT)}`,
    remedy,
  }) as const;

const CORRECT = 'Nothing is let through until they can: correct the rules or their data.';
