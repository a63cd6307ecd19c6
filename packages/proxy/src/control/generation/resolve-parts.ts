import {
  ControlRefusal,
  type GenerationParts,
  generationHash,
  type Part,
  type PartHashes,
  textHash,
} from '@openshell/control';

/** A text with the name that messages call it. */
export interface NamedText {
  readonly name: string;
  readonly text: string;
}

export interface HeldSecrets {
  readonly revision: string;
  readonly values: ReadonlyMap<string, string>;
}

/** Everything of one generation as it was pushed; kept with it, because the next one may say `keep`. */
export interface ResolvedParts {
  readonly policy: NamedText;
  readonly credentials: NamedText | undefined;
  readonly routes: NamedText | undefined;
  readonly secrets: HeldSecrets | undefined;
  readonly hashes: PartHashes;
  readonly hash: string;
}

const TEXTS = ['policy', 'credentials', 'routes'] as const;

/** The parts with what is installed in the place of what is kept. Throws `part_unknown`, or `request_invalid` where one revision has two sets of values. */
export function resolveParts(parts: GenerationParts, installed: ResolvedParts | undefined): ResolvedParts {
  const [policy, credentials, routes] = TEXTS.map((which) => textOf(which, parts[which], installed));
  const secrets = secretsOf(parts.secrets, installed?.secrets);
  const hashes: PartHashes = {
    policy: textHash(policy!.text),
    ...(credentials !== undefined && { credentials: textHash(credentials.text) }),
    ...(routes !== undefined && { routes: textHash(routes.text) }),
    ...(secrets !== undefined && { secretsRevision: secrets.revision }),
  };
  return { policy: policy!, credentials, routes, secrets, hashes, hash: generationHash(hashes) };
}

function textOf(
  which: (typeof TEXTS)[number],
  part: Part | undefined,
  installed: ResolvedParts | undefined,
): NamedText | undefined {
  if (part === undefined) return undefined;
  if (part.kind === 'text') return { name: part.name, text: part.text };
  const held = installed?.[which];
  if (held !== undefined && installed?.hashes[which] === part.hash) return held;
  throw unknown(`the ${which} of hash ${part.hash}`);
}

function secretsOf(
  secrets: GenerationParts['secrets'],
  held: HeldSecrets | undefined,
): HeldSecrets | undefined {
  if (secrets === undefined) return undefined;
  const { revision } = secrets;
  if (secrets.kind === 'keep') {
    if (held?.revision === revision) return held;
    throw unknown(`the secrets of revision ${revision}`);
  }
  if (held?.revision === revision && !alike(held.values, secrets.values))
    // It would be taken for unchanged, and the old values would stay in use.
    throw new ControlRefusal(`the secrets of revision ${revision} are others than those that are installed`, {
      code: 'request_invalid',
      remedy: 'Give each set of values a revision of its own.',
    });
  return { revision, values: new Map(secrets.values) };
}

const alike = (a: ReadonlyMap<string, string>, b: ReadonlyMap<string, string>): boolean =>
  a.size === b.size && [...a].every(([name, value]) => b.get(name) === value);

const unknown = (what: string): ControlRefusal =>
  new ControlRefusal(`${what} cannot be kept: it is not what is installed`, {
    code: 'part_unknown',
    remedy: 'Push it as a text.',
  });
