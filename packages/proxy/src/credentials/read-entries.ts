import { OpenShellError } from '@openshell/base';
import type { Policy } from '@openshell/policy';
import { LIMITS } from '../limits.ts';
import { type Entry, makeEntry } from './entry.ts';
import type { SourcePool } from './source-pool.ts';
import type { CredentialSpec } from './spec.ts';

export interface EntryOptions {
  readonly policy: Policy;
  readonly pool: SourcePool;
  /** A credential that nothing binds: refused at the start, where it is a mistake; only noticed when a policy changes under it. */
  readonly unbound: 'error' | 'notice';
}

/** One thing that is wrong with credentials. */
export interface CredentialFault {
  /** Position of the credential; absent: it is about all of them. */
  readonly index?: number;
  readonly message: string;
}

/** Everything that is wrong with the credentials of a generation. */
export class CredentialsInvalid extends OpenShellError {
  readonly faults: readonly CredentialFault[];

  constructor(faults: readonly CredentialFault[]) {
    super(faults.map(({ message }) => message).join('\n'), {
      code: 'credentials_invalid',
      remedy: 'Correct what is named above.',
    });
    this.faults = faults;
  }
}

/**
 * The credentials of a generation.
 * @throws CredentialsInvalid `credentials_invalid` with everything that is wrong.
 */
export function readEntries(
  specs: readonly CredentialSpec[],
  { policy, pool, unbound }: EntryOptions,
): { readonly entries: readonly Entry[]; readonly notices: readonly string[] } {
  const entries = new Map<string, Entry>();
  const faults: CredentialFault[] = [];
  const notices: string[] = [];
  if (specs.length > LIMITS.credentialCount.value)
    faults.push({ message: `There are more than ${LIMITS.credentialCount.value} credentials.` });
  for (const [index, spec] of specs.slice(0, LIMITS.credentialCount.value).entries()) {
    const fault = (message: string) => faults.push({ index, message });
    try {
      const entry = makeEntry(spec, policy, pool);
      if (entries.has(entry.key)) fault(`Credential ${spec.name} is given twice.`);
      if (entry.bindings.length === 0) {
        const text = unboundText(spec);
        if (unbound === 'error') fault(text);
        else notices.push(text);
      }
      entries.set(entry.key, entry);
    } catch (thrown) {
      if (!(thrown instanceof OpenShellError)) throw thrown;
      fault(`${thrown.message} ${thrown.remedy ?? ''}`.trimEnd());
    }
  }
  if (faults.length > 0) throw new CredentialsInvalid(faults);
  return { entries: [...entries.values()], notices };
}

const unboundText = ({ name, provider }: CredentialSpec): string =>
  `Credential ${name} is bound to nothing, so it could go nowhere. Name the host ("--credential ${name}@HOST"), or give an endpoint of the policy "credential_binding: { provider: ${provider ?? name} }".`;
