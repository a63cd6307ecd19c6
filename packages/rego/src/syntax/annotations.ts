import { createRequire } from 'node:module';
import type { AnnotationScope, Annotations } from '../ast/annotations.ts';
import type { Comment, Module, Rule } from '../ast/module.ts';
import { RegoError } from '../error.ts';

/**
 * The `# METADATA` blocks among comments. What they describe is not known here; see `attachAnnotations`.
 * Throws a RegoError for a block that is not YAML.
 */
export const parseAnnotations = (comments: readonly Comment[]): readonly Annotations[] => {
  const found: Annotations[] = [];
  let index = 0;
  while (index < comments.length) {
    const first = comments[index]!;
    index += 1;
    if (first.text.trim() !== 'METADATA') continue;
    const block: Comment[] = [];
    while (index < comments.length && continues(first, block, comments[index]!)) {
      block.push(comments[index]!);
      index += 1;
    }
    found.push(parseBlock(first, block));
  }
  return found;
};

const continues = (first: Comment, block: readonly Comment[], next: Comment): boolean =>
  next.location.row === first.location.row + block.length + 1 &&
  next.location.column === first.location.column &&
  next.text.trim() !== 'METADATA';

const parseBlock = (first: Comment, block: readonly Comment[]): Annotations => {
  const text = block.map((comment) => comment.text.replace(/^ /, '')).join('\n');
  const parsed = parseYaml(text, first);
  if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed)) {
    throw error(first, 'expected METADATA block, found whitespace');
  }
  const raw = parsed as Readonly<Record<string, unknown>>;
  const { scope, fields } = normalise(raw, first);
  const location = { ...first.location, end: block.at(-1)?.location.end ?? first.location.end };
  const endRow = first.location.row + block.length;
  return {
    scope: scope ?? 'rule',
    fields: { ...fields, ...(scope === undefined ? {} : { scope }) },
    location,
    endRow,
  };
};

/** YAML is a large module and most policies have no metadata, so it is loaded only here. */
const parseYaml = (text: string, first: Comment): unknown => {
  const yaml = createRequire(import.meta.url)('yaml') as typeof import('yaml');
  try {
    return yaml.parse(text, { maxAliasCount: 100 });
  } catch (cause) {
    throw error(first, `invalid METADATA: ${cause instanceof Error ? cause.message : String(cause)}`);
  }
};

const SCOPES: ReadonlySet<unknown> = new Set<AnnotationScope>(['package', 'subpackages', 'document', 'rule']);

/** Fields as OPA gives them: people as objects, links as objects. Unknown fields are dropped. */
const normalise = (raw: Readonly<Record<string, unknown>>, first: Comment) => {
  const { scope } = raw;
  if (scope !== undefined && !SCOPES.has(scope)) throw error(first, `unknown scope: ${String(scope)}`);
  const fields: Record<string, unknown> = {};
  for (const name of [
    'title',
    'description',
    'organizations',
    'entrypoint',
    'custom',
    'schemas',
    'compile',
  ]) {
    if (raw[name] !== undefined && raw[name] !== null) fields[name] = raw[name];
  }
  if (Array.isArray(raw.authors)) fields.authors = raw.authors.map(toAuthor);
  const related = raw.related_resources;
  if (Array.isArray(related)) fields.related_resources = related.map(toResource);
  const implied = raw.entrypoint === true ? 'document' : undefined;
  return { scope: (scope ?? implied) as AnnotationScope | undefined, fields };
};

const toAuthor = (author: unknown): unknown => {
  if (typeof author !== 'string') return author;
  const match = /^(.*?)\s*<([^>]*)>\s*$/.exec(author);
  if (match === null) return { name: author.trim() };
  return match[1] === '' ? { email: match[2] } : { name: match[1], email: match[2] };
};

const toResource = (resource: unknown): unknown =>
  typeof resource === 'string' ? { ref: resource } : resource;

const error = (comment: Comment, message: string): RegoError =>
  new RegoError('rego_parse_error', message, comment.location);

/**
 * The module with each block's scope and target: a block belongs to the next package or rule below it.
 * Throws a RegoError for a block that describes nothing or something of another scope.
 */
export const attachAnnotations = (module: Module): Module => {
  if (module.annotations.length === 0) return module;
  const owned = new Map<Rule, Annotations[]>();
  const all: Annotations[] = [];
  for (const block of module.annotations) {
    if (module.package.location.row > block.endRow) {
      all.push(scoped(block, 'package', module.package.path));
      continue;
    }
    const rule = module.rules.find((candidate) => candidate.location.row > block.endRow);
    if (rule === undefined)
      throw new RegoError('rego_parse_error', 'annotation has no target', block.location);
    const target = [...module.package.path, ...ruleTarget(rule)];
    const complete = scoped(block, 'rule', target);
    all.push(complete);
    owned.set(rule, [...(owned.get(rule) ?? []), complete]);
  }
  const rules = module.rules.map((rule) => {
    const annotations = owned.get(rule);
    return annotations === undefined ? rule : { ...rule, annotations };
  });
  return { ...module, rules, annotations: all };
};

const scoped = (block: Annotations, otherwise: AnnotationScope, target: readonly string[]): Annotations => {
  const scope = (block.fields.scope as AnnotationScope | undefined) ?? otherwise;
  const forPackage = scope === 'package' || scope === 'subpackages';
  if (forPackage !== (otherwise === 'package')) {
    const message = `annotation scope '${scope}' must be applied to ${forPackage ? 'package' : 'rule'}`;
    throw new RegoError('rego_parse_error', message, block.location);
  }
  return { ...block, scope, fields: { ...block.fields, scope }, target };
};

/** The constant part of a rule's name. */
const ruleTarget = (rule: Rule): readonly string[] => {
  const { head, path } = rule.head.ref;
  const names = head.type === 'var' ? [head.name] : [];
  for (const part of path) {
    if (part.type !== 'scalar') break;
    names.push(String(part.value));
  }
  return names;
};
