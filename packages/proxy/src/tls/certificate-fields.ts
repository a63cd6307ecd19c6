import type { X509Certificate } from 'node:crypto';
import { BASIC_CONSTRAINTS, SUBJECT_KEY_ID } from './certificate.ts';
import { contextTag, TAG } from './der.ts';
import { type DerElement, DerReader } from './der-reader.ts';

/** What signing needs of an authority's certificate and Node.js does not tell. */
export interface AuthorityFields {
  /** The subject, byte for byte as it is encoded: that is how verifiers compare names. */
  readonly name: Buffer;
  readonly keyId: Buffer | undefined;
  /** How many further authorities may stand between this one and a server (RFC 5280 section 4.2.1.9); undefined: any number. */
  readonly pathLength: number | undefined;
}

/** Reads a certificate (DER) that OpenSSL has read before. `RangeError` where it is none. */
export function readAuthorityFields(certificate: Buffer): AuthorityFields {
  const body = new DerReader(
    new DerReader(new DerReader(certificate).expect(TAG.sequence)).expect(TAG.sequence),
  );
  let field = body.next();
  if (field.tag === contextTag(0)) field = body.next();
  // That was the serial number; then follow: algorithm, issuer, validity, subject.
  for (let i = 0; i < 3; i++) body.expect(TAG.sequence);
  const name = body.next().whole;
  let keyId: Buffer | undefined;
  let pathLength: number | undefined;
  for (const { id, value } of extensionsOf(body)) {
    if (id.equals(SUBJECT_KEY_ID)) keyId = Buffer.from(new DerReader(value).expect(TAG.octetString));
    if (id.equals(BASIC_CONSTRAINTS)) pathLength = readPathLength(new DerReader(value).expect(TAG.sequence));
  }
  return { name, keyId, pathLength };
}

/**
 * Clients look for who signed by its name, and by its key's identifier where both certificates have one. Two authorities that
 * they cannot tell apart in this way must not be trusted together: OpenSSL tries the first and gives up.
 */
export function areIndistinguishable(one: X509Certificate, other: X509Certificate): boolean {
  const [mine, its] = [readAuthorityFields(one.raw), readAuthorityFields(other.raw)];
  if (!mine.name.equals(its.name) || one.publicKey.equals(other.publicKey)) return false;
  return mine.keyId === undefined || its.keyId === undefined || mine.keyId.equals(its.keyId);
}

function* extensionsOf(body: DerReader): Generator<{ readonly id: Buffer; readonly value: Buffer }> {
  while (!body.done) {
    const field = body.next();
    if (field.tag !== contextTag(3)) continue;
    const list = new DerReader(new DerReader(field.content).expect(TAG.sequence));
    while (!list.done) {
      const extension = new DerReader(list.expect(TAG.sequence));
      const id = extension.next().whole;
      let value: DerElement = extension.next();
      if (value.tag === TAG.boolean) value = extension.next();
      yield { id, value: value.content };
    }
  }
}

function readPathLength(constraints: Buffer): number | undefined {
  const fields = new DerReader(constraints);
  while (!fields.done) {
    const { tag, content } = fields.next();
    // More than six bytes is no number of authorities; it is as good as none.
    if (tag === TAG.integer) return content.length > 6 ? undefined : content.readUIntBE(0, content.length);
  }
  return undefined;
}
