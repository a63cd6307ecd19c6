import { OpenShellError } from '@openshell/base';
import type { Denial, Policy, Suggestion } from '@openshell/policy';
import type { Handler } from '../handlers.ts';
import { printable } from '../output/printable.ts';
import { readPolicyText } from './read-policy.ts';
import { type Collected, DenialCollection } from './suggest-collect.ts';
import { linesOf } from './suggest-lines.ts';

/** `openshell policy suggest`: 0 when something is proposed, 1 when nothing is. */
export const suggestFromEvents: Handler = async (args, io) => {
  const { parsePolicy, suggestPolicy } = await import('@openshell/policy');
  const file = args.value('policy');
  const policy = file === undefined ? undefined : readPolicy(file, parsePolicy);
  const collection = new DenialCollection();
  for (const operand of args.operands) for await (const line of linesOf(operand)) collection.add(line);
  const collected = collection.collected();
  const suggestion = suggestPolicy(policy, collected.denials);
  if (args.has('json')) io.out(`${JSON.stringify({ ...suggestion, ...rest(collected) }, null, 2)}\n`);
  else {
    io.out(suggestion.policy);
    for (const line of notes(suggestion, collected)) io.err(`openshell: ${printable(line)}\n`);
  }
  return proposesSomething(suggestion, collected.denials) ? 0 : 1;
};

const proposesSomething = ({ notProposed }: Suggestion, denials: readonly Denial[]): boolean =>
  denials.length > notProposed.length;

const readPolicy = (operand: string, parse: typeof import('@openshell/policy').parsePolicy): Policy => {
  const { file, text } = readPolicyText(operand);
  const result = parse(text, { file });
  if (result.ok) return result.policy;
  throw new OpenShellError(`${file} is not a valid policy: ${result.problems[0]?.message ?? ''}`, {
    code: 'invalid_policy',
    remedy: `'openshell policy check ${operand}' shows what is wrong.`,
  });
};

const rest = ({ uncounted, names, invalid }: Collected) => ({
  unknown: uncounted,
  names,
  invalidLines: invalid,
});

/** Lines that are printed one by one; further ones are only counted. */
const listed = 50;

/** What is not in the proposal, for the person. */
function notes({ notProposed }: Suggestion, collected: Collected): string[] {
  const lines = notProposed
    .slice(0, listed)
    .map(({ denial, reason }) => `not proposed: ${describe(denial)}: ${reason}`);
  const further = notProposed.length - lines.length;
  if (further > 0) lines.push(`${further} more are not proposed; --json lists them all`);
  const { uncounted, names, invalid, denials } = collected;
  if (names.length > 0) {
    const shown = names.slice(0, listed).join(', ');
    lines.push(
      `not proposed: names that were looked up and not connected to, so that no port is known: ${shown}`,
    );
  }
  if (uncounted > 0) lines.push(`${uncounted} more were refused, and the events do not say what they were`);
  if (invalid > 0) lines.push(`${invalid} ${invalid === 1 ? 'line is' : 'lines are'} no event`);
  if (denials.length + names.length + uncounted === 0) lines.push('nothing was refused');
  return lines;
}

function describe({ binary, host, port, method, path, count }: Denial): string {
  const place = `${host.includes(':') ? `[${host}]` : host}:${port}`;
  const what = [binary ?? 'an unknown program', '->', place, method, path].filter(
    (word) => word !== undefined,
  );
  return `${what.join(' ')} (${count === 1 ? 'once' : `${count} times`})`;
}
