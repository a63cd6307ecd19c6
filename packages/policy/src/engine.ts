import type { Generation, SandboxId } from '@openshell/base';
import type { IdentityMode } from './evaluate/rule.ts';
import type { Inspection, RequestDecision, RequestFacts } from './request.ts';

/** How an attempt to get out reached the proxy. */
export type Adapter = 'connect' | 'forward' | 'socks5' | 'transparent';

/** One executable, as the kernel names it inside the sandbox. */
export interface BinaryIdentity {
  readonly path: string;
  /** Lower-case hex of the content that runs. */
  readonly sha256: string;
  /** False when the workload itself could have written the file before its first use. */
  readonly pinned: boolean;
}

/** Who asked. `argv` is shown to people and never trusted. */
export type Evidence =
  | {
      readonly kind: 'process';
      readonly pid: number;
      readonly executable: BinaryIdentity;
      /** Parent first, up to (not including) the sandbox's init. */
      readonly ancestors: readonly BinaryIdentity[];
      readonly argv: readonly string[];
    }
  | { readonly kind: 'unknown'; readonly reason: string };

/** One attempt to get out. */
export interface Intent {
  readonly sandbox: SandboxId;
  readonly adapter: Adapter;
  /** Canonical: lower-case name without trailing dot, or an address literal without brackets. */
  readonly host: string;
  readonly port: number;
  readonly evidence: Evidence;
}

/** The endpoint of a policy that decided, as the file names it. */
export interface EndpointRef {
  /** Key under `network_policies`. */
  readonly policy: string;
  /** Position in that policy's `endpoints`, from 0. */
  readonly index: number;
  /** As written, e.g. `*.example.com`. */
  readonly host: string;
}

export type DenyCode =
  | 'no_policy'
  | 'endpoint_not_allowed'
  | 'binary_not_allowed'
  | 'identity_unknown'
  /** The user's own rules say no. */
  | 'rules_denied'
  /** The user's own rules gave no answer that could be used: an error, a limit, nothing, nonsense. */
  | 'rules_failed';

/**
 * The answer to one intent: taken once, from one generation, never computed again further down.
 * `destination` and `tls` are what the connector needs to know of the endpoints that matched.
 */
export type ConnectDecision =
  | {
      readonly action: 'allow';
      readonly generation: Generation;
      readonly reason: string;
      /** The smallest matching policy name; for logs. */
      readonly policy: string;
      readonly endpoint: EndpointRef;
      readonly tls: 'auto' | 'skip';
      readonly destination: DestinationRule;
      /** Set when some matching endpoint is inspected, or a middleware selects the host. */
      readonly inspection?: Inspection;
    }
  | {
      readonly action: 'deny';
      readonly generation: Generation;
      readonly code: DenyCode;
      readonly reason: string;
      /** What the person could change in the policy to allow exactly this. */
      readonly remedy: string;
      /** A policy that allows the endpoint for other binaries, where there is one. */
      readonly policy?: string;
    };

/** Which addresses the checked name may have (egress design, "Allowed by name means allowed by address too"). */
export interface DestinationRule {
  /** The endpoint names this very host (no wildcard), so private addresses are meant. */
  readonly exactHost: boolean;
  /** Canonical CIDRs; when present, only addresses inside them. */
  readonly allowedIps?: readonly string[];
}

/**
 * What decides: the built-in evaluator, or rules of the user's (Rego, in process or elsewhere). One engine is one generation and never
 * changes. The built-in one is pure; the user's rules may ask for the time.
 */
export interface PolicyEngine {
  readonly generation: Generation;
  /** Whether attempts of unknown programs are refused; absent, they are. */
  readonly identity?: IdentityMode;
  /**
   * Never throws and never rejects; what cannot be decided is a denial. Answers at once unless the rules are elsewhere: a caller awaits
   * only what is a promise.
   */
  authorizeConnect(intent: Intent): ConnectDecision | Promise<ConnectDecision>;
  /**
   * May this request be made on a connection that was allowed for `intent`? Every inspected endpoint that matches has a
   * say; where none is inspected, the connection's decision stands. Never throws and never rejects; a promise only
   * where the rules are elsewhere.
   */
  authorizeRequest(intent: Intent, request: RequestFacts): RequestDecision | Promise<RequestDecision>;
  /** Whether some endpoint could allow this name on some port for some binary: what DNS may answer. */
  couldAllowName(host: string): boolean;
  /** Whether some endpoint could allow this address literal and port for some binary. */
  couldAllowAddress(address: string, port: number): boolean;
}
