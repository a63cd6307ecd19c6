import type { ClientCertificateFiles, Grants, MiddlewareService, UpstreamProxyWord } from '@openshell/proxy';
import type { JsonObject, RegoVersion } from '@openshell/rego';

/**
 * What one `openshell run` asks for, after everything was validated: the contract between the command line (or any
 * other caller) and the composition of proxy and runtime. Plain data; nothing here is looked up or defaulted later.
 */
export interface RunOptions {
  /** Program and arguments, at least one word. The program is found on the sandbox's own PATH, as a shell would. */
  readonly command: readonly [string, ...string[]];

  /** The policy's file, as the user named it (messages repeat that name). Absent: no network, the default files. */
  readonly policy?: PolicySource;

  /** Who decides about connections. Absent: the built-in evaluator, from the policy. */
  readonly rules?: Rules;

  /** An existing directory of the host, absolute, symbolic links resolved: where the command starts and may write. */
  readonly workdir: string;

  /** Variables for the command in the order given, each name once. */
  readonly env: readonly EnvironmentVariable[];

  /** Credentials and inference routes: what the command may use and never holds. No value of a secret is in here. */
  readonly grants: Grants;

  /** How long the command may run, in seconds (fractions allowed, greater than 0). Absent: as long as it likes. */
  readonly timeoutSeconds?: number;

  /** Where the OCSF events go as JSON lines. Absent: nowhere; refusals still appear on stderr unless `quiet`. */
  readonly events?: EventsDestination;

  /** Let through what merely nothing allows, and write a policy for it. Absent: refuse it. Never together with `rules`. */
  readonly learn?: LearnTarget;

  readonly runtime: RuntimeKind;

  readonly operator: OperatorWord;

  /** Keep the one-line refusals off stderr. Errors of OpenShell itself are always shown. */
  readonly quiet?: boolean;
}

/** Where a learned policy goes. What the run's policy says is in it, too. */
export interface LearnTarget {
  /** Absolute. */
  readonly file: string;
  /** The run's policy is read from this very file, and what is learned is added to it. */
  readonly exists: boolean;
}

/** Kinds of isolation that are built. The command line refuses every other name before anything is started. */
export type RuntimeKind = 'process';

export interface PolicySource {
  readonly file: string;
}

/** Rules that decide in the place of the built-in evaluator. The policy is part of their data. */
export type Rules =
  | {
      readonly kind: 'rego';
      /** Texts by file name; messages repeat that name. None: our own module, which answers as the policy says. */
      readonly modules: Readonly<Record<string, string>>;
      readonly version: RegoVersion;
      /** Besides the policy. */
      readonly data: JsonObject;
    }
  /** A running OPA, which has its own data. */
  | { readonly kind: 'opa'; readonly url: string }
  | {
      readonly kind: 'wasm';
      /** What OPA compiled. */
      readonly program: Uint8Array<ArrayBuffer>;
      /** The file's name, for messages. */
      readonly origin: string;
      readonly data: JsonObject;
    };

export interface EnvironmentVariable {
  /** Matches `[A-Za-z_][A-Za-z0-9_]*`. */
  readonly name: string;
  /** Holds no NUL byte. */
  readonly value: string;
}

export type EventsDestination =
  /** Appended to; created with mode 0600 where it does not exist. */
  { readonly kind: 'file'; readonly path: string } | { readonly kind: 'stdout' };

/**
 * What the operator of this machine vouches for and a policy never can: it comes from the command line and the
 * operator's own configuration, and it does not widen what a policy allows; it says where a name lives and whom to trust.
 */
export interface OperatorWord {
  /** The first rule that matches a name and port decides. A name named here may live on a loopback or private address. */
  readonly resolve: readonly ResolveRule[];

  /** PEM files with certificate authorities that upstream servers may be signed by, in addition to the built-in ones. */
  readonly upstreamCa: readonly string[];

  /** What the proxy shows to upstream servers that ask who it is. The first that matches a host counts. */
  readonly clientCertificates: readonly ClientCertificateFiles[];

  /** The proxy of this network, which connections go out through. Absent: they go directly. */
  readonly upstreamProxy?: UpstreamProxyWord;

  /** Services that the policy's `network_middlewares` may name. */
  readonly middlewares: readonly MiddlewareService[];
}

/** This name lives at this address, whatever DNS says. */
export interface ResolveRule {
  /** A host name: lower-case, without a final dot or wildcard, never an address. */
  readonly name: string;
  /** Only for connections to this port (1–65535). Absent: for every port. */
  readonly port?: number;
  /** An IPv4 or IPv6 address in its canonical form, without brackets or a zone. */
  readonly address: string;
  /** The port to dial instead of the one that was asked for (1–65535). Absent: the one that was asked for. */
  readonly toPort?: number;
}
