/** `signing`: certificates shown to clients are signed by it. `next`: it will be. `previous`: it was, and what it signed may still be shown. */
export type AuthorityRole = 'signing' | 'next' | 'previous';

export interface AuthorityCertificate {
  readonly role: AuthorityRole;
  readonly pem: string;
  /** SHA-256 of the certificate, lower-case hex. */
  readonly fingerprint: string;
  /** Milliseconds since 1970. */
  readonly notBefore: number;
  readonly notAfter: number;
}

export interface AuthorityStatus {
  readonly certificates: readonly AuthorityCertificate[];
  /** All of them: what clients are to trust at this moment. */
  readonly bundlePem: string;
}

/**
 * A rotation in three steps, so that there is no moment at which a client does not trust what it is shown: `prepare` makes a new authority that
 * clients can learn to trust, `activate` signs with it, `retire` forgets the old one.
 */
export type RotationStep = 'prepare' | 'activate' | 'retire';
