import { createHash, type KeyObject, randomBytes, sign } from 'node:crypto';
import { isIP } from 'node:net';
import { parseAddress } from '@openshell/policy';
import {
  bits,
  boolean,
  contextTag,
  element,
  integer,
  nothing,
  octets,
  oid,
  sequence,
  set,
  time,
  utf8,
} from './der.ts';

/** X.509 v3 certificates (RFC 5280 section 4.1): an authority's own and a server's. */

const ATTRIBUTE = { commonName: oid('2.5.4.3'), organization: oid('2.5.4.10') };
export const SUBJECT_KEY_ID = oid('2.5.29.14');
export const BASIC_CONSTRAINTS = oid('2.5.29.19');
const EXTENSION = {
  subjectKeyId: SUBJECT_KEY_ID,
  keyUsage: oid('2.5.29.15'),
  subjectAltName: oid('2.5.29.17'),
  basicConstraints: BASIC_CONSTRAINTS,
  authorityKeyId: oid('2.5.29.35'),
  extendedKeyUsage: oid('2.5.29.37'),
};
const SERVER_AUTHENTICATION = oid('1.3.6.1.5.5.7.3.1');

/** Named bits, the first one first (RFC 5280 section 4.2.1.3): keyCertSign and cRLSign, and digitalSignature. */
const SIGNS_CERTIFICATES = bits(Buffer.of(0b0000_0110), 1);
const SIGNS_HANDSHAKES = bits(Buffer.of(0b1000_0000), 7);

const VERSION_3 = element(contextTag(0), integer(Buffer.of(2)));

/** RFC 5280 appendix A.1, ub-common-name. */
const MAX_COMMON_NAME = 64;

/** Who signs: the name in the certificates, and the key with its algorithm. */
export interface Signer {
  /** The encoded name, byte for byte as in the signer's own certificate: that is how verifiers compare. */
  readonly name: Buffer;
  readonly keyId: Buffer | undefined;
  readonly key: KeyObject;
  readonly algorithm: Buffer;
}

export interface Validity {
  readonly notBefore: Date;
  readonly notAfter: Date;
}

/** How the key signs with SHA-256 (RFC 5758 section 3.2, RFC 4055 section 5); undefined for other kinds of key. */
export function signatureAlgorithm(key: KeyObject): Buffer | undefined {
  switch (key.asymmetricKeyType) {
    case 'ec':
      return sequence(oid('1.2.840.10045.4.3.2'));
    case 'rsa':
      return sequence(oid('1.2.840.113549.1.1.11'), nothing());
    default:
      return undefined;
  }
}

export const publicKeyInfo = (key: KeyObject): Buffer => key.export({ type: 'spki', format: 'der' });

/** Anything that tells keys apart will do (RFC 5280 section 4.2.1.2); this is made of the whole key info. */
export const keyIdOf = (spki: Buffer): Buffer => createHash('sha256').update(spki).digest().subarray(0, 20);

const attribute = (type: Buffer, value: string): Buffer => set(sequence(type, utf8(value)));

export const authorityName = (commonName: string, organization: string): Buffer =>
  sequence(attribute(ATTRIBUTE.organization, organization), attribute(ATTRIBUTE.commonName, commonName));

const extension = (id: Buffer, value: Buffer): Buffer => sequence(id, octets(value));
const critical = (id: Buffer, value: Buffer): Buffer => sequence(id, boolean(true), octets(value));

interface Request {
  readonly signer: Signer;
  readonly validity: Validity;
  readonly subject: Buffer;
  readonly spki: Buffer;
  readonly extensions: readonly Buffer[];
}

/** Positive, never zero, 16 bytes: unique by chance (RFC 5280 section 4.1.2.2). */
function serialNumber(): Buffer {
  const bytes = randomBytes(16);
  bytes[0] = (bytes[0]! & 0x3f) | 0x40;
  return integer(bytes);
}

function issue({ signer, validity, subject, spki, extensions }: Request): Buffer {
  const body = sequence(
    VERSION_3,
    serialNumber(),
    signer.algorithm,
    signer.name,
    sequence(time(validity.notBefore), time(validity.notAfter)),
    subject,
    spki,
    element(contextTag(3), sequence(...extensions)),
  );
  return sequence(body, signer.algorithm, bits(sign('sha256', body, signer.key)));
}

/** Who is certified as an authority. */
export interface AuthoritySubject {
  /** Encoded, as in `Signer`. */
  readonly name: Buffer;
  readonly spki: Buffer;
  readonly keyId: Buffer;
  /** How many further authorities may stand between this one and a server. */
  readonly pathLength: number;
}

/** An authority's certificate: its own where it signs it itself, else one by which another vouches for it. */
export function issueAuthority(signer: Signer, subject: AuthoritySubject, validity: Validity): Buffer {
  const { name, spki, keyId, pathLength } = subject;
  const extensions = [
    critical(EXTENSION.basicConstraints, sequence(boolean(true), integer(Buffer.of(pathLength)))),
    critical(EXTENSION.keyUsage, SIGNS_CERTIFICATES),
    extension(EXTENSION.subjectKeyId, octets(keyId)),
  ];
  if (signer.keyId?.equals(keyId) !== true) extensions.push(...authorityKeyId(signer));
  return issue({ signer, validity, subject: name, spki, extensions });
}

/** A server's certificate for one host: a canonical name or address. */
export function issueServer(signer: Signer, spki: Buffer, host: string, validity: Validity): Buffer {
  // Names too long for a common name have none; the alternative name must then be critical (RFC 5280 section 4.2.1.6).
  const named = host.length <= MAX_COMMON_NAME;
  const alternativeName = sequence(generalName(host));
  const extensions = [
    critical(EXTENSION.basicConstraints, sequence()),
    critical(EXTENSION.keyUsage, SIGNS_HANDSHAKES),
    extension(EXTENSION.extendedKeyUsage, sequence(SERVER_AUTHENTICATION)),
    (named ? extension : critical)(EXTENSION.subjectAltName, alternativeName),
    extension(EXTENSION.subjectKeyId, octets(keyIdOf(spki))),
    ...authorityKeyId(signer),
  ];
  const subject = named ? sequence(attribute(ATTRIBUTE.commonName, host)) : sequence();
  return issue({ signer, validity, subject, spki, extensions });
}

/** Tells verifiers which key signed, where several authorities have one name. */
const authorityKeyId = ({ keyId }: Signer): readonly Buffer[] =>
  keyId === undefined
    ? []
    : [extension(EXTENSION.authorityKeyId, sequence(element(contextTag(0, false), keyId)))];

/** RFC 5280 section 4.2.1.6: dNSName is 2, iPAddress is 7. */
function generalName(host: string): Buffer {
  const address = isIP(host) === 0 ? undefined : parseAddress(host);
  if (address === undefined) return element(contextTag(2, false), Buffer.from(host, 'latin1'));
  const digits = address.value.toString(16).padStart(address.family === 4 ? 8 : 32, '0');
  return element(contextTag(7, false), Buffer.from(digits, 'hex'));
}

export const pemOf = (der: Buffer): string =>
  `-----BEGIN CERTIFICATE-----\n${der.toString('base64').replaceAll(/.{1,64}/g, '$&\n')}-----END CERTIFICATE-----\n`;
