import { compilePattern, mostBytes, type Sequence } from './pattern.ts';

/** Something to look for, under the name that findings give it. */
export interface Detector {
  readonly name: string;
  readonly sequences: readonly Sequence[];
}

const KEY_KINDS = ['', 'RSA ', 'EC ', 'DSA ', 'OPENSSH ', 'ENCRYPTED '];

/**
 * The built-in detectors, each in the form that its issuer documents. A private key ends where its base64 does; inside JSON its lines
 * end in a backslash and a letter. The header lines of an old encrypted key are passed over.
 */
const BUILT_IN: Readonly<Record<string, readonly string[]>> = {
  sk_key: ['sk-[A-Za-z0-9_-]{16,}'],
  github_token: ['gh[pousr]_[A-Za-z0-9]{36,}', 'github_pat_[A-Za-z0-9_]{22,}'],
  gitlab_token: ['glpat-[A-Za-z0-9_-]{20,}'],
  aws_access_key_id: ['AKIA[A-Z0-9]{16}', 'ASIA[A-Z0-9]{16}'],
  google_api_key: ['AIza[A-Za-z0-9_-]{35}'],
  slack_token: ['xox[abeoprs]-[A-Za-z0-9-]{10,}'],
  npm_token: ['npm_[A-Za-z0-9]{36}'],
  stripe_key: ['[rs]k_live_[A-Za-z0-9]{16,}'],
  private_key: KEY_KINDS.flatMap((kind) => [
    `-----BEGIN ${kind}PRIVATE KEY-----[A-Za-z0-9+/=\\\\\\s]+`,
    `-----BEGIN ${kind}PRIVATE KEY-----[\\\\rn\\s]{1,8}Proc-Type: 4,ENCRYPTED[\\\\rn\\s]{1,8}DEK-Info: [A-Z0-9-]{1,64},[A-Za-z0-9+/=\\\\\\s]+`,
  ]),
};

export const BUILT_IN_NAMES: readonly string[] = Object.keys(BUILT_IN);

export const builtInDetector = (name: string): Detector => ({
  name,
  sequences: BUILT_IN[name]!.flatMap(compilePattern),
});

/** How many bytes all sequences of detectors look at from one place at most: what a byte of a body can cost. */
export const workOf = (detectors: readonly Detector[]): number =>
  detectors.reduce(
    (sum, { sequences }) => sum + sequences.reduce((work, one) => work + mostBytes(one), 0),
    0,
  );
