import { ADDRESS_CLASSES } from '../address/address-class.ts';
import { LIMIT_MEANINGS, POLICY_LIMITS } from '../limits.ts';
import { POLICY_SCHEMA } from '../schema/policy-schema.ts';
import type { Field, Type } from '../schema/schema.ts';
import {
  HOST_EXAMPLES,
  PATH_EXAMPLES,
  type PatternExample,
  REFUSED_HOSTS,
  VALUE_EXAMPLES,
} from './pattern-examples.ts';
import {
  ADDRESSES,
  DIFFERENCES,
  HOST_PATTERNS,
  INTRODUCTION,
  PATTERNS,
  PRECEDENCE,
  REQUESTS,
} from './prose.ts';

type ObjectType = Extract<Type, { kind: 'object' }>;

/** The text of docs/policy.md. */
export function renderSchemaDocs(): string {
  return [
    INTRODUCTION,
    '## Fields\n',
    ...objectsIn(POLICY_SCHEMA).map(renderObject),
    PRECEDENCE,
    REQUESTS,
    PATTERNS,
    'Paths (files, requests):\n',
    renderExamples(PATH_EXAMPLES),
    'Values:\n',
    renderExamples(VALUE_EXAMPLES),
    HOST_PATTERNS,
    renderExamples(HOST_EXAMPLES),
    `Refused as hosts: ${REFUSED_HOSTS.map(code).join(', ')}.\n`,
    ADDRESSES,
    renderClasses(),
    renderLimits(),
    DIFFERENCES,
  ].join('\n');
}

/** Every object of the schema once, in the order in which a reader meets it. */
function objectsIn(type: Type, found: ObjectType[] = []): ObjectType[] {
  if (type.kind === 'list' || type.kind === 'map') return objectsIn(type.of, found);
  if (type.kind !== 'object' || found.some(({ name }) => name === type.name)) return found;
  // An allow rule has the very fields of a deny rule; one table is enough.
  if (type.name === 'Allow') return found;
  found.push(type);
  for (const field of Object.values(type.fields)) objectsIn(field.type, found);
  return found;
}

function renderObject({ name, doc, fields }: ObjectType): string {
  const rows = Object.entries(fields).map(([field, entry]) => [
    code(field),
    typeName(entry.type),
    defaultOf(entry),
    docOf(entry),
  ]);
  return `### ${name}\n\n${doc}\n\n${table(['Field', 'Type', 'Default', 'Meaning'], rows)}`;
}

function typeName(type: Type): string {
  switch (type.kind) {
    case 'text':
      return type.oneOf
        ? type.oneOf
            .filter((word) => word !== '')
            .map(code)
            .join(', ')
        : 'text';
    case 'boolean':
      return 'true or false';
    case 'integer':
      return type.min === type.max ? code(String(type.min)) : `number, ${type.min} to ${type.max}`;
    case 'list':
      return `list of ${typeName(type.of)}`;
    case 'map':
      return `mapping of ${type.keyName} to ${typeName(type.of)}`;
    case 'object':
      return type.name === 'Allow' ? 'as in deny rule' : type.name.toLowerCase();
    case 'patterns':
      return 'pattern or `{ any: [...] }`';
    case 'data':
      return 'anything';
    default:
      return type satisfies never;
  }
}

const defaultOf = (field: Field): string => (field.required ? '**required**' : (field.default ?? '–'));
const docOf = (field: Field): string => (field.deprecated ? `Ignored: ${field.deprecated}.` : field.doc);

function renderExamples(examples: readonly Omit<PatternExample, 'separator'>[]): string {
  const rows = examples.map(({ pattern, matches, refuses }) => [
    code(pattern),
    codes(matches),
    codes(refuses),
  ]);
  return table(['Pattern', 'Matches', 'Does not match'], rows);
}

function renderClasses(): string {
  const rows = ADDRESS_CLASSES.map((row) => [row.class, row.reach, codes(row.blocks), row.source]);
  return table(['Class', 'Reach', 'Blocks', 'Source'], rows);
}

function renderLimits(): string {
  const names = Object.keys(POLICY_LIMITS) as (keyof typeof POLICY_LIMITS)[];
  const rows = names.map((name) => [LIMIT_MEANINGS[name], POLICY_LIMITS[name].toLocaleString('en-US')]);
  return `## Limits\n\nWhat exceeds a limit is an error.\n\n${table(['What', 'At most'], rows)}`;
}

const code = (text: string): string => `\`${text}\``;
const codes = (texts: readonly string[]): string => texts.map(code).join(', ') || '–';

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) =>
    `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
  return `${[line(head), `|${'---|'.repeat(head.length)}`, ...rows.map(line)].join('\n')}\n`;
}

if (import.meta.main) process.stdout.write(renderSchemaDocs());
