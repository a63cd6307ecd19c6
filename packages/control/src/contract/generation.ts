import type { Generation, SandboxId } from '@openshell/base';

/** A text as its author wrote it, with the name that messages call it. */
export interface TextPart {
  readonly kind: 'text';
  readonly name: string;
  readonly text: string;
}

/** What is installed already and has this hash. Refused with `part_unknown` where something else is installed. */
export interface KeptPart {
  readonly kind: 'keep';
  readonly hash: string;
}

export type Part = TextPart | KeptPart;

/**
 * Values that `{ env: NAME }` in the credentials and routes stands for. They are pushed beside the texts, so that texts, hashes and status hold no secret.
 * `revision` is the controller's own name for this set of values; it is shown, so it must not be made of them.
 */
export interface PushedSecrets {
  readonly kind: 'values';
  readonly revision: string;
  readonly values: ReadonlyMap<string, string>;
}

/** The values that were pushed as this revision. Refused with `part_unknown` where others are installed. */
export interface KeptSecrets {
  readonly kind: 'keep';
  readonly revision: string;
}

/** Everything that one generation of one tenant is made of. What is absent is empty: no credentials, no routes, no values. */
export interface GenerationParts {
  /** A policy file. */
  readonly policy: Part;
  /** A credentials file, as `--credentials` takes it. */
  readonly credentials?: Part | undefined;
  /** An inference routes file, as `--routes` takes it. */
  readonly routes?: Part | undefined;
  readonly secrets?: PushedSecrets | KeptSecrets | undefined;
}

export interface ApplyOrder {
  readonly tenant: SandboxId;
  readonly parts: GenerationParts;
  /** Only where this is what is installed (its `hash`; empty: nothing yet). Refused with `generation_changed` otherwise. */
  readonly expected?: string | undefined;
  /** `check` finds everything that is wrong and changes nothing. */
  readonly mode: 'install' | 'check';
}

/** Lower-case hex SHA-256 of each part's text; of the secrets, the revision. Absent parts are absent. */
export interface PartHashes {
  readonly policy: string;
  readonly credentials?: string | undefined;
  readonly routes?: string | undefined;
  readonly secretsRevision?: string | undefined;
}

/** A generation that is in force. */
export interface InstalledGeneration {
  readonly tenant: SandboxId;
  readonly generation: Generation;
  /** Of all its parts together; what a controller that comes back compares (`generationHash`). */
  readonly hash: string;
  readonly parts: PartHashes;
  /** What the policy means (`policyHash`), whatever its text looks like: what a sandbox compares with its own. */
  readonly policyHash: string;
  /** Milliseconds since 1970. */
  readonly installedAt: number;
}

export interface Applied {
  readonly mode: ApplyOrder['mode'];
  /** What is in force now; of a check, what would be, with the number that it would get. */
  readonly installed: InstalledGeneration;
  /** The very same was in force before, so nothing was done. */
  readonly unchanged: boolean;
  /** Placeholders by variable: what the workload's environment has in the place of credentials. */
  readonly environment: Readonly<Record<string, string>>;
  /** For a person. */
  readonly notices: readonly string[];
}
