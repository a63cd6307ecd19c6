import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
import { type BuiltinContext, type BuiltinDeclaration, BuiltinError, operandError } from '../builtin.ts';
import { ANY, arrayOf, BOOLEAN, objectOf, record, STRING, tuple } from '../types/index.ts';
import { isArray, isNumber, RegoObject, toBigInt, type Value } from '../value/index.ts';
import { type Certificate, readCertificates } from './crypto/certificate.ts';
import { certificateValue, EXTENDED_USAGES, requestValue } from './crypto/certificate-json.ts';
import { type ChainOptions, verifyChain } from './crypto/chain.ts';
import { jwkValue, privateKeyValue, readPrivateKey, readPrivateKeys } from './crypto/keys.ts';
import { decodePem, looksLikePem, pemBlocks } from './crypto/pem.ts';
import { readCertificateRequest } from './crypto/request.ts';
import { builtin } from './declare.ts';
import { decodeBase64 } from './encoding/base64.ts';
import { bytesOfText } from './encoding/bytes.ts';
import { wrapped } from './encoding.ts';
import { objectAt, stringAt } from './operands.ts';

type HashName = 'md5' | 'sha1' | 'sha256' | 'sha512';

const digest =
  (hash: HashName) =>
  (args: readonly Value[], context: BuiltinContext): Value => {
    const text = stringAt(args, 0);
    context.spend(1 + (text.length >> 8));
    return createHash(hash).update(bytesOfText(text)).digest('hex');
  };

const hmac =
  (hash: HashName) =>
  (args: readonly Value[], context: BuiltinContext): Value => {
    const text = stringAt(args, 0);
    const key = stringAt(args, 1);
    context.spend(1 + ((text.length + key.length) >> 8));
    return createHmac(hash, bytesOfText(key)).update(bytesOfText(text)).digest('hex');
  };

const hmacEqual = (args: readonly Value[]): Value => {
  const first = bytesOfText(stringAt(args, 0));
  const second = bytesOfText(stringAt(args, 1));
  return first.length === second.length && timingSafeEqual(first, second);
};

/** Base64, or text as it is when it is PEM; PEM may be in the base64 as well. */
const pemOrDer = (text: string): string | Buffer => {
  if (looksLikePem(text)) return text;
  const bytes = decodeBase64(text, 'standard');
  return bytes.subarray(0, 10).toString('latin1') === '-----BEGIN' ? bytes.toString('utf8') : bytes;
};

const certificatesOf = (text: string): Certificate[] => {
  const decoded = pemOrDer(text);
  if (typeof decoded !== 'string') return readCertificates(decoded);
  const blocks = pemBlocks(decoded);
  if (blocks.length === 0) throw new BuiltinError('PEM-encoded certificate not found');
  const other = blocks.find(({ label }) => label !== 'CERTIFICATE');
  if (other !== undefined) throw new BuiltinError(`PEM block type is '${other.label}', expected CERTIFICATE`);
  return readCertificates(Buffer.concat(blocks.map(({ bytes }) => bytes)));
};

const certificatesAt = (args: readonly Value[], context: BuiltinContext): Certificate[] => {
  const text = stringAt(args, 0);
  context.spend(1 + (text.length >> 4));
  return wrapped(() => certificatesOf(text));
};

const parseCertificates = (args: readonly Value[], context: BuiltinContext): Value =>
  certificatesAt(args, context).map(certificateValue);

const SERVER = EXTENDED_USAGES[1]!;

const verify = (args: readonly Value[], context: BuiltinContext): Value =>
  verified(certificatesAt(args, context), {
    at: Number(context.nowNs / 1_000_000_000n),
    usages: [SERVER],
    spend: (steps) => context.spend(steps),
  });

const verified = (certificates: readonly Certificate[], options: ChainOptions): Value => {
  const chain = wrapped(() => verifyChain(certificates, options));
  return chain === undefined ? [false, []] : [true, chain.map(certificateValue)];
};

const verifyWithOptions = (args: readonly Value[], context: BuiltinContext): Value => {
  const certificates = certificatesAt(args, context);
  return verified(certificates, chainOptionsOf(objectAt(args, 1), context));
};

/** Names of extended key usages, in the order of Go's numbers. */
const USAGE_NAMES = [
  'KeyUsageAny',
  'KeyUsageServerAuth',
  'KeyUsageClientAuth',
  'KeyUsageCodeSigning',
  'KeyUsageEmailProtection',
  'KeyUsageIPSECEndSystem',
  'KeyUsageIPSECTunnel',
  'KeyUsageIPSECUser',
  'KeyUsageTimeStamping',
  'KeyUsageOCSPSigning',
  'KeyUsageMicrosoftServerGatedCrypto',
  'KeyUsageNetscapeServerGatedCrypto',
  'KeyUsageMicrosoftCommercialCodeSigning',
  'KeyUsageMicrosoftKernelCodeSigning',
];

const chainOptionsOf = (options: RegoObject, context: BuiltinContext): ChainOptions => {
  let at = Number(context.nowNs / 1_000_000_000n);
  let usages: string[] = [SERVER];
  let dnsName: string | undefined;
  for (const [name, value] of options) {
    switch (name) {
      case 'DNSName':
        if (typeof value !== 'string') throw new BuiltinError(`'DNSName' should be a string`);
        dnsName = value.replace(/^"(.*)"$/, '$1');
        break;
      case 'CurrentTime': {
        const nanos = isNumber(value) ? toBigInt(value) : undefined;
        if (nanos === undefined) throw new BuiltinError(`'CurrentTime' should be a valid int64 number`);
        at = Number(nanos / 1_000_000_000n);
        break;
      }
      case 'KeyUsages':
        usages = usagesOf(value);
        break;
      case 'MaxConstraintComparisons':
        if (!isNumber(value)) throw new BuiltinError(`'MaxConstraintComparisons' should be a valid number`);
        break;
      default:
        throw new BuiltinError('invalid key option');
    }
  }
  const spend = (steps: number): void => context.spend(steps);
  return dnsName === undefined ? { at, usages, spend } : { at, usages, dnsName, spend };
};

const usagesOf = (value: Value): string[] => {
  const names = isArray(value) ? value : undefined;
  if (names === undefined) throw new BuiltinError(`'KeyUsages' should be an Array`);
  return names.map((name) => {
    const index = USAGE_NAMES.indexOf(name as string);
    if (index < 0) throw new BuiltinError(`invalid entries for 'KeyUsages' found: ${String(name)}`);
    return EXTENDED_USAGES[index]!;
  });
};

const parseRequest = (args: readonly Value[], context: BuiltinContext): Value => {
  const text = stringAt(args, 0);
  context.spend(1 + (text.length >> 4));
  return wrapped(() => {
    const decoded = pemOrDer(text);
    if (typeof decoded !== 'string') return requestValue(readCertificateRequest(decoded));
    const found = decodePem(decoded);
    if (found?.block.label !== 'CERTIFICATE REQUEST')
      throw new Error('invalid PEM-encoded certificate signing request');
    return requestValue(readCertificateRequest(found.block.bytes));
  });
};

/** A certificate (chain) and its private key as Go's `tls.Certificate`. */
const parseKeyPair = (args: readonly Value[], context: BuiltinContext): Value => {
  const [certificate, key] = [stringAt(args, 0), stringAt(args, 1)];
  context.spend(1 + ((certificate.length + key.length) >> 4));
  return wrapped(() => {
    const certificates = certificatesOf(certificate);
    const decodedKey = pemOrDer(key);
    const found = typeof decodedKey === 'string' ? readPrivateKey(decodedKey) : undefined;
    if (found === undefined) throw new Error('tls: failed to find any PEM data in key input');
    return new RegoObject([
      ['Certificate', certificates.map(({ raw }) => raw.toString('base64'))],
      ['PrivateKey', privateKeyValue(found)],
      ['SupportedSignatureAlgorithms', null],
      ['OCSPStaple', null],
      ['SignedCertificateTimestamps', null],
      ['Leaf', certificateValue(certificates[0]!)],
    ]);
  });
};

const parseRsaKey = (args: readonly Value[], context: BuiltinContext): Value => {
  const text = stringAt(args, 0);
  context.spend(1 + (text.length >> 4));
  return wrapped(() => {
    const decoded = pemOrDer(text);
    const key = typeof decoded === 'string' ? readPrivateKey(decoded) : undefined;
    if (key === undefined) throw new Error('failed to parse private key: no PEM data found');
    return jwkValue(key);
  });
};

/** All private keys of a text; null for no text. */
const parsePrivateKeys = (args: readonly Value[], context: BuiltinContext): Value => {
  const text = args[0]!;
  if (typeof text !== 'string') throw operandError(1, text, 'string');
  if (text === '') return null;
  context.spend(1 + (text.length >> 4));
  return wrapped(() => readPrivateKeys(decodedKeys(text)).map(privateKeyValue));
};

const decodedKeys = (text: string): string => {
  if (looksLikePem(text)) return text;
  try {
    return decodeBase64(text, 'standard').toString('utf8');
  } catch {
    // Neither PEM nor base64 of it: there are no keys in it.
    return '';
  }
};

const OBJECT = objectOf(STRING, ANY);
const CHAIN = tuple(BOOLEAN, arrayOf(OBJECT));
const OPTIONS = record({}, { key: STRING, value: ANY });

export const cryptoBuiltins: readonly BuiltinDeclaration[] = [
  builtin('crypto.md5', [STRING], STRING, digest('md5')),
  builtin('crypto.sha1', [STRING], STRING, digest('sha1')),
  builtin('crypto.sha256', [STRING], STRING, digest('sha256')),
  builtin('crypto.hmac.md5', [STRING, STRING], STRING, hmac('md5')),
  builtin('crypto.hmac.sha1', [STRING, STRING], STRING, hmac('sha1')),
  builtin('crypto.hmac.sha256', [STRING, STRING], STRING, hmac('sha256')),
  builtin('crypto.hmac.sha512', [STRING, STRING], STRING, hmac('sha512')),
  builtin('crypto.hmac.equal', [STRING, STRING], BOOLEAN, hmacEqual),
  builtin('crypto.x509.parse_certificates', [STRING], arrayOf(OBJECT), parseCertificates),
  builtin('crypto.x509.parse_and_verify_certificates', [STRING], CHAIN, verify),
  builtin(
    'crypto.x509.parse_and_verify_certificates_with_options',
    [STRING, OPTIONS],
    CHAIN,
    verifyWithOptions,
  ),
  builtin('crypto.x509.parse_certificate_request', [STRING], OBJECT, parseRequest),
  builtin('crypto.x509.parse_keypair', [STRING, STRING], OBJECT, parseKeyPair),
  builtin('crypto.x509.parse_rsa_private_key', [STRING], OBJECT, parseRsaKey),
  builtin('crypto.parse_private_keys', [STRING], arrayOf(OBJECT), parsePrivateKeys),
];
