import { messageOf, OpenShellError } from '@openshell/base';
import { type ControlProblem, ControlRefusal } from '@openshell/control';
import { type Finding, formatPath, type PolicySource } from '@openshell/policy';
import { CredentialsInvalid } from '../../credentials/read-entries.ts';
import type { GenerationFault } from '../../operator/generations.ts';
import type { NamedText, ResolvedParts } from './resolve-parts.ts';

type PolicyPath = Parameters<typeof formatPath>[0];
type TextName = Exclude<ControlProblem['part'], 'secrets' | 'tenant'>;

/** What reading a part has found. */
export const problemOf = (part: TextName, { name }: NamedText, finding: Finding): ControlProblem => ({
  part,
  name,
  line: finding.line,
  column: finding.column,
  ...(finding.path !== '' && { path: finding.path }),
  message: `${finding.message} ${finding.fix}`,
});

/** Something about a place in a part that could be read. */
export const problemAt = (
  part: TextName,
  { name }: NamedText,
  source: PolicySource,
  path: PolicyPath,
  message: string,
): ControlProblem => ({ part, name, ...source.locate(path), path: formatPath(path), message });

/** What is wrong with a generation whose parts could all be read. */
export function problemsOf(
  { part, thrown }: GenerationFault,
  parts: ResolvedParts,
  credentials: PolicySource | undefined,
): readonly ControlProblem[] {
  if (thrown instanceof CredentialsInvalid && parts.credentials !== undefined) {
    const text = parts.credentials;
    return thrown.faults.map(({ index, message }) =>
      index === undefined || credentials === undefined
        ? { part: 'credentials', name: text.name, message }
        : problemAt('credentials', text, credentials, ['credentials', index], message),
    );
  }
  // Middlewares are named by the policy, and so are endpoints that sign without keys.
  const which = part === 'middlewares' ? 'policy' : part;
  const remedy = thrown instanceof OpenShellError ? (thrown.remedy ?? '') : '';
  const name = (parts[which] ?? parts.policy).name;
  return [{ part: which, name, message: `${messageOf(thrown)} ${remedy}`.trimEnd() }];
}

/** Everything that is wrong with a generation, as its controller gets it. */
export const generationRefused = (problems: readonly ControlProblem[]): ControlRefusal =>
  new ControlRefusal(
    `the generation is refused: there ${problems.length === 1 ? 'is 1 mistake' : `are ${problems.length} mistakes`} in it`,
    {
      code: 'generation_refused',
      remedy: 'Correct what its problems name; what was in force still is.',
      problems,
    },
  );
