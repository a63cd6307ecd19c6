import type { Refusal } from '../credentials/injection.ts';
import type { Answer } from './answers.ts';
import type { RequestRecord } from './record.ts';

/** What a request's record says of its end. */
export type Outcome = Pick<
  RequestRecord,
  'action' | 'code' | 'policy' | 'rule' | 'reason' | 'remedy' | 'credentials' | 'broken'
>;

/** Thrown to end the run with an answer of the proxy's own. */
export class Refused {
  readonly answer: Answer;
  readonly outcome: Outcome;
  constructor(answer: Answer, outcome: Partial<Outcome> = {}) {
    this.answer = answer;
    const { error, detail, remedy } = answer.body as { error: string; detail: string; remedy?: string };
    this.outcome = { action: 'denied', code: error, reason: detail, remedy, ...outcome };
  }
}

/** Thrown when there is nobody to answer any more. */
export const GONE = Symbol('gone');

export const refuse = (
  status: number,
  error: string,
  detail: string,
  remedy?: string,
  action?: 'failed',
): Refused =>
  new Refused(
    { status, body: { error, layer: 'l7', detail, remedy } },
    action === undefined ? {} : { action },
  );

export const refusedBy = ({ status, error, detail, remedy }: Refusal): Refused =>
  refuse(status, error, detail, remedy);
