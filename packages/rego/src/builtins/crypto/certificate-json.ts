import { numberFromBigInt, RegoObject, type Value } from '../../value/index.ts';
import { formatAddress } from '../net/address.ts';
import { parseUrl } from '../net/url.ts';
import {
  basicConstraintsOf,
  type Certificate,
  EXTENSION,
  type Extension,
  extendedKeyUsagesOf,
  extensionOf,
  keyUsageOf,
  type SignatureAlgorithm,
} from './certificate.ts';
import { childrenOf, contextTag, DerReader, oidOf, TAG } from './der.ts';
import { type NameAttribute, readAlternativeNames } from './name.ts';
import type { PublicKey } from './public-key.ts';
import type { CertificateRequest } from './request.ts';

/** Certificates as Go's `encoding/json` writes `x509.Certificate`, which is what policies were written for. */

type Members = Record<string, Value>;

const object = (members: Members): RegoObject => new RegoObject(Object.entries(members));

const base64 = (bytes: Buffer | undefined): Value => (bytes === undefined ? null : bytes.toString('base64'));

/** Go's empty slices are null. */
const listOrNull = (list: readonly Value[]): Value => (list.length === 0 ? null : list);

const oidNumbers = (oid: string): Value => oid.split('.').map(Number);

export const certificateValue = (certificate: Certificate): RegoObject =>
  object({
    Raw: base64(certificate.raw),
    RawTBSCertificate: base64(certificate.rawTbs),
    RawSubjectPublicKeyInfo: base64(certificate.rawPublicKey),
    RawSubject: base64(certificate.rawSubject),
    RawIssuer: base64(certificate.rawIssuer),
    Signature: base64(certificate.signature),
    SignatureAlgorithm: signatureNumber(certificate.signatureAlgorithm),
    ...publicKeyMembers(certificate.publicKey),
    Version: certificate.version,
    SerialNumber: numberFromBigInt(certificate.serialNumber),
    Issuer: nameValue(certificate.issuer),
    Subject: nameValue(certificate.subject),
    NotBefore: certificate.notBefore,
    NotAfter: certificate.notAfter,
    KeyUsage: keyUsageOf(certificate),
    Extensions: listOrNull(certificate.extensions.map(extensionValue)),
    ExtraExtensions: null,
    UnhandledCriticalExtensions: listOrNull(unhandled(certificate.extensions)),
    ...extendedUsageMembers(certificate),
    ...constraintMembers(certificate),
    ...keyIdMembers(certificate),
    ...accessMembers(certificate),
    ...alternativeNameMembers(certificate.extensions),
    ...nameConstraintMembers(certificate),
    CRLDistributionPoints: listOrNull(distributionPoints(certificate)),
    ...policyMembers(certificate),
  });

export const requestValue = (request: CertificateRequest): RegoObject =>
  object({
    Raw: base64(request.raw),
    RawTBSCertificateRequest: base64(request.rawTbs),
    RawSubjectPublicKeyInfo: base64(request.rawPublicKey),
    RawSubject: base64(request.rawSubject),
    Version: request.version,
    Signature: base64(request.signature),
    SignatureAlgorithm: signatureNumber(request.signatureAlgorithm),
    ...publicKeyMembers(request.publicKey),
    Subject: nameValue(request.subject),
    Attributes: null,
    Extensions: listOrNull(request.extensions.map(extensionValue)),
    ExtraExtensions: null,
    ...alternativeNameMembers(request.extensions),
  });

/** Go's numbers of `x509.SignatureAlgorithm`. */
const SIGNATURES: Readonly<Record<string, number>> = {
  '1.2.840.113549.1.1.2': 1,
  '1.2.840.113549.1.1.4': 2,
  '1.2.840.113549.1.1.5': 3,
  '1.2.840.113549.1.1.11': 4,
  '1.2.840.113549.1.1.12': 5,
  '1.2.840.113549.1.1.13': 6,
  '1.2.840.10040.4.3': 7,
  '2.16.840.1.101.3.4.3.2': 8,
  '1.2.840.10045.4.1': 9,
  '1.2.840.10045.4.3.2': 10,
  '1.2.840.10045.4.3.3': 11,
  '1.2.840.10045.4.3.4': 12,
  '1.3.101.112': 16,
};

/** RSASSA-PSS is told apart by its hash. */
const PSS_SIGNATURES: Readonly<Record<string, number>> = {
  '2.16.840.1.101.3.4.2.1': 13,
  '2.16.840.1.101.3.4.2.2': 14,
  '2.16.840.1.101.3.4.2.3': 15,
};

const signatureNumber = ({ oid, hash }: SignatureAlgorithm): number =>
  (hash === undefined ? SIGNATURES[oid] : PSS_SIGNATURES[hash]) ?? 0;

/** Go's numbers of `x509.PublicKeyAlgorithm`, and the key. */
const publicKeyMembers = (key: PublicKey): Members => {
  switch (key.kind) {
    case 'rsa':
      return {
        PublicKeyAlgorithm: 1,
        PublicKey: object({ N: numberFromBigInt(key.modulus), E: numberFromBigInt(key.exponent) }),
      };
    case 'dsa':
      return { PublicKeyAlgorithm: 2, PublicKey: null };
    case 'ecdsa':
      return {
        PublicKeyAlgorithm: 3,
        PublicKey: object({ Curve: object({}), X: numberFromBigInt(key.x), Y: numberFromBigInt(key.y) }),
      };
    case 'ed25519':
      return { PublicKeyAlgorithm: 4, PublicKey: base64(key.bytes) };
    case 'unknown':
      return { PublicKeyAlgorithm: 0, PublicKey: null };
    default: {
      const never: never = key;
      return never;
    }
  }
};

/** Members of Go's `pkix.Name` by attribute; those with a list may stand more than once. */
const NAME_LISTS: Readonly<Record<string, string>> = {
  '2.5.4.6': 'Country',
  '2.5.4.10': 'Organization',
  '2.5.4.11': 'OrganizationalUnit',
  '2.5.4.7': 'Locality',
  '2.5.4.8': 'Province',
  '2.5.4.9': 'StreetAddress',
  '2.5.4.17': 'PostalCode',
};
const NAME_TEXTS: Readonly<Record<string, string>> = { '2.5.4.5': 'SerialNumber', '2.5.4.3': 'CommonName' };

const nameValue = (attributes: readonly NameAttribute[]): RegoObject => {
  const valuesOf = (oid: string): string[] =>
    attributes.filter((each) => each.oid === oid).map(({ value }) => value);
  const members: Members = {
    Names: listOrNull(attributes.map(({ oid, value }) => object({ Type: oidNumbers(oid), Value: value }))),
    ExtraNames: null,
  };
  for (const [oid, name] of Object.entries(NAME_LISTS)) members[name] = listOrNull(valuesOf(oid));
  for (const [oid, name] of Object.entries(NAME_TEXTS)) members[name] = valuesOf(oid).at(-1) ?? '';
  return object(members);
};

const extensionValue = ({ oid, critical, value }: Extension): RegoObject =>
  object({ Id: oidNumbers(oid), Critical: critical, Value: base64(value) });

const unhandled = (extensions: readonly Extension[]): Value[] => {
  const handled = new Set<string>(Object.values(EXTENSION));
  return extensions
    .filter(({ oid, critical }) => critical && !handled.has(oid))
    .map(({ oid }) => oidNumbers(oid));
};

/** Go's numbers of `x509.ExtKeyUsage`, by position. */
export const EXTENDED_USAGES = [
  '2.5.29.37.0',
  '1.3.6.1.5.5.7.3.1',
  '1.3.6.1.5.5.7.3.2',
  '1.3.6.1.5.5.7.3.3',
  '1.3.6.1.5.5.7.3.4',
  '1.3.6.1.5.5.7.3.5',
  '1.3.6.1.5.5.7.3.6',
  '1.3.6.1.5.5.7.3.7',
  '1.3.6.1.5.5.7.3.8',
  '1.3.6.1.5.5.7.3.9',
  '1.3.6.1.4.1.311.10.3.3',
  '2.16.840.1.113730.4.1',
  '1.3.6.1.4.1.311.2.1.22',
  '1.3.6.1.4.1.311.61.1.1',
];

const extendedUsageMembers = (certificate: Certificate): Members => {
  const usages = extendedKeyUsagesOf(certificate);
  const known = usages.map((oid) => EXTENDED_USAGES.indexOf(oid)).filter((index) => index >= 0);
  const unknown = usages.filter((oid) => !EXTENDED_USAGES.includes(oid)).map(oidNumbers);
  return { ExtKeyUsage: listOrNull(known), UnknownExtKeyUsage: listOrNull(unknown) };
};

const constraintMembers = (certificate: Certificate): Members => {
  const constraints = basicConstraintsOf(certificate);
  const length = constraints?.maxPathLength;
  return {
    BasicConstraintsValid: constraints !== undefined,
    IsCA: constraints?.isCa ?? false,
    MaxPathLen: constraints === undefined ? 0 : (length ?? -1),
    MaxPathLenZero: length === 0,
  };
};

const keyIdMembers = (certificate: Certificate): Members => {
  const subject = extensionOf(certificate, EXTENSION.subjectKeyId);
  const authority = extensionOf(certificate, EXTENSION.authorityKeyId);
  return {
    SubjectKeyId: base64(
      subject === undefined ? undefined : new DerReader(subject).next(TAG.octetString).content,
    ),
    AuthorityKeyId: base64(
      authority === undefined
        ? undefined
        : new DerReader(authority).sequence().optional(contextTag(0, false))?.content,
    ),
  };
};

/** Where to ask for a certificate's state and its issuer (RFC 5280, section 4.2.2.1). */
const accessMembers = (certificate: Certificate): Members => {
  const value = extensionOf(certificate, EXTENSION.authorityInfoAccess);
  const descriptions = value === undefined ? [] : childrenOf(new DerReader(value).next(TAG.sequence).content);
  const locationsOf = (method: string): Value =>
    listOrNull(
      descriptions.flatMap(({ content }) => {
        const reader = new DerReader(content);
        const found = oidOf(reader.next(TAG.oid).content);
        const location = reader.next();
        return found === method && location.tag === 0x86 ? [location.content.toString('latin1')] : [];
      }),
    );
  return {
    OCSPServer: locationsOf('1.3.6.1.5.5.7.48.1'),
    IssuingCertificateURL: locationsOf('1.3.6.1.5.5.7.48.2'),
  };
};

const alternativeNameMembers = (extensions: readonly Extension[]): Members => {
  const value = extensionOf({ extensions }, EXTENSION.subjectAltName);
  const names = value === undefined ? undefined : readAlternativeNames(value);
  return {
    DNSNames: listOrNull(names?.dns ?? []),
    EmailAddresses: listOrNull(names?.emails ?? []),
    IPAddresses: listOrNull((names?.addresses ?? []).map(addressText)),
    URIs: listOrNull((names?.uris ?? []).map(urlValue)),
    URIStrings: listOrNull(names?.uris ?? []),
  };
};

const addressText = (bytes: Buffer): string =>
  formatAddress({ bits: bytes.length === 4 ? 32 : 128, value: BigInt(`0x${bytes.toString('hex')}`) });

const urlValue = (text: string): Value => {
  const url = parseUrl(text);
  return object({
    Scheme: url.scheme,
    Opaque: url.opaque,
    User: url.user === undefined ? null : object({}),
    Host: url.host,
    Path: url.path,
    Fragment: url.fragment,
    RawQuery: url.rawQuery,
    RawPath: url.rawPath,
    RawFragment: '',
    ForceQuery: url.forceQuery,
    OmitHost: url.omitHost,
  });
};

const nameConstraintMembers = (certificate: Certificate): Members => {
  const constraints = certificate.extensions.find(({ oid }) => oid === EXTENSION.nameConstraints);
  const members: Members = { PermittedDNSDomainsCritical: constraints?.critical ?? false };
  const trees =
    constraints === undefined ? [] : childrenOf(new DerReader(constraints.value).next(TAG.sequence).content);
  for (const [number, prefix] of ['Permitted', 'Excluded'].entries()) {
    const tree = trees.find(({ tag }) => tag === contextTag(number, true));
    const bases =
      tree === undefined ? [] : childrenOf(tree.content).map(({ content }) => new DerReader(content).next());
    const namesOf = (tag: number): Value =>
      listOrNull(bases.filter((base) => base.tag === tag).map(({ content }) => content.toString('latin1')));
    members[`${prefix}DNSDomains`] = namesOf(0x82);
    members[`${prefix}EmailAddresses`] = namesOf(0x81);
    members[`${prefix}URIDomains`] = namesOf(0x86);
    members[`${prefix}IPRanges`] = listOrNull(
      bases.filter(({ tag }) => tag === 0x87).map(({ content }) => rangeValue(content)),
    );
  }
  return members;
};

const rangeValue = (content: Buffer): Value => {
  const half = content.length / 2;
  return object({ IP: addressText(content.subarray(0, half)), Mask: base64(content.subarray(half)) });
};

const distributionPoints = (certificate: Certificate): Value[] => {
  const value = extensionOf(certificate, EXTENSION.crlDistributionPoints);
  if (value === undefined) return [];
  return childrenOf(new DerReader(value).next(TAG.sequence).content).flatMap(({ content }) => {
    const name = new DerReader(content).optional(contextTag(0, true));
    const full = name === undefined ? undefined : new DerReader(name.content).optional(contextTag(0, true));
    const uris = full === undefined ? [] : childrenOf(full.content).filter(({ tag }) => tag === 0x86);
    return uris.map((uri) => uri.content.toString('latin1'));
  });
};

const policyMembers = (certificate: Certificate): Members => {
  const value = extensionOf(certificate, EXTENSION.certificatePolicies);
  const oids =
    value === undefined
      ? []
      : childrenOf(new DerReader(value).next(TAG.sequence).content).map(({ content }) =>
          oidOf(new DerReader(content).next(TAG.oid).content),
        );
  return {
    PolicyIdentifiers: listOrNull(oids.map(oidNumbers)),
    Policies: listOrNull(oids),
    InhibitAnyPolicy: 0,
    InhibitAnyPolicyZero: false,
    InhibitPolicyMapping: 0,
    InhibitPolicyMappingZero: false,
    RequireExplicitPolicy: 0,
    RequireExplicitPolicyZero: false,
    PolicyMappings: null,
  };
};
