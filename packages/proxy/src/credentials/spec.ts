/** A credential as an operator describes it: plain data, without a value. */
export interface CredentialSpec {
  /** The variable of the workload's environment that holds the placeholder: `GITHUB_TOKEN`. */
  readonly name: string;
  readonly source: CredentialSource;
  /**
   * Where the value may go. Empty: to the endpoints of the policy whose `credential_binding` names `provider`, and nowhere else.
   */
  readonly bindings: readonly BindingSpec[];
  /** What `credential_binding` calls it. Absent: its name. */
  readonly provider?: string;
  /** Makes the placeholder an alias that begins so, as in `ghp_OPENSHELL-RESOLVE-ENV-GITHUB_TOKEN`. */
  readonly prefix?: string;
  /** Makes the placeholder one of this revision; those of other revisions do not resolve. */
  readonly revision?: number;
  /** Makes the placeholder one that survives rotation: 64 lower-case hex digits. */
  readonly stableId?: string;
}

/** Where a value comes from when it is needed. */
export type ValueSource =
  /** A variable of the caller's environment, read once. */
  | { readonly kind: 'env'; readonly variable: string }
  /** The content of a file without the line break at its end; read again when the file changes. */
  | { readonly kind: 'file'; readonly path: string }
  /** What a command prints, without whitespace around it. Run without a shell. */
  | {
      readonly kind: 'command';
      readonly argv: readonly string[];
      /** How long the value is used; 300 by default. */
      readonly ttlSeconds?: number;
    };

export type CredentialSource = ValueSource | OAuth2Source;

/** An access token that the proxy asks for itself (RFC 6749). */
export interface OAuth2Source {
  readonly kind: 'oauth2';
  readonly grant: OAuth2Grant;
  /** https, or http on loopback. */
  readonly tokenUrl: string;
  readonly clientId: string;
  readonly clientSecret?: ValueSource;
  /** How the client says who it is (RFC 6749 section 2.3.1). `basic` by default where there is a secret. */
  readonly clientAuth?: 'basic' | 'body';
  readonly scopes?: readonly string[];
  readonly audience?: string;
}

export type OAuth2Grant =
  | { readonly type: 'client_credentials' }
  /** A refresh token that the issuer replaces is written back where it came from a file, and kept in memory elsewhere. */
  | { readonly type: 'refresh_token'; readonly refreshToken: ValueSource };

export interface BindingSpec {
  /** As endpoints of a policy write it: a name, an address, `*.example.com`. */
  readonly host: string;
  /** Absent: 443. */
  readonly port?: number;
  /** Pattern of canonical paths, as in a policy. Absent: every path. */
  readonly path?: string;
  /** The value may also go over plain HTTP, where everyone on the way can read it. */
  readonly insecure?: boolean;
}
