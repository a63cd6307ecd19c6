import { type AuthorityOutput, parseManifestOutput } from '../../tls/distribution/authority-output.ts';
import type { AuthoritySource } from '../../tls/distribution/authority-source.ts';
import type { OptionValues } from './table.ts';
import { wholeNumber } from './whole-number.ts';

/** Who signs for the hosts whose TLS is opened, and how clients get to know it. */
export interface AuthorityOptions {
  readonly source: AuthoritySource;
  readonly overlapMs: number;
  readonly outputs: readonly AuthorityOutput[];
}

const MAX_OVERLAP_SECONDS = 31_536_000;
/** A day: whoever reads the bundle now and then has it by then. */
const OVERLAP_SECONDS = '86400';

/** Throws `usage`. */
export const readAuthorityOptions = (values: OptionValues): AuthorityOptions => ({
  source: readSource(values),
  overlapMs:
    wholeNumber(values['ca-overlap'] ?? OVERLAP_SECONDS, 'ca-overlap', 0, MAX_OVERLAP_SECONDS) * 1000,
  outputs: readOutputs(values),
});

function readSource(values: OptionValues): AuthoritySource {
  const { 'ca-dir': path, 'ca-cert': certificate, 'ca-key': key } = values;
  if (path !== undefined) return { kind: 'directory', path };
  // That they go together has been checked.
  return certificate === undefined || key === undefined
    ? { kind: 'memory' }
    : { kind: 'files', certificate, key };
}

const readOutputs = (values: OptionValues): readonly AuthorityOutput[] => [
  ...each(values['ca-out'], (file) => ({ kind: 'bundle', file })),
  ...each(values['ca-secret-out'], (text) => parseManifestOutput(text, 'Secret', 'ca-secret-out')),
  ...each(values['ca-configmap-out'], (text) => parseManifestOutput(text, 'ConfigMap', 'ca-configmap-out')),
];

const each = (
  text: string | undefined,
  read: (text: string) => AuthorityOutput,
): readonly AuthorityOutput[] => (text === undefined ? [] : [read(text)]);
