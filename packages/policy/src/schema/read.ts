import { POLICY_LIMITS } from '../limits.ts';
import type { Findings, PolicyPath, Remark } from '../problem.ts';
import { nearestName } from './nearest.ts';
import type { Fields, Read, Type } from './schema.ts';
import { describeNode, type MapNode, type ScalarNode, type TreeNode } from './tree.ts';

/** What was read, and which mappings of it hold something that could not be: checks of meaning leave those alone. */
export interface Reading<T extends Type> {
  readonly value: Read<T> | undefined;
  readonly isBroken: (value: object) => boolean;
}

/** Reads a tree by the schema. Whatever does not fit becomes a problem at its place and is left out of the value. */
export function readTree<T extends Type>(root: TreeNode, type: T, findings: Findings): Reading<T> {
  const reader = new Reader(findings);
  // The reader follows the type, so that what it returns is what `Read` says; the compiler cannot see that.
  const value = reader.read(root, type) as Read<T> | undefined;
  return { value, isBroken: (inner) => reader.broken.has(inner) };
}

// Line breaks and other control characters would let a value forge lines of a log.
const CONTROL = /[\u0000-\u001f\u007f-\u009f\u2028\u2029]/;

class Reader {
  readonly broken = new WeakSet<object>();
  readonly #findings: Findings;
  readonly #path: (string | number)[] = [];

  constructor(findings: Findings) {
    this.#findings = findings;
  }

  read(node: TreeNode, type: Type): unknown {
    switch (type.kind) {
      case 'text':
        return this.#text(node, type);
      case 'boolean':
        return this.#boolean(node);
      case 'integer':
        return this.#integer(node, type);
      case 'list':
        return this.#list(node, type);
      case 'map':
        return this.#map(node, type);
      case 'object':
        return this.#object(node, type);
      case 'patterns':
        return this.#patterns(node, type);
      case 'data':
        return toData(node);
      default:
        return type satisfies never;
    }
  }

  #text(node: TreeNode, type: Extract<Type, { kind: 'text' }>): string | undefined {
    if (node.kind !== 'scalar' || typeof node.value !== 'string') {
      const quoted =
        node.kind === 'scalar' && node.value !== null
          ? `Put it in quotes: "${node.value}".`
          : 'Write one text.';
      return this.#wrongType(node, 'text', quoted);
    }
    const value = type.anyCase ? node.value.toLowerCase() : node.value;
    const maxBytes = type.maxBytes ?? POLICY_LIMITS.textBytes;
    if (Buffer.byteLength(value) > maxBytes) {
      return this.#problem({
        code: 'too_long',
        message: `Longer than ${maxBytes} bytes.`,
        fix: 'Shorten it.',
      });
    }
    if (CONTROL.test(value)) {
      return this.#problem({
        code: 'control_character',
        message: 'Holds a control character.',
        fix: 'Remove it.',
      });
    }
    if (!type.oneOf) return value;
    // The schema's own text rather than the file's: one that is compared for every request, and by identity at best.
    return type.oneOf.find((one) => one === value) ?? this.#notOneOf(node.value, type.oneOf);
  }

  #notOneOf(value: string, known: readonly string[]): undefined {
    const shown = known.filter((one) => one !== '');
    const near = nearestName(value, shown);
    const meant = near ? ` Did you mean "${near}"?` : '';
    return this.#problem({
      code: 'not_allowed_value',
      message: `"${value.slice(0, 64)}" is not known here.${meant}`,
      fix: `Write ${shown.map((one) => `"${one}"`).join(' or ')}.`,
    });
  }

  #boolean(node: TreeNode): boolean | undefined {
    if (node.kind === 'scalar' && typeof node.value === 'boolean') return node.value;
    return this.#wrongType(node, 'true or false', 'Write true or false, without quotes.');
  }

  #integer(node: TreeNode, { min, max }: Extract<Type, { kind: 'integer' }>): number | undefined {
    if (node.kind !== 'scalar' || !Number.isSafeInteger(node.value)) {
      return this.#wrongType(node, 'a whole number', 'Write a whole number, without quotes.');
    }
    const value = node.value as number;
    if (value >= min && value <= max) return value;
    const range = min === max ? `${min}` : `a number from ${min} to ${max}`;
    return this.#problem({
      code: 'out_of_range',
      message: `${value} is out of range.`,
      fix: `Write ${range}.`,
    });
  }

  #list(node: TreeNode, type: Extract<Type, { kind: 'list' }>): unknown[] | undefined {
    const items = node.kind === 'list' ? node.items : isEmpty(node) ? [] : undefined;
    if (!items) return this.#wrongType(node, 'a list', 'Write each entry on a line of its own, after "- ".');
    if (items.length === 0 && type.nonEmpty) {
      return this.#problem({
        code: 'empty_list',
        message: 'The list is empty.',
        fix: 'Add an entry, or remove the field.',
      });
    }
    if (items.length > type.max) return this.#tooMany(items.length, type.max);
    const values: unknown[] = [];
    for (const [index, item] of items.entries()) {
      const value = this.#inside(index, () => this.read(item, type.of));
      // A hole keeps the positions of the entries after it, which paths of later problems count by.
      values.push(value);
    }
    return values;
  }

  #map(node: TreeNode, type: Extract<Type, { kind: 'map' }>): Map<string, unknown> | undefined {
    const entries = entriesOf(node);
    if (!entries)
      return this.#wrongType(node, 'a mapping', `Write each ${type.keyName} as "${type.keyName}: value".`);
    if (entries.size > type.max) return this.#tooMany(entries.size, type.max);
    const values = new Map<string, unknown>();
    for (const [name, entry] of entries) {
      this.#inside(name, () => {
        if (!this.#keyIsFine(name, type.keyName)) return;
        const value = this.read(entry.value, type.of);
        if (value !== undefined) values.set(name, value);
      });
    }
    return values;
  }

  #keyIsFine(name: string, keyName: string): boolean {
    if (name !== '' && Buffer.byteLength(name) <= POLICY_LIMITS.textBytes && !CONTROL.test(name)) return true;
    this.#problem({
      code: 'bad_key',
      message: `The ${keyName} is empty, longer than ${POLICY_LIMITS.textBytes} bytes or holds a control character.`,
      fix: 'Give it a short, plain name.',
      on: 'key',
    });
    return false;
  }

  #object(node: TreeNode, type: Extract<Type, { kind: 'object' }>): object | undefined {
    const entries = entriesOf(node);
    if (!entries)
      return this.#wrongType(
        node,
        'a mapping',
        `Write fields such as "${Object.keys(type.fields)[0]}: ...".`,
      );
    const before = this.#findings.problems.length;
    const value: Record<string, unknown> = {};
    for (const [name, entry] of entries)
      this.#inside(name, () => this.#field(value, name, entry.value, type.fields));
    for (const [name, field] of Object.entries(type.fields)) {
      if (field.required && !entries.has(name)) this.#missing(name, type.name);
    }
    if (this.#findings.problems.length > before || this.#findings.full) this.broken.add(value);
    return value;
  }

  #field(target: Record<string, unknown>, name: string, node: TreeNode, fields: Fields): void {
    const field = Object.hasOwn(fields, name) ? fields[name] : undefined;
    if (!field) {
      this.#unknownField(name, Object.keys(fields));
      return;
    }
    if (field.deprecated) {
      this.#findings.notice(this.#path, {
        code: 'deprecated_field',
        message: `"${name}" is ignored: ${field.deprecated}.`,
        fix: 'Remove it.',
        on: 'key',
      });
      return;
    }
    const value = this.read(node, field.type);
    if (value !== undefined) target[name] = value;
  }

  #unknownField(name: string, known: readonly string[]): void {
    const near = nearestName(name, known);
    this.#problem({
      code: 'unknown_field',
      message: `"${name.slice(0, 64)}" is not a field of this part of the file.`,
      fix: near ? `Did you mean "${near}"?` : `Known here: ${known.join(', ')}.`,
      on: 'key',
    });
  }

  #missing(name: string, owner: string): void {
    this.#inside(name, () =>
      this.#problem({
        code: 'missing_field',
        message: `${owner} needs "${name}".`,
        fix: `Add "${name}: ...".`,
      }),
    );
  }

  #patterns(node: TreeNode, { max, globKey }: Extract<Type, { kind: 'patterns' }>): string[] | undefined {
    if (node.kind !== 'map') {
      const one = this.#text(node, { kind: 'text' });
      return one === undefined ? undefined : [one];
    }
    const known = globKey ? ['any', 'glob'] : ['any'];
    const [name, entry] = [...node.entries][0] ?? [];
    if (node.entries.size !== 1 || !known.includes(name!))
      return this.#wrongType(node, 'a pattern', 'Write a pattern, or { any: [a, b] }.');
    const type: Type =
      name === 'any' ? { kind: 'list', of: { kind: 'text' }, max, nonEmpty: true } : { kind: 'text' };
    const value = this.#inside(name!, () => this.read(entry!.value, type));
    return (typeof value === 'string' ? [value] : value) as string[] | undefined;
  }

  #tooMany(count: number, max: number): undefined {
    return this.#problem({
      code: 'too_many',
      message: `${count} entries; at most ${max} are accepted.`,
      fix: 'Remove some.',
    });
  }

  #wrongType(node: TreeNode, wanted: string, fix: string): undefined {
    return this.#problem({
      code: 'wrong_type',
      message: `Expected ${wanted}, found ${describeNode(node)}.`,
      fix,
    });
  }

  #problem(remark: Remark): undefined {
    this.#findings.problem(this.#path, remark);
  }

  #inside<T>(step: PolicyPath[number], act: () => T): T {
    this.#path.push(step);
    const result = act();
    this.#path.pop();
    return result;
  }
}

/** A mapping's entries; nothing written counts as an empty mapping, as the existing system reads it. */
const entriesOf = (node: TreeNode): MapNode['entries'] | undefined =>
  node.kind === 'map' ? node.entries : isEmpty(node) ? new Map() : undefined;

const isEmpty = (node: TreeNode): node is ScalarNode => node.kind === 'scalar' && node.empty;

function toData(node: TreeNode): unknown {
  switch (node.kind) {
    case 'scalar':
      return node.value;
    case 'list':
      return node.items.map(toData);
    case 'map':
      return Object.fromEntries([...node.entries].map(([name, entry]) => [name, toData(entry.value)]));
    default:
      return node satisfies never;
  }
}
