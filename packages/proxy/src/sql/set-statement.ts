import type { ClassifiedStatement, ClassifyContext, NotUnderstood } from './classify.ts';
import { judgeSetting, type SettingChange } from './settings.ts';
import { identifierOf, isSymbol, nameAt, type SqlNode, wordOf } from './statements.ts';

/** SET and RESET in all their forms: which setting is meant, and what its change can do. */
export function classifySet(
  nodes: readonly SqlNode[],
  context: Pick<ClassifyContext, 'tableRules'>,
): ClassifiedStatement | NotUnderstood {
  const verb = wordOf(nodes[0])!.toUpperCase();
  const form = verb === 'RESET' ? resetForm(nodes) : setForm(nodes);
  if (form === undefined) return { reason: `it is a form of ${verb} that is not known` };
  if (form.kind === 'mode') {
    return { statements: [{ command: form.command, effect: form.writes ? 'write' : 'read', tables: [] }] };
  }
  const verdict = judgeSetting(form.change, context.tableRules);
  if (verdict.kind === 'malformed') return verdict;
  // One that matters is a command of its own, so that a rule for SET does not admit it.
  const command = verdict.effect === 'read' ? verb : `${verb} ${form.change.name.toUpperCase()}`;
  return {
    statements: [{ command, effect: verdict.effect, tables: [] }],
    ...(verdict.encoding === 'other' && { leavesUtf8: true as const }),
  };
}

type Form =
  | { readonly kind: 'setting'; readonly change: SettingChange }
  | { readonly kind: 'mode'; readonly command: string; readonly writes: boolean };

const setting = (name: string, value: string | undefined): Form => ({
  kind: 'setting',
  change: { name, value },
});
const mode = (command: string, writes: boolean): Form => ({ kind: 'mode', command, writes });

function setForm(nodes: readonly SqlNode[]): Form | undefined {
  let at = 1;
  // `SET SESSION CHARACTERISTICS` and `SET SESSION AUTHORIZATION` have the word for themselves.
  if (wordOf(nodes[1]) === 'local' || wordOf(nodes[1]) === 'session') at = 2;
  const afterScope = wordOf(nodes[at]);
  const value = nodes[at + 1];
  switch (afterScope) {
    case 'transaction':
      return mode('SET TRANSACTION', asksToWrite(nodes));
    case 'characteristics':
      return mode('SET SESSION CHARACTERISTICS', asksToWrite(nodes));
    case 'constraints':
      return mode('SET CONSTRAINTS', false);
    case 'authorization':
      return setting('session_authorization', '');
    case 'session':
      return wordOf(value) === 'authorization' ? setting('session_authorization', '') : undefined;
    case 'role':
      return setting('role', '');
    case 'schema':
      return value?.kind === 'string' ? setting('search_path', value.text) : undefined;
    case 'names':
      return value === undefined || wordOf(value) === 'default'
        ? setting('client_encoding', undefined)
        : value.kind === 'string'
          ? setting('client_encoding', value.text)
          : undefined;
    case 'time':
      return wordOf(value) === 'zone' ? setting('timezone', '') : undefined;
    case 'seed':
      return setting('seed', '');
    case 'xml':
      return wordOf(value) === 'option' ? setting('xmloption', '') : undefined;
    default:
      return assignment(nodes, at);
  }
}

/** `name TO value, ...` */
function assignment(nodes: readonly SqlNode[], at: number): Form | undefined {
  const name = nameAt(nodes, at);
  if (name === undefined) return undefined;
  const operator = nodes[name.end];
  if (wordOf(operator) !== 'to' && !isSymbol(operator, '=')) return undefined;
  const values = nodes.slice(name.end + 1);
  if (values.length === 0) return undefined;
  const isDefault = values.length === 1 && wordOf(values[0]) === 'default';
  return setting(name.parts.join('.'), isDefault ? undefined : values.map(valueText).join(''));
}

/** A number has no text: the settings that matter here have none that is a number but 1, which counts as unknown. */
const valueText = (node: SqlNode): string =>
  node.kind === 'string' ? node.text : (identifierOf(node) ?? ' ');

function resetForm(nodes: readonly SqlNode[]): Form | undefined {
  const word = wordOf(nodes[1]);
  if (word === 'all' && nodes.length === 2) return mode('RESET', false);
  if (word === 'role') return mode('RESET ROLE', false);
  if (word === 'session' && wordOf(nodes[2]) === 'authorization')
    return mode('RESET SESSION AUTHORIZATION', false);
  if (word === 'time' && wordOf(nodes[2]) === 'zone') return setting('timezone', undefined);
  if (word === 'transaction') return mode('RESET TRANSACTION', false);
  const name = nameAt(nodes, 1);
  return name !== undefined && name.end === nodes.length
    ? setting(name.parts.join('.'), undefined)
    : undefined;
}

/** READ WRITE among the modes of a transaction. */
export const asksToWrite = (nodes: readonly SqlNode[]): boolean =>
  nodes.some((node, at) => wordOf(node) === 'read' && wordOf(nodes[at + 1]) === 'write');
