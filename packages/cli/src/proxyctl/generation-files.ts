import {
  ControlRefusal,
  type GenerationParts,
  type InstalledGeneration,
  type KeptPart,
  type KeptSecrets,
  type Part,
  type PushedSecrets,
  type TextPart,
} from '@openshell/control';
import type { Arguments } from '../command/arguments.ts';
import { partNames } from '../command/table/proxyctl-apply.ts';
import { usageError } from '../command/usage-error.ts';
import { type PolicyText, readPolicyText } from '../policy/read-policy.ts';
import { pushedSecrets } from './secrets.ts';
import { oneOf } from './values.ts';

type PartName = (typeof partNames)[number];
type FileName = Exclude<PartName, 'secrets'>;

const fileNames = ['policy', 'credentials', 'routes'] as const satisfies readonly FileName[];

/** A generation as the command line has it: what is sent, and what is left as it is. */
export interface GenerationFiles {
  readonly files: Readonly<Partial<Record<FileName, PolicyText>>>;
  readonly secrets: PushedSecrets | undefined;
  readonly kept: ReadonlySet<PartName>;
}

/**
 * Reads the files that `apply` was given.
 *
 * @throws OpenShellError with code `usage` or `unreadable`.
 */
export const readGeneration = (
  args: Arguments,
  env: Readonly<Record<string, string | undefined>>,
): GenerationFiles => {
  const kept = new Set(args.values('keep').map((word) => oneOf(word, '--keep', partNames)));
  const given = fileNames.filter((name) => args.has(name));
  const twice = [...given, ...(args.has('secret') ? ['secrets' as const] : [])].find((name) =>
    kept.has(name),
  );
  if (twice !== undefined)
    throw usageError(`--keep ${twice} and what is to be in its place are both given`, 'Give one.');
  if (!args.has('policy') && !kept.has('policy'))
    throw usageError("'openshell proxyctl apply' needs --policy FILE, or --keep policy");
  if (given.filter((name) => args.value(name) === '-').length > 1)
    throw usageError('standard input is asked for twice', 'Write - once.');
  const files = Object.fromEntries(given.map((name) => [name, readPolicyText(args.required(name))]));
  return { files, secrets: pushedSecrets(args, env), kept };
};

/** What is sent, where this is in force. Throws `part_unknown` where something is to be kept that is not there. */
export const partsOf = (
  { files, secrets, kept }: GenerationFiles,
  installed: InstalledGeneration | undefined,
): GenerationParts => {
  const has = installed?.parts;
  const file = (name: FileName): Part | undefined => {
    const text = files[name];
    if (text !== undefined) return textPart(name, text);
    return kept.has(name) ? keep(name, has?.[name]) : undefined;
  };
  return {
    policy: file('policy')!,
    credentials: file('credentials'),
    routes: file('routes'),
    secrets: kept.has('secrets') ? keepSecrets(has?.secretsRevision) : secrets,
  };
};

/** Names of parts are as short, and as fit to be seen, as those of anything else on the way to a proxy. */
const textPart = (name: FileName, { file, text }: PolicyText): TextPart => ({
  kind: 'text',
  name: /^[^\p{C}\p{Zl}\p{Zp}]{1,128}$/u.test(file) ? file : name,
  text,
});

const keep = (name: FileName, hash: string | undefined): KeptPart => {
  if (hash === undefined) throw nothingToKeep(name);
  return { kind: 'keep', hash };
};

const keepSecrets = (revision: string | undefined): KeptSecrets => {
  if (revision === undefined) throw nothingToKeep('secrets');
  return { kind: 'keep', revision };
};

const nothingToKeep = (name: PartName): ControlRefusal =>
  new ControlRefusal(`there is nothing to keep: no ${name} in force`, {
    code: 'part_unknown',
    remedy: `Leave out --keep ${name}.`,
  });

/** What was in force before, and neither sent nor kept: easily forgotten, so it is said. */
export const droppedParts = (
  { files, secrets, kept }: GenerationFiles,
  installed: InstalledGeneration | undefined,
): readonly PartName[] => {
  const had = { ...installed?.parts, secrets: installed?.parts.secretsRevision };
  const has = (name: PartName): boolean =>
    kept.has(name) || (name === 'secrets' ? secrets : files[name]) !== undefined;
  return partNames.filter((name) => had[name] !== undefined && !has(name));
};
