import type { PolicyEngine } from '@openshell/policy';
import type { StreamSearch } from '../credentials/guard.ts';
import type { Destination, Eventually, Injection, Refusal } from '../credentials/injection.ts';
import type { OutgoingRequest } from '../exchange/exchange.ts';
import type { RouteTable } from '../inference/route-table.ts';
import type { PreparedMiddlewares } from '../middleware/registry.ts';

/** What puts credentials into requests; `credentials/` makes it. */
export interface Credentials {
  /** No credential at all: requests are not even scanned. */
  readonly isEmpty: boolean;
  /** Whether some credential may be used there: then the connection has to be opened. */
  covers(host: string, port: number): boolean;
  /** A target for policy and records: placeholders are `[CREDENTIAL]`. */
  redactTarget(target: string): string;
  /** One text message with the credentials that it asks for. */
  rewriteText(text: string, destination: Destination): Eventually<string | Refusal>;
  /** Looks for placeholders in what they are not replaced in; `push` and `end` answer undefined where there is one. Undefined: nothing to look for. */
  guard(): Pick<StreamSearch, 'push' | 'end'> | undefined;
  /** One message of an upstream without the values that are bound to it. */
  maskText(text: string, destination: Destination): string;
  inject(request: OutgoingRequest, destination: Destination): Eventually<Injection | Refusal>;
}

/** Everything of a tenant that a new generation replaces, all at once. */
export interface TenantSettings {
  readonly engine: PolicyEngine;
  readonly credentials: Credentials;
  /** The stages of the policy's middlewares; absent where it has none. */
  readonly middleware?: PreparedMiddlewares | undefined;
  /** The backends of inference.local; absent where the operator has configured none. */
  readonly inference?: RouteTable | undefined;
}

/** For a tenant that was given none: there is nothing to look for and nothing to put in. */
export const NO_CREDENTIALS: Credentials = {
  isEmpty: true,
  covers: () => false,
  redactTarget: (target) => target,
  rewriteText: (text) => text,
  guard: () => undefined,
  maskText: (text) => text,
  inject: (request) => ({ request, body: { kind: 'none' }, used: undefined, recheck: () => undefined }),
};

/** The settings of a tenant that has nothing but a policy. */
export const policyAlone = (engine: PolicyEngine): TenantSettings => ({
  engine,
  credentials: NO_CREDENTIALS,
});
