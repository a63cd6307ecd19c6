import type { EgressRefusal, EgressRefusalCode } from '../egress.ts';
import type { AnswerBody } from './answer.ts';
import { formatAuthority } from './authority.ts';

const STATUSES: Record<EgressRefusalCode, number> = {
  policy_denied: 403,
  ssrf_denied: 403,
  resolve_failed: 502,
  upstream_unreachable: 502,
  upstream_timeout: 504,
};

const DETAILS: Record<EgressRefusalCode, string> = {
  policy_denied: 'not permitted by policy',
  ssrf_denied: 'blocked: its address is not one that policy may reach',
  resolve_failed: 'failed: its name could not be resolved',
  upstream_unreachable: 'failed: it could not be reached',
  upstream_timeout: 'failed: it did not answer in time',
};

/** How a refusal is put to an HTTP client. `what` is the method, for the sentence. */
export function refusalAnswer(refusal: EgressRefusal, what: string): { status: number; body: AnswerBody } {
  const { code, intent, generation, reason, remedy, policy } = refusal;
  const { host, port, evidence } = intent;
  const body: AnswerBody = {
    error: code,
    layer: 'l4',
    detail: `${what} ${formatAuthority(host, port)} ${DETAILS[code]}`,
    reason,
    host,
    port,
    binary: evidence.kind === 'process' ? evidence.executable.path : undefined,
    policy,
    generation,
    remedy,
    next_steps: [],
  };
  return { status: STATUSES[code], body };
}
