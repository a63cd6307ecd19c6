import type { Import, Module } from '../ast/module.ts';
import { RegoError } from '../error.ts';
import { importName } from './resolve.ts';

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
      errors.push(new RegoError('rego_compile_error', `import must not shadow import of ${name}`, imported.location));
    }
    seen.set(name, imported);
  }
};

/** Rules called `input` or `data` would hide the documents. */
const checkRootNames = (module: Module, errors: RegoError[]): void => {
  for (const { head, location } of module.rules) {
    const name = head.ref.head.type === 'var' ? head.ref.head.name : '';
    if (name !== 'input' && name !== 'data') continue;
    errors.push(new RegoError('rego_compile_error', `rules must not shadow ${name} (use a different rule name)`, location));
  }
};
