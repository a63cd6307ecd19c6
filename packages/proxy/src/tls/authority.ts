import { createPrivateKey, generateKeyPairSync, type KeyObject, X509Certificate } from 'node:crypto';
import { OpenShellError } from '@openshell/base';
import {
  authorityName,
  issueAuthority,
  issueServer,
  keyIdOf,
  pemOf,
  publicKeyInfo,
  type Signer,
  SUBJECT_KEY_ID,
  signatureAlgorithm,
} from './certificate.ts';
import { contextTag, TAG } from './der.ts';
import { DerReader } from './der-reader.ts';
import { readCertificates } from './pem.ts';

const DAY_MS = 86_400_000;
/** A sandbox keeps the authority that it was started with, so this bounds how long one can run. */
const AUTHORITY_LIFETIME_MS = 365 * DAY_MS;
/** Well within what clients accept of a server's certificate (398 days), and far more than a context is kept. */
const LEAF_LIFETIME_MS = 30 * DAY_MS;
/** A clock in the sandbox that is a little behind must not refuse a new certificate. */
const BACKDATED_MS = 3_600_000;

/** A server's certificate as it goes out, with what lies between it and the root. */
export interface Leaf {
  readonly chainPem: string;
  readonly notAfter: Date;
}

/**
 * The authority that signs for inspected hosts. Its key is made in memory, or read from an operator's file, and is
 * in no message, property or printed form of this object.
 */
export class SigningAuthority {
  /** What a client has to trust: the authority's certificate, and those above it where the operator gave them. */
  readonly certificatePem: string;
  readonly notBefore: Date;
  readonly notAfter: Date;
  readonly #signer: Signer;
  /** Sent along with each leaf: all but the root, which the client has. */
  readonly #intermediatesPem: string;

  private constructor(chain: readonly X509Certificate[], key: KeyObject, algorithm: Buffer) {
    const [own] = chain as [X509Certificate];
    this.certificatePem = chain.map((certificate) => certificate.toString()).join('');
    this.notBefore = own.validFromDate;
    this.notAfter = own.validToDate;
    this.#signer = { ...identityOf(own.raw), key, algorithm };
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
    const name = authorityName('OpenShell Sandbox CA', 'OpenShell');
    const validity = {
      notBefore: new Date(now - BACKDATED_MS),
      notAfter: new Date(now + AUTHORITY_LIFETIME_MS),
    };
    const der = issueAuthority({ name, keyId: keyIdOf(spki), key: privateKey, algorithm }, spki, validity);
    return new SigningAuthority([new X509Certificate(der)], privateKey, algorithm);
  }

  /**
   * An operator's authority: its certificate, followed by those above it if it is not a root, and its key.
   * Throws `certificate_invalid` or `authority_invalid`.
   */
  static load(certificatePem: string, keyPem: string, now: number = Date.now()): SigningAuthority {
    const chain = readCertificates(certificatePem, "the authority's certificate");
    const [own] = chain as [X509Certificate, ...X509Certificate[]];
    const key = readKey(keyPem);
    const algorithm = signatureAlgorithm(key);
    if (algorithm === undefined) throw invalid('its key is neither EC nor RSA');
    if (!own.checkPrivateKey(key)) throw invalid('its key does not belong to its certificate');
    if (!own.ca) throw invalid('its certificate may not sign others (basicConstraints has no CA:TRUE)');
    if (own.validToDate.getTime() <= now) throw invalid(`it has expired (${own.validToDate.toISOString()})`);
    if (own.validFromDate.getTime() > now)
      throw invalid(`it is valid only from ${own.validFromDate.toISOString()}`);
    return new SigningAuthority(chain, key, algorithm);
  }

  /** A certificate for one host with this public key (DER, SubjectPublicKeyInfo). Throws `authority_expired`. */
  issueLeaf(host: string, spki: Buffer, now: number = Date.now()): Leaf {
    if (now >= this.notAfter.getTime()) {
      throw new OpenShellError('the authority that signs for inspected hosts has expired', {
        code: 'authority_expired',
        remedy: 'Start the sandbox again: it gets a new one.',
      });
    }
    const notBefore = new Date(Math.max(now - BACKDATED_MS, this.notBefore.getTime()));
    const notAfter = new Date(Math.min(now + LEAF_LIFETIME_MS, this.notAfter.getTime()));
    const der = issueServer(this.#signer, spki, host, { notBefore, notAfter });
    return { chainPem: pemOf(der) + this.#intermediatesPem, notAfter };
  }
}

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

/** The name and the key identifier, byte for byte as they stand in a certificate (RFC 5280 section 4.1). */
function identityOf(certificate: Buffer): Pick<Signer, 'name' | 'keyId'> {
  const body = new DerReader(
    new DerReader(new DerReader(certificate).expect(TAG.sequence)).expect(TAG.sequence),
  );
  let field = body.next();
  if (field.tag === contextTag(0)) field = body.next();
  // That was the serial number; then follow: algorithm, issuer, validity, subject.
  for (let i = 0; i < 3; i++) body.expect(TAG.sequence);
  const name = body.next().whole;
  while (!body.done) {
    field = body.next();
    if (field.tag === contextTag(3)) return { name, keyId: subjectKeyId(field.content) };
  }
  return { name, keyId: undefined };
}

function subjectKeyId(extensions: Buffer): Buffer | undefined {
  const list = new DerReader(new DerReader(extensions).expect(TAG.sequence));
  while (!list.done) {
    const extension = new DerReader(list.expect(TAG.sequence));
    if (!extension.next().whole.equals(SUBJECT_KEY_ID)) continue;
    let value = extension.next();
    if (value.tag === TAG.boolean) value = extension.next();
    return Buffer.from(new DerReader(value.content).expect(TAG.octetString));
  }
  return undefined;
}
