import { OpenShellError } from '@openshell/base';
import type { Policy } from '@openshell/policy';
import { type Binding, explicitBinding, policyBindings } from './binding.ts';
import { type Destination, mismatch, type Refusal } from './injection.ts';
import {
  type Identity,
  identityKey,
  isAliasPrefix,
  isCredentialName,
  placeholderFor,
} from './placeholder.ts';
import type { SecretSource } from './secret-source.ts';
import type { SourcePool } from './source-pool.ts';
import type { CredentialSpec } from './spec.ts';

/** One credential of one generation: what stands for it, where it may go, and where its value comes from. */
export interface Entry {
  readonly name: string;
  /** The last part of its placeholder. */
  readonly key: string;
  readonly placeholder: string;
  readonly prefix: string | undefined;
  readonly bindings: readonly Binding[];
  readonly source: SecretSource;
}

/** @throws OpenShellError with what to write instead. A credential that nothing binds has no bindings; whoever calls says what follows. */
export function makeEntry(spec: CredentialSpec, policy: Policy, pool: SourcePool): Entry {
  const { name, prefix } = spec;
  if (!isCredentialName(name)) {
    throw new OpenShellError(`"${name}" is not a name of a credential.`, {
      code: 'bad_credential_name',
      remedy:
        'Write the name of an environment variable, such as GITHUB_TOKEN; "v1_" and its like are reserved as beginnings.',
    });
  }
  if (prefix !== undefined && !isAliasPrefix(prefix)) {
    throw new OpenShellError(`Credential ${name}: "${prefix}" cannot stand before an alias.`, {
      code: 'bad_credential_prefix',
      remedy: 'Use up to 64 letters, digits, "_", ".", "~" and "-", as in "ghp_".',
    });
  }
  const identity = identityOf(spec);
  return {
    name,
    key: identityKey(identity),
    placeholder: placeholderFor(identity, prefix),
    prefix,
    bindings: [...spec.bindings.map(explicitBinding), ...policyBindings(policy, spec.provider ?? name)],
    source: pool.source(spec.source, name),
  };
}

function identityOf({ name, revision, stableId }: CredentialSpec): Identity {
  if (stableId !== undefined) {
    if (!/^[0-9a-f]{64}$/.test(stableId) || revision !== undefined) throw badIdentity(name);
    return { kind: 'stable', name, id: stableId };
  }
  if (revision === undefined) return { kind: 'name', name };
  if (!Number.isSafeInteger(revision) || revision < 0) throw badIdentity(name);
  return { kind: 'revision', name, revision };
}

const badIdentity = (name: string): OpenShellError =>
  new OpenShellError(`Credential ${name}: its revision or stable id is not one.`, {
    code: 'bad_credential_identity',
    remedy: 'Give a revision (a whole number) or a stable id (64 lower-case hex digits), not both.',
  });

/** Why a credential may not go there; undefined when it may. */
export function bindingRefusal(entry: Entry, to: Destination): Refusal | undefined {
  if (entry.bindings.some((binding) => binding.allows(to))) return undefined;
  const place = `${to.host}:${to.port}`;
  if (to.treatment?.learned === true) {
    return mismatch(
      `credential ${entry.name} does not go to ${place}, which no policy allows`,
      'Allow the destination in a policy; while it is only learned, it gets no credentials.',
    );
  }
  const overTls = { ...to, scheme: 'https' } as const;
  if (to.scheme === 'http' && entry.bindings.some((binding) => binding.allows(overTls))) {
    return mismatch(
      `credential ${entry.name} does not go over plain HTTP, where everyone on the way to ${place} could read it`,
      'Use https, or bind it with "insecure: true" in the credentials file.',
    );
  }
  if (entry.bindings.some((binding) => binding.covers(to.host, to.port))) {
    return mismatch(
      `credential ${entry.name} is bound to other paths of ${place}`,
      `Use it on those, or bind it to this one: "${entry.name}@${place}${to.path}".`,
    );
  }
  return mismatch(
    `credential ${entry.name} is not bound to ${place}`,
    `Use it where it is bound, or bind it: "--credential ${entry.name}@${place}", or credential_binding in the policy.`,
  );
}
