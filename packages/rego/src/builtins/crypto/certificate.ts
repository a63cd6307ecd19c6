import {
  bitsOf,
  contextTag,
  type DerElement,
  DerError,
  DerReader,
  hasBit,
  integerOf,
  oidOf,
  TAG,
  timeOf,
} from './der.ts';
import { type NameAttribute, readName } from './name.ts';
import { type PublicKey, readPublicKey } from './public-key.ts';

export interface Extension {
  readonly oid: string;
  readonly critical: boolean;
  readonly value: Buffer;
}

/** A certificate's fields (RFC 5280, section 4.1), those with a meaning read. */
export interface Certificate {
  readonly raw: Buffer;
  readonly rawTbs: Buffer;
  readonly rawPublicKey: Buffer;
  readonly rawSubject: Buffer;
  readonly rawIssuer: Buffer;
  readonly signature: Buffer;
  readonly signatureAlgorithm: SignatureAlgorithm;
  readonly version: number;
  readonly serialNumber: bigint;
  readonly issuer: readonly NameAttribute[];
  readonly subject: readonly NameAttribute[];
  readonly notBefore: string;
  readonly notAfter: string;
  readonly publicKey: PublicKey;
  readonly extensions: readonly Extension[];
}

/** An algorithm with the hash that its parameters name, where it has any. */
export interface SignatureAlgorithm {
  readonly oid: string;
  readonly hash: string | undefined;
}

/** Reads certificates one after the other. Throws `x509: malformed certificate`. */
export const readCertificates = (der: Buffer): Certificate[] => {
  const certificates: Certificate[] = [];
  const reader = new DerReader(der);
  try {
    while (!reader.done) certificates.push(readCertificate(reader.next(TAG.sequence)));
  } catch (thrown) {
    if (thrown instanceof DerError) throw new Error('x509: malformed certificate', { cause: thrown });
    throw thrown;
  }
  return certificates;
};

const readCertificate = (element: DerElement): Certificate => {
  const outer = new DerReader(element.content);
  const tbs = outer.next(TAG.sequence);
  const fields = new DerReader(tbs.content);
  const version = fields.optional(contextTag(0, true));
  const serialNumber = integerOf(fields.next(TAG.integer).content);
  fields.next(TAG.sequence);
  const issuer = fields.next(TAG.sequence);
  const validity = fields.sequence();
  const notBefore = timeOf(validity.next());
  const notAfter = timeOf(validity.next());
  const subject = fields.next(TAG.sequence);
  const publicKey = fields.next(TAG.sequence);
  fields.optional(contextTag(1, false));
  fields.optional(contextTag(2, false));
  const extensions = fields.optional(contextTag(3, true));
  return {
    raw: element.raw,
    rawTbs: tbs.raw,
    rawPublicKey: publicKey.raw,
    rawSubject: subject.raw,
    rawIssuer: issuer.raw,
    signatureAlgorithm: readAlgorithm(outer.next(TAG.sequence).content),
    signature: bitsOf(outer.next(TAG.bitString).content),
    version: version === undefined ? 1 : Number(integerOf(new DerReader(version.content).next().content)) + 1,
    serialNumber,
    issuer: readName(issuer.content),
    subject: readName(subject.content),
    notBefore,
    notAfter,
    publicKey: readPublicKey(publicKey.content),
    extensions: extensions === undefined ? [] : readExtensions(extensions.content),
  };
};

/** The parameters of RSASSA-PSS name its hash (RFC 4055, section 3.1). */
export const readAlgorithm = (content: Buffer): SignatureAlgorithm => {
  const reader = new DerReader(content);
  const oid = oidOf(reader.next(TAG.oid).content);
  if (oid !== '1.2.840.113549.1.1.10' || reader.done) return { oid, hash: undefined };
  const hash = reader.sequence().optional(contextTag(0, true));
  if (hash === undefined) return { oid, hash: undefined };
  return { oid, hash: oidOf(new DerReader(hash.content).sequence().next(TAG.oid).content) };
};

/** A sequence of extensions (RFC 5280, section 4.1.2.9). */
export const readExtensions = (content: Buffer): Extension[] => {
  const list = new DerReader(content).sequence();
  const extensions: Extension[] = [];
  while (!list.done) {
    const reader = list.sequence();
    const oid = oidOf(reader.next(TAG.oid).content);
    const critical = reader.optional(TAG.boolean);
    extensions.push({
      oid,
      critical: critical !== undefined && critical.content[0] !== 0,
      value: reader.next(TAG.octetString).content,
    });
  }
  return extensions;
};

/** Extensions with a meaning here. */
export const EXTENSION = {
  subjectKeyId: '2.5.29.14',
  keyUsage: '2.5.29.15',
  subjectAltName: '2.5.29.17',
  basicConstraints: '2.5.29.19',
  nameConstraints: '2.5.29.30',
  crlDistributionPoints: '2.5.29.31',
  certificatePolicies: '2.5.29.32',
  authorityKeyId: '2.5.29.35',
  extendedKeyUsage: '2.5.29.37',
  authorityInfoAccess: '1.3.6.1.5.5.7.1.1',
} as const;

export const extensionOf = (
  { extensions }: { readonly extensions: readonly Extension[] },
  oid: string,
): Buffer | undefined => extensions.find((extension) => extension.oid === oid)?.value;

/** What basic constraints say (RFC 5280, section 4.2.1.9). */
export const basicConstraintsOf = (
  certificate: Certificate,
): { readonly isCa: boolean; readonly maxPathLength: number | undefined } | undefined => {
  const value = extensionOf(certificate, EXTENSION.basicConstraints);
  if (value === undefined) return undefined;
  const reader = new DerReader(value).sequence();
  const isCa = reader.optional(TAG.boolean)?.content[0];
  const length = reader.optional(TAG.integer);
  return {
    isCa: isCa !== undefined && isCa !== 0,
    maxPathLength: length === undefined ? undefined : Number(integerOf(length.content)),
  };
};

/** Key usages as Go numbers them: bit 0 is digital signature. */
export const keyUsageOf = (certificate: Certificate): number => {
  const value = extensionOf(certificate, EXTENSION.keyUsage);
  if (value === undefined) return 0;
  const bits = bitsOf(new DerReader(value).next(TAG.bitString).content);
  let usage = 0;
  for (let bit = 0; bit < 9; bit++) if (hasBit(bits, bit)) usage |= 1 << bit;
  return usage;
};

export const extendedKeyUsagesOf = (certificate: Certificate): string[] => {
  const value = extensionOf(certificate, EXTENSION.extendedKeyUsage);
  if (value === undefined) return [];
  const reader = new DerReader(value).sequence();
  const usages: string[] = [];
  while (!reader.done) usages.push(oidOf(reader.next(TAG.oid).content));
  return usages;
};
