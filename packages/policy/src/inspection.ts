import type { Endpoint, Policy } from './policy.ts';
import { formatPath, type PolicyPath, type PolicySource, type Position } from './problem.ts';

/** A part of a policy for which connections are opened and requests looked into. */
export interface InspectedPart extends Partial<Position> {
  /** As in `network_policies.github.endpoints[0].protocol`. */
  readonly path: string;
  readonly reason: string;
}

/** What each field of an endpoint asks for. */
const FIELDS: readonly (readonly [field: string, asks: (endpoint: Endpoint) => boolean, reason: string])[] = [
  [
    'protocol',
    ({ protocol }) => protocol !== '' && protocol !== 'tcp',
    'requests of this protocol are inspected',
  ],
  ['path', ({ path }) => path !== '' && path !== '**', 'the path of a request is inside HTTP'],
  ['credential_signing', ({ signing }) => signing !== undefined, 'requests are signed'],
  [
    'credential_binding',
    ({ credentialProvider }) => credentialProvider !== undefined,
    'credentials are put into requests',
  ],
  [
    'websocket_credential_rewrite',
    (endpoint) => endpoint.websocketCredentialRewrite,
    'credentials are put into messages',
  ],
  [
    'request_body_credential_rewrite',
    (endpoint) => endpoint.requestBodyCredentialRewrite,
    'credentials are put into bodies',
  ],
];

/**
 * Lists what of a policy makes connections be opened and requests be looked into. With the source that `parsePolicy` returned, places
 * have a line and a column.
 */
export function inspectedParts(policy: Policy, source?: PolicySource): InspectedPart[] {
  const need = (path: PolicyPath, reason: string): InspectedPart => ({
    path: formatPath(path),
    reason,
    ...source?.locate(path),
  });
  const endpoints = policy.networkPolicies.flatMap(({ key, endpoints }) =>
    endpoints.flatMap((endpoint, index) =>
      FIELDS.filter(([, asks]) => asks(endpoint)).map(([field, , reason]) =>
        need(['network_policies', key, 'endpoints', index, field], reason),
      ),
    ),
  );
  const middlewares = policy.middlewares.map(({ key }) =>
    need(['network_middlewares', key], 'requests pass through a middleware'),
  );
  return [...endpoints, ...middlewares];
}
