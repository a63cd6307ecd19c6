import { type Extension, readAlgorithm, readExtensions, type SignatureAlgorithm } from './certificate.ts';
import { bitsOf, childrenOf, contextTag, DerError, DerReader, integerOf, oidOf, TAG } from './der.ts';
import { type NameAttribute, readName } from './name.ts';
import { type PublicKey, readPublicKey } from './public-key.ts';

/** A certificate signing request (RFC 2986, section 4). */
export interface CertificateRequest {
  readonly raw: Buffer;
  readonly rawTbs: Buffer;
  readonly rawPublicKey: Buffer;
  readonly rawSubject: Buffer;
  readonly version: number;
  readonly signature: Buffer;
  readonly signatureAlgorithm: SignatureAlgorithm;
  readonly publicKey: PublicKey;
  readonly subject: readonly NameAttribute[];
  readonly extensions: readonly Extension[];
}

const EXTENSION_REQUEST = '1.2.840.113549.1.9.14';

/** Throws `asn1: structure error: ...`. */
export const readCertificateRequest = (der: Buffer): CertificateRequest => {
  try {
    return readRequest(der);
  } catch (thrown) {
    if (thrown instanceof DerError)
      throw new Error(`asn1: structure error: ${thrown.message}`, { cause: thrown });
    throw thrown;
  }
};

const readRequest = (der: Buffer): CertificateRequest => {
  const element = new DerReader(der).next(TAG.sequence);
  const outer = new DerReader(element.content);
  const tbs = outer.next(TAG.sequence);
  const fields = new DerReader(tbs.content);
  const version = Number(integerOf(fields.next(TAG.integer).content));
  const subject = fields.next(TAG.sequence);
  const publicKey = fields.next(TAG.sequence);
  const attributes = fields.optional(contextTag(0, true));
  return {
    raw: element.raw,
    rawTbs: tbs.raw,
    rawPublicKey: publicKey.raw,
    rawSubject: subject.raw,
    version,
    signatureAlgorithm: readAlgorithm(outer.next(TAG.sequence).content),
    signature: bitsOf(outer.next(TAG.bitString).content),
    publicKey: readPublicKey(publicKey.content),
    subject: readName(subject.content),
    extensions: attributes === undefined ? [] : requestedExtensions(attributes.content),
  };
};

const requestedExtensions = (content: Buffer): Extension[] => {
  for (const attribute of childrenOf(content)) {
    const reader = new DerReader(attribute.content);
    if (oidOf(reader.next(TAG.oid).content) !== EXTENSION_REQUEST) continue;
    return readExtensions(reader.next(TAG.set).content);
  }
  return [];
};
