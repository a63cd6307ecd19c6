import type { Refusal } from '@openshell/audit';
import type { SandboxId } from '@openshell/base';
import type { Evidence } from '@openshell/policy';

/** What every version's name in ALPN (RFC 7301) begins with. */
export const LINK_ALPN_PREFIX = 'openshell-link/';

/** Versions of the link that this build speaks, the preferred first. What a released version says is never changed. */
export const LINK_VERSIONS: readonly string[] = [`${LINK_ALPN_PREFIX}1`];

/** A frame's JSON in UTF-8, at most, either way. */
export const LINK_FRAME_BYTES = 65_536;

/** How often a node says in a session that it is there. */
export const LINK_PING_MS = 15_000;
/** After so long a silence in a session its other side is taken to be gone. */
export const LINK_SILENCE_MS = 3 * LINK_PING_MS;

/** The two ends of a sandbox's connection as the sandbox's own kernel sees them. */
export interface LinkFlow {
  readonly family: 4 | 6;
  readonly clientAddress: string;
  readonly clientPort: number;
  /** Of a captured connection: where the program wanted to go. */
  readonly serverAddress: string;
  readonly serverPort: number;
}

export interface SessionOpening {
  readonly kind: 'session';
  readonly tenant: SandboxId;
  /** Of the node's program; for people. */
  readonly version: string;
}

export interface StreamOpening {
  readonly kind: 'stream';
  readonly tenant: SandboxId;
  /** `explicit`: the program knows that it talks to a proxy. */
  readonly adapter: 'explicit' | 'transparent';
  readonly flow: LinkFlow;
  /** The canonical name that was looked up, and that the destination's address stands for on the node. Only of `transparent`. */
  readonly name?: string | undefined;
  readonly evidence: Evidence;
}

/** What a connection is for: the node's first frame on it. */
export type Opening = SessionOpening | StreamOpening;

/** In a session, from the node. */
export type NodeMessage =
  /** May this canonical name be known? Asked with each lookup, since policy changes. */
  | { readonly kind: 'question'; readonly id: number; readonly name: string; readonly type: string }
  | { readonly kind: 'ping' };

/** What a sandbox needs to know of what is in force for it. */
export interface LinkGeneration {
  readonly generation: number;
  /** Of the policy (`policyHash`): a sandbox starts only under the one that it was made for. */
  readonly policyHash: string;
  /** What programs have to trust, PEM. */
  readonly authorityPem: string;
  /** What stands for credentials, by variable. No value of any. */
  readonly environment: Readonly<Record<string, string>>;
}

/** In a session, from the proxy. */
export type ProxyMessage =
  /** Connections are refused for now. */
  | { readonly kind: 'waiting'; readonly why: string }
  | ({ readonly kind: 'ready' } & LinkGeneration)
  | { readonly kind: 'answer'; readonly id: number; readonly known: boolean }
  | { readonly kind: 'refusal'; readonly refusal: Refusal }
  | { readonly kind: 'pong' };

/** In the place of everything else, where no version is common. Every version can read and write it. */
export interface Unsupported {
  readonly kind: 'unsupported';
  readonly speaks: readonly string[];
}
