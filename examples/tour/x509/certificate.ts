import { createHash, generateKeyPairSync, type KeyObject, randomBytes, sign } from 'node:crypto';
import { bits, integer, octets, oid, sequence, set, tagged, utcTime, utf8, yes } from './der.ts';

/** A certificate (PEM) and its private key. */
export interface Identity {
  readonly certificate: string;
  readonly key: KeyObject;
  readonly publicKey: KeyObject;
  readonly name: string;
}

const VALID_MS = 24 * 60 * 60 * 1000;
/** A clock that is a little behind must not refuse a new certificate. */
const BACKDATED_MS = 60 * 60 * 1000;

const ECDSA_WITH_SHA256 = sequence(oid('1.2.840.10045.4.3.2'));
const COMMON_NAME = '2.5.4.3';
const EXTENSION = {
  subjectKey: '2.5.29.14',
  keyUsage: '2.5.29.15',
  alternativeNames: '2.5.29.17',
  basicConstraints: '2.5.29.19',
  authorityKey: '2.5.29.35',
  extendedKeyUsage: '2.5.29.37',
};
const SERVER_AUTHENTICATION = '1.3.6.1.5.5.7.3.1';

/** Key usage as a bit string, first bit first (RFC 5280, 4.2.1.3). */
const KEY_CERT_SIGN = bits(Buffer.of(0b0000_0100), 2);
const DIGITAL_SIGNATURE = bits(Buffer.of(0b1000_0000), 7);

const nameOf = (commonName: string): Buffer => sequence(set(sequence(oid(COMMON_NAME), utf8(commonName))));
const extension = (id: string, value: Buffer): Buffer => sequence(oid(id), octets(value));
const critical = (id: string, value: Buffer): Buffer => sequence(oid(id), yes(), octets(value));

const spki = (key: KeyObject): Buffer => key.export({ type: 'spki', format: 'der' });
/** Any value that tells keys apart will do (RFC 5280, 4.2.1.2); SHA-1 is what everybody uses. */
const keyId = (key: KeyObject): Buffer => createHash('sha1').update(spki(key)).digest();

const pem = (der: Buffer): string =>
  `-----BEGIN CERTIFICATE-----\n${der.toString('base64').replaceAll(/.{1,64}/g, '$&\n')}-----END CERTIFICATE-----\n`;

interface CertificateRequest {
  readonly subject: string;
  readonly publicKey: KeyObject;
  readonly issuer: string;
  readonly issuerKey: KeyObject;
  readonly extensions: readonly Buffer[];
}

/** An X.509 v3 certificate (RFC 5280, 4.1), valid for a day. */
const issue = ({ subject, publicKey, issuer, issuerKey, extensions }: CertificateRequest): string => {
  const now = Date.now();
  const body = sequence(
    tagged(0, integer(Buffer.of(2))),
    integer(Buffer.concat([Buffer.of(1), randomBytes(15)])),
    ECDSA_WITH_SHA256,
    nameOf(issuer),
    sequence(utcTime(new Date(now - BACKDATED_MS)), utcTime(new Date(now + VALID_MS))),
    nameOf(subject),
    spki(publicKey),
    tagged(3, sequence(...extensions)),
  );
  return pem(sequence(body, ECDSA_WITH_SHA256, bits(sign('sha256', body, issuerKey))));
};

const newKey = (): { privateKey: KeyObject; publicKey: KeyObject } =>
  generateKeyPairSync('ec', { namedCurve: 'P-256' });

/** A certificate authority of its own. */
export const makeAuthority = (name: string): Identity => {
  const { privateKey, publicKey } = newKey();
  const extensions = [
    critical(EXTENSION.basicConstraints, sequence(yes())),
    critical(EXTENSION.keyUsage, KEY_CERT_SIGN),
    extension(EXTENSION.subjectKey, octets(keyId(publicKey))),
  ];
  const certificate = issue({ subject: name, publicKey, issuer: name, issuerKey: privateKey, extensions });
  return { certificate, key: privateKey, publicKey, name };
};

/** A server's certificate for these DNS names, signed by the authority. */
export const makeServerIdentity = (names: readonly [string, ...string[]], authority: Identity): Identity => {
  const { privateKey, publicKey } = newKey();
  const alternativeNames = names.map((name) => tagged(2, Buffer.from(name), false));
  const extensions = [
    critical(EXTENSION.basicConstraints, sequence()),
    critical(EXTENSION.keyUsage, DIGITAL_SIGNATURE),
    extension(EXTENSION.extendedKeyUsage, sequence(oid(SERVER_AUTHENTICATION))),
    extension(EXTENSION.alternativeNames, sequence(...alternativeNames)),
    extension(EXTENSION.subjectKey, octets(keyId(publicKey))),
    extension(EXTENSION.authorityKey, sequence(tagged(0, keyId(authority.publicKey), false))),
  ];
  const [name] = names;
  const certificate = issue({
    subject: name,
    publicKey,
    issuer: authority.name,
    issuerKey: authority.key,
    extensions,
  });
  return { certificate, key: privateKey, publicKey, name };
};
