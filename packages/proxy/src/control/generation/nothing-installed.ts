import { generation } from '@openshell/base';
import type { ConnectDecision, PolicyEngine, RequestDecision } from '@openshell/policy';

const NONE = generation(0);

/** Why a tenant without a generation gets nowhere. */
export const NOTHING_INSTALLED = {
  code: 'no_policy',
  reason: 'no policy was installed yet, so everything is denied',
  remedy: 'Apply a policy to this tenant of the proxy.',
} as const;

const DENIED: ConnectDecision = { action: 'deny', generation: NONE, ...NOTHING_INSTALLED };
const REQUEST_DENIED: RequestDecision = {
  action: 'deny',
  generation: NONE,
  ...NOTHING_INSTALLED,
  code: 'request_not_allowed',
};

/** What is in force until a controller has said what is to be. */
export const NOTHING_INSTALLED_ENGINE: PolicyEngine = {
  generation: NONE,
  authorizeConnect: () => DENIED,
  authorizeRequest: () => REQUEST_DENIED,
  couldAllowName: () => false,
  couldAllowAddress: () => false,
};
