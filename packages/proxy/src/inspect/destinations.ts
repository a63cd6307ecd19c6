import { INFERENCE_HOST } from '../inference/routes.ts';
import type { Grant } from '../tenant/connection.ts';
import type { TenantSettings } from '../tenant/settings.ts';

export { INFERENCE_HOST };
export const INFERENCE_PORT = 443;

/** Whether a destination is the proxy's own, whatever the policy says of it. */
export const isInference = (host: string): boolean => host === INFERENCE_HOST;

/** Why there is nothing to be had without TLS or on another port. */
export const HTTPS_ONLY = {
  code: 'inference_https_only',
  reason: `${INFERENCE_HOST} is served with TLS on port ${INFERENCE_PORT} only`,
  remedy: `Use https://${INFERENCE_HOST} as the address of the API.`,
} as const;

/** What is wrong with a destination at inference.local; undefined where nothing is. */
export const inferenceMistake = (port: number): typeof HTTPS_ONLY | undefined =>
  port === INFERENCE_PORT ? undefined : HTTPS_ONLY;

/** Whether what a connection was allowed for can only be held to by looking into it. */
export function mustOpen({ intent, decision }: Grant, { credentials }: TenantSettings): boolean {
  if (decision.tls === 'skip') return false;
  return decision.inspection !== undefined || credentials.covers(intent.host, intent.port);
}
