import type { DenialOperation, RequestContent } from '@openshell/policy';

const NOTHING: readonly DenialOperation[] = [];

/** Everything in a content that rules speak about by name. No values: those are the workload's. */
export function operationsOf(content: RequestContent | undefined): readonly DenialOperation[] {
  switch (content?.kind) {
    case 'graphql':
      return content.operations.map(({ type, name, fields }) => ({
        kind: 'graphql',
        type,
        ...(name !== undefined && { name }),
        fields,
      }));
    case 'rpc':
      return content.messages.map(({ kind, method, tool }) => ({
        kind: 'rpc',
        method: method || kind,
        ...(tool !== undefined && { tool }),
      }));
    case 'sql':
      return content.statements.map(({ command, effect, tables }) => ({
        kind: 'sql',
        command,
        effect,
        tables,
      }));
    case 'message': {
      const { graphql } = content;
      if (graphql === undefined || graphql === 'control') return NOTHING;
      return operationsOf({ kind: 'graphql', operations: [graphql] });
    }
    case 'http':
    case 'malformed':
    case undefined:
      return NOTHING;
    default:
      return content satisfies never;
  }
}

const MAX_SHOWN = 200;

/** The same in a few words, for people. */
export const describeOperations = (operations: readonly DenialOperation[]): string | undefined =>
  operations.length === 0 ? undefined : operations.map(describe).join('; ').slice(0, MAX_SHOWN);

function describe(operation: DenialOperation): string {
  switch (operation.kind) {
    case 'graphql': {
      const { type, name, fields } = operation;
      return `${name === undefined ? type : `${type} ${name}`} { ${fields.join(' ')} }`;
    }
    case 'rpc':
      return operation.tool === undefined ? operation.method : `${operation.method} ${operation.tool}`;
    case 'sql':
      return [operation.command, ...operation.tables].join(' ');
    default:
      return operation satisfies never;
  }
}

/** Longer lists are not recorded at all: half of a list would be mistaken for all of it. */
const MAX_OPERATIONS = 16;
const MAX_NAMES = 64;

/** What of it an event shows; undefined: nothing, or too much. */
export function recordable(operations: readonly DenialOperation[]): readonly DenialOperation[] | undefined {
  const fits = operations.length > 0 && operations.length <= MAX_OPERATIONS && operations.every(isShort);
  return fits ? operations : undefined;
}

function isShort(operation: DenialOperation): boolean {
  if (operation.kind === 'rpc') return true;
  const names = operation.kind === 'sql' ? operation.tables : operation.fields;
  return names.length <= MAX_NAMES;
}
