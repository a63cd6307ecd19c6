import { createPrivateKey, generateKeyPairSync, type KeyObject, X509Certificate } from 'node:crypto';
import { OpenShellError } from '@openshell/base';
import { LIMITS } from '../limits.ts';
import {
  authorityName,
  issueAuthority,
  issueServer,
  keyIdOf,
  pemOf,
  publicKeyInfo,
  signatureAlgorithm,
} from './certificate.ts';
import { type AuthorityFields, readAuthorityFields } from './certificate-fields.ts';
import { readCertificates } from './pem.ts';

const DAY_MS = 86_400_000;
/** Well within what clients accept of a server's certificate (398 days), and far more than a context is kept. */
const LEAF_LIFETIME_MS = 30 * DAY_MS;
/** A clock that is behind, the client's or ours after it has jumped, must not refuse a certificate that was just made. */
const BACKDATED_MS = 7 * DAY_MS;

/** A server's certificate as it goes out, with what lies between it and the root. */
export interface Leaf {
  readonly chainPem: string;
  readonly notBefore: Date;
  readonly notAfter: Date;
}

/**
 * An authority that signs for inspected hosts. Its key is made in memory, or read from an operator's file, and is
 * in no message, property or printed form of this object.
 */
export class SigningAuthority {
  /** What a client has to trust: the authority's certificate, and those above it where the operator gave them. */
  readonly certificatePem: string;
  /** SHA-256 of the certificate, lower-case hex. */
  readonly fingerprint: string;
  readonly notBefore: Date;
  readonly notAfter: Date;
  readonly #own: X509Certificate;
  readonly #fields: AuthorityFields;
  readonly #key: KeyObject;
  readonly #algorithm: Buffer;
  /** Sent along with each leaf: all but the root, which the client has. */
  readonly #intermediatesPem: string;

  private constructor(chain: readonly X509Certificate[], key: KeyObject, algorithm: Buffer) {
    const [own] = chain as [X509Certificate];
    this.certificatePem = chain.map((certificate) => certificate.toString()).join('');
    this.fingerprint = fingerprintOf(own);
    this.notBefore = own.validFromDate;
    this.notAfter = own.validToDate;
    this.#own = own;
    this.#fields = readAuthorityFields(own.raw);
    this.#key = key;
    this.#algorithm = algorithm;
    this.#intermediatesPem = chain
      .filter((certificate) => certificate.subject !== certificate.issuer)
      .map((certificate) => certificate.toString())
      .join('');
  }

  /** A new authority that exists nowhere else. `now` is in milliseconds since 1970. */
  static create(now: number = Date.now()): SigningAuthority {
    const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const spki = publicKeyInfo(publicKey);
    const algorithm = signatureAlgorithm(privateKey)!;
    const keyId = keyIdOf(spki);
    // A name of its own: not every verifier tries two authorities that have the same one.
    const name = authorityName(`OpenShell Sandbox CA ${keyId.toString('hex', 0, 4)}`, 'OpenShell');
    const validity = {
      notBefore: new Date(now - BACKDATED_MS),
      notAfter: new Date(now + LIMITS.authorityTime.value),
    };
    // One authority below it: its successor, when it is rotated.
    const subject = { name, spki, keyId, pathLength: 1 };
    const der = issueAuthority({ name, keyId, key: privateKey, algorithm }, subject, validity);
    return new SigningAuthority([new X509Certificate(der)], privateKey, algorithm);
  }

  /**
   * An operator's authority: its certificate, followed by those above it if it is not a root, and its key.
   * Throws `certificate_invalid` or `authority_invalid`.
   */
  static load(certificatePem: string, keyPem: string, now: number = Date.now()): SigningAuthority {
    const authority = SigningAuthority.restore(certificatePem, keyPem);
    const { notBefore, notAfter } = authority;
    if (notAfter.getTime() <= now) throw invalid(`it has expired (${notAfter.toISOString()})`);
    if (notBefore.getTime() > now) throw invalid(`it is valid only from ${notBefore.toISOString()}`);
    return authority;
  }

  /** The same, valid at this moment or not: whoever had it already may go on having it. */
  static restore(certificatePem: string, keyPem: string): SigningAuthority {
    const chain = readCertificates(certificatePem, "the authority's certificate");
    const [own] = chain as [X509Certificate, ...X509Certificate[]];
    const key = readKey(keyPem);
    const algorithm = signatureAlgorithm(key);
    if (algorithm === undefined) throw invalid('its key is neither EC nor RSA');
    if (!own.checkPrivateKey(key)) throw invalid('its key does not belong to its certificate');
    if (!own.ca) throw invalid('its certificate may not sign others (basicConstraints has no CA:TRUE)');
    return new SigningAuthority(chain, key, algorithm);
  }

  /** A certificate for one host with this public key (DER, SubjectPublicKeyInfo). Throws `authority_expired`. */
  issueLeaf(host: string, spki: Buffer, now: number = Date.now()): Leaf {
    if (now >= this.notAfter.getTime()) {
      throw new OpenShellError(
        `the authority that signs for inspected hosts has expired (${this.notAfter.toISOString()})`,
        {
          code: 'authority_expired',
          remedy:
            'Check the clock of this machine; rotate the authority, or start the sandbox or the proxy again.',
        },
      );
    }
    // A clock that stands before the authority's beginning is wrong; the clients' may well be right.
    const from = Math.max(now - BACKDATED_MS, this.notBefore.getTime());
    const notBefore = new Date(from);
    const notAfter = new Date(Math.min(from + BACKDATED_MS + LEAF_LIFETIME_MS, this.notAfter.getTime()));
    const der = issueServer(this.#signer(), spki, host, { notBefore, notAfter });
    return { chainPem: pemOf(der) + this.#intermediatesPem, notBefore, notAfter };
  }

  /**
   * A certificate (PEM) by which this authority vouches for another: clients that trust only this one then believe what the other
   * signs (RFC 4210 section 4.4, key rollover). Undefined where it is not needed, as both have one key, or would convince nobody:
   * between roots alone, and only where this one may have authorities below it.
   */
  vouchFor(other: SigningAuthority): string | undefined {
    const { pathLength = 1 } = this.#fields;
    if (!this.#isRoot || !other.#isRoot || pathLength < 1 || this.#hasKeyOf(other)) return undefined;
    const notBefore = new Date(Math.max(this.notBefore.getTime(), other.notBefore.getTime()));
    const notAfter = new Date(Math.min(this.notAfter.getTime(), other.notAfter.getTime()));
    if (notBefore >= notAfter) return undefined;
    const spki = publicKeyInfo(other.#own.publicKey);
    const { name, keyId = keyIdOf(spki) } = other.#fields;
    const subject = { name, spki, keyId, pathLength: 0 };
    return pemOf(issueAuthority(this.#signer(), subject, { notBefore, notAfter }));
  }

  /** The key as PEM. Whoever calls this answers for where it goes. */
  revealKey(): string {
    return this.#key.export({ type: 'pkcs8', format: 'pem' }) as string;
  }

  get #isRoot(): boolean {
    return this.#own.checkIssued(this.#own);
  }

  #hasKeyOf(other: SigningAuthority): boolean {
    return this.#own.publicKey.equals(other.#own.publicKey);
  }

  #signer() {
    const { name, keyId } = this.#fields;
    return { name, keyId, key: this.#key, algorithm: this.#algorithm };
  }
}

/** As `AuthorityCertificate` of the control contract has it. */
const fingerprintOf = (certificate: X509Certificate): string =>
  certificate.fingerprint256.replaceAll(':', '').toLowerCase();

const invalid = (why: string): OpenShellError =>
  new OpenShellError(`this authority cannot sign for inspected hosts: ${why}`, {
    code: 'authority_invalid',
    remedy: 'Give the PEM certificate of an authority that is valid now, with its unencrypted EC or RSA key.',
  });

function readKey(pem: string): KeyObject {
  try {
    return createPrivateKey(pem);
  } catch {
    // The cause is left out on purpose: it is about the text of a key.
    throw invalid('its key cannot be read');
  }
}
