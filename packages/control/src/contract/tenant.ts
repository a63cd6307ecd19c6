import type { SandboxId } from '@openshell/base';
import type { InstalledGeneration } from './generation.ts';

/** How the proxy knows that a connection is a tenant's. */
export type Recognition =
  /** It comes in at this address (`127.0.0.1:3129`, `[::1]:0`), which the tenant has for itself. */
  | { readonly kind: 'listener'; readonly host: string; readonly port: number }
  /**
   * It says so by `Proxy-Authorization: Basic` or SOCKS5 user name and password, at an address that tenants share. The password is random, so
   * its SHA-256 (lower-case hex) may be kept and sent.
   */
  | { readonly kind: 'credentials'; readonly username: string; readonly passwordSha256: string }
  /** It comes from there (CIDR), at an address that tenants share: the operator vouches that nobody else can send from it. */
  | { readonly kind: 'source'; readonly network: string }
  /** It comes over the link, from a node whose client certificate has this name (URI or DNS subject alternative name). */
  | { readonly kind: 'certificate'; readonly name: string };

/** What one tenant may use up. Absent: as in docs/limits.md. */
export interface TenantLimits {
  /** Connections at one time. */
  readonly connections?: number | undefined;
  /** Bytes of bodies and messages that are held in memory at one time. */
  readonly heldBytes?: number | undefined;
  /** Events a second that are passed on; those beyond it are counted and reported as lost. */
  readonly eventsPerSecond?: number | undefined;
}

export interface TenantSpec {
  readonly id: SandboxId;
  /** At least one. */
  readonly recognitions: readonly Recognition[];
  /**
   * `required`: what policy allows to binaries needs evidence of the binary, which only the link brings. `not-required`: the operator's word
   * that any program of this tenant may use what the policy allows to some.
   */
  readonly identity: 'required' | 'not-required';
  readonly limits?: TenantLimits | undefined;
}

/** What has happened since the start. */
export interface TenantCounters {
  readonly accepted: number;
  /** Turned away because there were too many. */
  readonly shed: number;
  readonly connectionsAllowed: number;
  readonly connectionsDenied: number;
  readonly requestsAllowed: number;
  readonly requestsDenied: number;
  /** Of connections and requests that were allowed and did not come about. */
  readonly upstreamFailures: number;
  readonly bytesIn: number;
  readonly bytesOut: number;
  readonly events: number;
  readonly eventsLost: number;
}

export interface TenantReport {
  readonly id: SandboxId;
  /** Of what it was registered with (`tenantHash`): a controller that comes back compares it with what it wants. */
  readonly specHash?: string | undefined;
  /** Absent: nothing was installed, and everything is denied. */
  readonly installed?: InstalledGeneration | undefined;
  /** Where it listens for itself, with the ports that were given; several workers share them. */
  readonly listening: readonly { readonly host: string; readonly port: number }[];
  /** Open at this moment. */
  readonly connections: number;
  readonly handshakes: number;
  readonly heldBytes: number;
  readonly counters: TenantCounters;
}
