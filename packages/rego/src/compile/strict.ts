import type { Import, Module } from '../ast/module.ts';
import { RegoError } from '../error.ts';
import type { CoreBody, CoreRule } from './core.ts';
import { importName } from './resolve.ts';
import type { RuleGroup } from './rule-tree.ts';
import { exprBodies } from './variables.ts';

/** Checks on modules as written. */
export const checkModules = (
  modules: readonly Module[],
  options: { readonly strict: boolean },
  errors: RegoError[],
): void => {
  for (const module of modules) {
    if (options.strict || module.version === 'v1') checkDuplicateImports(module, errors);
    checkRootNames(module, errors);
  }
};

const checkDuplicateImports = (module: Module, errors: RegoError[]): void => {
  const seen = new Map<string, Import>();
  for (const imported of module.imports) {
    const name = importName(imported);
    if (name === undefined) continue;
    if (seen.has(name)) {
      errors.push(
        new RegoError('rego_compile_error', `import must not shadow import of ${name}`, imported.location),
      );
    }
    seen.set(name, imported);
  }
};

/** Rules called `input` or `data` would hide the documents. */
const checkRootNames = (module: Module, errors: RegoError[]): void => {
  for (const { head, location } of module.rules) {
    const name = head.ref.head.type === 'var' ? head.ref.head.name : '';
    if (name !== 'input' && name !== 'data') continue;
    errors.push(
      new RegoError(
        'rego_compile_error',
        `rules must not shadow ${name} (use a different rule name)`,
        location,
      ),
    );
  }
};

/** Refuses imports that no rule of the module refers to. */
export const checkUnusedImports = (module: Module, used: ReadonlySet<string>, errors: RegoError[]): void => {
  for (const imported of module.imports) {
    const name = importName(imported);
    if (name === undefined || used.has(name)) continue;
    errors.push(new RegoError('rego_compile_error', `import ${name} unused`, imported.location));
  }
};

/** Refuses calls of built-ins that OPA keeps only for old policies. */
export const checkDeprecated = (groups: readonly RuleGroup[], errors: RegoError[]): void => {
  for (const { rules } of groups) {
    for (const rule of rules) {
      for (let link: CoreRule | undefined = rule; link !== undefined; link = link.else)
        checkCalls(link.body, errors);
    }
  }
};

const checkCalls = (body: CoreBody, errors: RegoError[]): void => {
  for (const expr of body) {
    const { statement } = expr;
    if (
      statement.type === 'call' &&
      statement.callee.type === 'builtin' &&
      statement.callee.declaration.deprecated
    ) {
      const message = `deprecated built-in function calls in expression: ${statement.callee.declaration.name}`;
      errors.push(new RegoError('rego_type_error', message, expr.location));
    }
    for (const inner of exprBodies(expr)) checkCalls(inner, errors);
  }
};
