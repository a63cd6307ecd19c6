import { ControlRefusal } from '../contract/refusal.ts';
import type { Admission } from '../grpc/index.ts';

/** Whether a connection may be used at all; the token is asked for with each call. */
export type Verdict = { readonly admitted: true } | { readonly admitted: false; readonly why: string };

export const ADMITTED: Verdict = { admitted: true };

export const denied = (why: string): Verdict => ({ admitted: false, why });

/** What each call on a connection meets: who is refused is told so in the protocol, rather than by silence. */
export const admissionOf = (verdict: Verdict, token: Admission | undefined): Admission => {
  if (verdict.admitted) return token ?? (() => undefined);
  return () => {
    throw new ControlRefusal(verdict.why, { code: 'unauthenticated' });
  };
};
