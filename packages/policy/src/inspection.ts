import type { Endpoint, Policy } from './policy.ts';
import { formatPath, type PolicyPath, type PolicySource, type Position } from './problem.ts';

/** A part of a policy that means nothing unless requests are looked into. */
export interface InspectionNeed extends Partial<Position> {
  /** As in `network_policies.github.endpoints[0].protocol`. */
  readonly path: string;
  readonly reason: string;
}

/** What each field of an endpoint asks of inspection. */
const FIELD_NEEDS: readonly (readonly [
  field: string,
  needed: (endpoint: Endpoint) => boolean,
  reason: string,
])[] = [
  [
    'protocol',
    ({ protocol }) => protocol !== '' && protocol !== 'tcp',
    'requests of this protocol are to be inspected',
  ],
  ['path', ({ path }) => path !== '' && path !== '**', 'the path of a request is inside HTTP'],
  ['credential_signing', ({ signing }) => signing !== undefined, 'requests are to be signed'],
  [
    'credential_binding',
    ({ credentialProvider }) => credentialProvider !== undefined,
    'credentials are to be put into requests',
  ],
  [
    'websocket_credential_rewrite',
    (endpoint) => endpoint.websocketCredentialRewrite,
    'credentials are to be put into messages',
  ],
  [
    'request_body_credential_rewrite',
    (endpoint) => endpoint.requestBodyCredentialRewrite,
    'credentials are to be put into bodies',
  ],
];

/**
 * Lists what of a policy needs HTTP inspection: a proxy without it must refuse the policy rather than let more through than it
 * says. With the source that `parsePolicy` returned, places have a line and a column.
 */
export function inspectionNeeded(policy: Policy, source?: PolicySource): InspectionNeed[] {
  const need = (path: PolicyPath, reason: string): InspectionNeed => ({
    path: formatPath(path),
    reason,
    ...source?.locate(path),
  });
  const endpoints = policy.networkPolicies.flatMap(({ key, endpoints }) =>
    endpoints.flatMap((endpoint, index) =>
      FIELD_NEEDS.filter(([, needed]) => needed(endpoint)).map(([field, , reason]) =>
        need(['network_policies', key, 'endpoints', index, field], reason),
      ),
    ),
  );
  const middlewares = policy.middlewares.map(({ key }) =>
    need(['network_middlewares', key], 'requests are to pass through a middleware'),
  );
  return [...endpoints, ...middlewares];
}
