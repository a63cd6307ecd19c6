import { X509Certificate } from 'node:crypto';
import { parseAddress } from '../net/address.ts';
import {
  basicConstraintsOf,
  type Certificate,
  EXTENSION,
  extendedKeyUsagesOf,
  extensionOf,
  keyUsageOf,
} from './certificate.ts';
import { childrenOf, contextTag, DerReader, TAG } from './der.ts';
import { readAlternativeNames } from './name.ts';

/** What a chain must hold for. */
export interface ChainOptions {
  /** Seconds since 1970. */
  readonly at: number;
  /** Object identifiers of extended key usages, any of which is enough; none asks for none. */
  readonly usages: readonly string[];
  /** The name that the leaf must be for. */
  readonly dnsName?: string;
  /** Called for each signature that is checked. */
  readonly spend: (steps: number) => void;
}

const ANY_USAGE = '2.5.29.37.0';

/** The key usage bit for signing certificates (RFC 5280, section 4.2.1.3). */
const SIGN_CERTIFICATES = 1 << 5;

/** What one signature check costs, in steps. */
const SIGNATURE_STEPS = 100;

/**
 * Finds a path from the last certificate through those in the middle to the first, which is trusted
 * (RFC 5280, section 6). Leaf first; undefined when there is none.
 */
export const verifyChain = (
  certificates: readonly Certificate[],
  options: ChainOptions,
): readonly Certificate[] | undefined => {
  const [root, ...others] = certificates;
  const leaf = others.pop();
  if (root === undefined || leaf === undefined) return undefined;
  if (!isCurrent(leaf, options) || !isFor(leaf, options.dnsName)) return undefined;
  return extend([leaf], { root, intermediates: others, options });
};

interface Search {
  readonly root: Certificate;
  readonly intermediates: readonly Certificate[];
  readonly options: ChainOptions;
}

const extend = (path: readonly Certificate[], search: Search): readonly Certificate[] | undefined => {
  const last = path.at(-1)!;
  if (last.raw.equals(search.root.raw)) return isAcceptable(path, search.options) ? path : undefined;
  for (const issuer of [search.root, ...search.intermediates]) {
    if (path.some(({ raw }) => raw.equals(issuer.raw)) || !isIssuer(issuer, path, search.options)) continue;
    const found = extend([...path, issuer], search);
    if (found !== undefined) return found;
  }
  return undefined;
};

const isIssuer = (issuer: Certificate, path: readonly Certificate[], options: ChainOptions): boolean => {
  const subject = path.at(-1)!;
  if (!issuer.rawSubject.equals(subject.rawIssuer) || !isCurrent(issuer, options)) return false;
  const constraints = basicConstraintsOf(issuer);
  if (issuer.version === 3 && constraints?.isCa !== true) return false;
  const usage = keyUsageOf(issuer);
  if (usage !== 0 && (usage & SIGN_CERTIFICATES) === 0) return false;
  // The leaf does not count to the length, and neither do certificates that issued themselves.
  const between = path.slice(1).filter(({ rawSubject, rawIssuer }) => !rawSubject.equals(rawIssuer)).length;
  if (constraints?.maxPathLength !== undefined && between > constraints.maxPathLength) return false;
  return permitsNames(issuer, path[0]!) && isSignedBy(subject, issuer, options);
};

const isSignedBy = (subject: Certificate, issuer: Certificate, options: ChainOptions): boolean => {
  options.spend(SIGNATURE_STEPS);
  try {
    return new X509Certificate(subject.raw).verify(new X509Certificate(issuer.raw).publicKey);
  } catch {
    // A key or an algorithm that is not known has not signed anything.
    return false;
  }
};

const isCurrent = ({ notBefore, notAfter }: Certificate, { at }: ChainOptions): boolean =>
  Date.parse(notBefore) / 1000 <= at && at <= Date.parse(notAfter) / 1000;

/** Each certificate that names usages at all must allow a usage that all others allow (as Go nests them). */
const isAcceptable = (path: readonly Certificate[], { usages }: ChainOptions): boolean => {
  if (usages.length === 0 || usages.includes(ANY_USAGE)) return true;
  return usages.some((usage) =>
    path.every((certificate) => {
      const named = extendedKeyUsagesOf(certificate);
      return named.length === 0 || named.includes(usage) || named.includes(ANY_USAGE);
    }),
  );
};

/** Whether a certificate is for a host; a wildcard stands for one label (RFC 6125, section 6.4.3). */
const isFor = (leaf: Certificate, name: string | undefined): boolean => {
  if (name === undefined || name === '') return true;
  const value = extensionOf(leaf, EXTENSION.subjectAltName);
  if (value === undefined) return false;
  const names = readAlternativeNames(value);
  const address = parseAddress(name.replace(/^\[(.*)\]$/, '$1'));
  if (address !== undefined) {
    const bytes = address.value.toString(16).padStart(address.bits / 4, '0');
    return names.addresses.some((candidate) => candidate.toString('hex') === bytes);
  }
  const wanted = name.toLowerCase().replace(/\.$/, '').split('.');
  return names.dns.some((pattern) => {
    const labels = pattern.toLowerCase().replace(/\.$/, '').split('.');
    if (labels.length !== wanted.length) return false;
    return labels.every(
      (label, index) => label === wanted[index] || (index === 0 && label === '*' && labels.length > 1),
    );
  });
};

/** Whether the names of a leaf are inside what an issuer may issue for (RFC 5280, section 4.2.1.10, DNS names). */
const permitsNames = (issuer: Certificate, leaf: Certificate): boolean => {
  const constraints = extensionOf(issuer, EXTENSION.nameConstraints);
  const names = extensionOf(leaf, EXTENSION.subjectAltName);
  if (constraints === undefined || names === undefined) return true;
  const trees = childrenOf(new DerReader(constraints).next(TAG.sequence).content);
  const domainsOf = (number: number): string[] => {
    const tree = trees.find(({ tag }) => tag === contextTag(number, true));
    const bases =
      tree === undefined ? [] : childrenOf(tree.content).map(({ content }) => new DerReader(content).next());
    return bases
      .filter(({ tag }) => tag === 0x82)
      .map(({ content }) => content.toString('latin1').toLowerCase());
  };
  const [permitted, excluded] = [domainsOf(0), domainsOf(1)];
  return readAlternativeNames(names).dns.every((name) => {
    const inside = (domain: string): boolean => isInDomain(name.toLowerCase(), domain);
    return !excluded.some(inside) && (permitted.length === 0 || permitted.some(inside));
  });
};

const isInDomain = (name: string, domain: string): boolean => {
  const bare = domain.replace(/^\./, '');
  return bare === '' || (name === bare && !domain.startsWith('.')) || name.endsWith(`.${bare}`);
};
