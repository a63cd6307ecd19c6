import type { Body } from '../ast/expr.ts';
import type { Module } from '../ast/module.ts';
import type { Term } from '../ast/term.ts';
import type { BuiltinDeclaration } from '../builtin.ts';
import { type RegoError, throwAll } from '../error.ts';
import { checkConflicts } from './conflicts.ts';
import { constantGroups } from './constants.ts';
import type { CoreBody, CoreExpr, CoreRule, CoreTerm } from './core.ts';
import { type ExpandContext, expandBody, expandHeadTerm } from './expand.ts';
import { metadataOf } from './metadata.ts';
import { checkRecursion } from './recursion.ts';
import { type Globals, globalsOf, type ResolvedRule, resolveQuery, resolveRule } from './resolve.ts';
import {
  buildRuleTree,
  constantPrefix,
  type RuleGroup,
  type RuleNode,
  type RuleSource,
} from './rule-tree.ts';
import { checkHead, orderBody } from './safety.ts';
import { writtenName } from './scope.ts';
import { checkDeprecated, checkModules, checkUnusedImports } from './strict.ts';
import { checkTypes } from './types.ts';
import { exprNames } from './variables.ts';

export interface ProgramOptions {
  readonly builtins: ReadonlyMap<string, BuiltinDeclaration>;
  /** Also refuse what OPA's strict mode refuses: unused imports and variables, deprecated built-ins, … */
  readonly strict: boolean;
}

/** Modules that passed all checks. */
export interface Program {
  readonly tree: RuleNode;
  readonly groups: readonly RuleGroup[];
  readonly modules: readonly Module[];
  readonly options: ProgramOptions;
  /** Groups whose documents are the same until data changes. */
  readonly constants: ReadonlySet<RuleGroup>;
}

/** A query that passed all checks. */
export interface CoreQuery {
  readonly body: CoreBody;
  /** Its variables: as written, and their unique names. */
  readonly variables: ReadonlyMap<string, string>;
}

/**
 * Compiles modules.
 * Throws a RegoError that carries all errors of the first pass that found any.
 */
export const compileProgram = (modules: readonly Module[], options: ProgramOptions): Program => {
  const errors: RegoError[] = [];
  checkModules(modules, options, errors);
  const tree = buildRuleTree(modules, errors);
  checkConflicts(tree, errors);
  throwAll(errors);
  const groups = [...tree.groups()];
  const globals = moduleGlobals(modules);
  const used = new Map(modules.map((module) => [module, new Set<string>()]));
  for (const group of groups) compileGroup(group, { modules, globals, used, tree, options, errors });
  if (options.strict) for (const module of modules) checkUnusedImports(module, used.get(module)!, errors);
  throwAll(errors);
  checkRecursion(groups, tree, errors);
  throwAll(errors);
  checkTypes(groups, errors);
  if (options.strict) checkDeprecated(groups, errors);
  throwAll(errors);
  return { tree, groups, modules, options, constants: constantGroups(groups, tree) };
};

/**
 * Compiles a query against a program.
 * Throws a RegoError that carries all errors.
 */
export const compileQuery = (body: Body, program: Program): CoreQuery => {
  const errors: RegoError[] = [];
  const { options, tree } = program;
  const resolved = resolveQuery(body, { globals: new Map(), strict: false, errors, used: new Set() });
  const metadata = { chain: () => [], rule: () => [] };
  const core = expandBody(resolved.body, {
    builtins: options.builtins,
    tree,
    names: resolved.names,
    errors,
    metadata,
  });
  throwAll(errors);
  const ordered = orderBody(core, new Set(), errors);
  throwAll(errors);
  const variables = new Map<string, string>();
  for (const expr of ordered) {
    for (const name of exprNames(expr)) {
      const written = writtenName(name);
      if (written !== '' && !written.startsWith('$')) variables.set(written, name);
    }
  }
  return { body: ordered, variables };
};

interface GroupContext {
  readonly modules: readonly Module[];
  readonly globals: ReadonlyMap<Module, Globals>;
  readonly used: ReadonlyMap<Module, Set<string>>;
  readonly tree: RuleNode;
  readonly options: ProgramOptions;
  readonly errors: RegoError[];
}

/** The globals of every module; the rules of all modules of a package see each other. */
const moduleGlobals = (modules: readonly Module[]): ReadonlyMap<Module, Globals> => {
  const names = new Map<string, Set<string>>();
  const packageKey = (module: Module): string => JSON.stringify(module.package.path);
  for (const module of modules) {
    const own = names.get(packageKey(module)) ?? new Set();
    for (const { head } of module.rules) if (head.ref.head.type === 'var') own.add(head.ref.head.name);
    names.set(packageKey(module), own);
  }
  return new Map(modules.map((module) => [module, globalsOf(module, names.get(packageKey(module)) ?? [])]));
};

const compileGroup = (group: RuleGroup, context: GroupContext): void => {
  const rules: CoreRule[] = [];
  for (const source of group.sources) {
    const rule = compileRule(group, source, context);
    if (source.rule.default) group.default = rule;
    else rules.push(rule);
  }
  group.rules = rules;
};

const compileRule = (group: RuleGroup, { rule, module }: RuleSource, context: GroupContext): CoreRule => {
  const { errors, options, tree, modules } = context;
  const before = errors.length;
  const names = { globals: context.globals.get(module)!, used: context.used.get(module)! };
  const rest = rule.head.ref.path.length + 1 - constantPrefix(rule).length;
  const resolved = resolveRule(rule, rest, { ...names, strict: options.strict, errors });
  const metadata = metadataOf(rule, module, group, modules);
  const lower = (link: ResolvedRule): CoreRule => {
    const expand = { builtins: options.builtins, tree, names: link.names, errors, metadata };
    const core = lowerRule(link, expand, before);
    return link.else === undefined ? core : { ...core, else: lower(link.else) };
  };
  return lower(resolved);
};

/** @param before how many errors there were before this rule was looked at */
const lowerRule = (rule: ResolvedRule, context: ExpandContext, before: number): CoreRule => {
  const body: CoreExpr[] = [];
  const params = rule.args.map((arg) => parameter(arg, body, context));
  const unique = uniqueParameters(params, body, rule, context);
  body.push(...expandBody(rule.body, context));
  const path = rule.path.map((part) => expandHeadTerm(part, body, context));
  const key = rule.key === undefined ? {} : { key: expandHeadTerm(rule.key, body, context) };
  const value = expandHeadTerm(rule.value, body, context);
  const bound = new Set(unique);
  const core = { params: unique, body, path, ...key, value, location: rule.location };
  // What could not be made sense of leaves variables unbound; to report those as well would only distract.
  if (context.errors.length > before) return core;
  const heads: CoreTerm[] = [...path, value];
  if (key.key !== undefined) heads.push(key.key);
  checkHead(heads, body, bound, rule.location, context.errors);
  return { ...core, body: orderBody(body, bound, context.errors) };
};

/** The variable of an argument; a pattern is matched in the body. */
const parameter = (arg: Term, body: CoreExpr[], context: ExpandContext): string => {
  if (arg.type === 'var') return arg.name;
  const name = context.names.generated();
  const calls: CoreExpr[] = [];
  const pattern = expandHeadTerm(arg, calls, context);
  const statement = { type: 'unify', left: { type: 'var', name }, right: pattern } as const;
  body.push(...calls, { statement, negated: false, with: [], location: arg.location });
  return name;
};

/** A variable that stands for two arguments makes them equal. */
const uniqueParameters = (
  params: readonly string[],
  body: CoreExpr[],
  rule: ResolvedRule,
  context: ExpandContext,
): readonly string[] => {
  const seen = new Set<string>();
  return params.map((name) => {
    if (!seen.has(name)) {
      seen.add(name);
      return name;
    }
    const other = context.names.generated();
    const statement = {
      type: 'unify',
      left: { type: 'var', name },
      right: { type: 'var', name: other },
    } as const;
    body.push({ statement, negated: false, with: [], location: rule.location });
    return other;
  });
};
