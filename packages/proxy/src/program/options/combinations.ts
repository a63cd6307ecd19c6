import type { OptionName, OptionValues } from './table.ts';
import { usageError } from './usage-error.ts';

/** The first means nothing without one of the others. */
const NEEDS: readonly (readonly [OptionName, ...OptionName[]])[] = [
  ['credentials', 'policy'],
  ['routes', 'policy'],
  ['policy', 'listen'],
  ['identity', 'listen'],
  ['tenant', 'listen'],
  ['control-cert', 'control'],
  ['control-key', 'control'],
  ['control-client-ca', 'control'],
  ['control-client', 'control-client-ca'],
  ['control-token-file', 'control'],
  ['control-uid', 'control'],
  ['control-host-sources', 'control'],
  // Whose sandbox a node may speak for is said there.
  ['link', 'tenants', 'control'],
  ['link', 'link-cert'],
  ['link', 'link-client-ca'],
  ['link-cert', 'link'],
  ['link-client-ca', 'link'],
  ['ca-overlap', 'ca-cert', 'ca-dir'],
  ['otlp-headers-file', 'otlp-endpoint'],
];

const PAIRS: readonly (readonly [OptionName, OptionName])[] = [
  ['ca-cert', 'ca-key'],
  ['control-cert', 'control-key'],
  ['link-cert', 'link-key'],
];

const EXCLUDES: readonly (readonly [OptionName, OptionName, why: string])[] = [
  ['policy', 'tenants', 'The file of --tenants names a policy for each tenant.'],
  ['identity', 'tenants', 'The file of --tenants has "identity: none" for each tenant that it is meant for.'],
  ['tenant', 'tenants', 'The file of --tenants names each tenant.'],
  ['deny-all', 'policy', 'Remove one: with a policy it is the policy that says what is denied.'],
  ['deny-all', 'tenants', 'Remove one: with tenants it is their policies that say what is denied.'],
  ['ca-dir', 'ca-cert', 'Keep one place where the authority comes from.'],
];

/** Throws `usage`, with both options named, where one makes no sense with or without another. */
export function checkCombinations(values: OptionValues): void {
  const given = (name: OptionName): boolean => values[name] !== undefined;
  for (const [one, other] of PAIRS)
    if (given(one) !== given(other)) throw usageError(`--${one} and --${other} go together`, 'Give both.');
  for (const [option, ...others] of NEEDS)
    if (given(option) && !others.some(given)) {
      const list = others.map((other) => `--${other}`).join(' or ');
      throw usageError(`--${option} means nothing without ${list}`, `Give ${list} as well, or leave it out.`);
    }
  for (const [one, other, why] of EXCLUDES)
    if (given(one) && given(other)) throw usageError(`--${one} and --${other} exclude each other`, why);
  if (!given('listen') && !given('tenants') && !given('control'))
    throw usageError(
      '--listen ADDRESS:PORT is missing',
      'Say where clients find the proxy; with --tenants or --control it can be said there instead.',
    );
}
