import { type Module, parseModule } from '@openshell/rego';
import { type ShippedName, shippedText } from './shipped-text.ts';

/**
 * The modules with the user's put before ours: `openshell.policy`, which rules build on, unless they bring it themselves, and
 * `openshell.sandbox`, which answers as the policy file says, where the user gives no rules at all.
 */
export const withShippedModules = (modules: readonly Module[]): readonly Module[] => {
  const own = new Set(modules.map(packageName));
  const shipped = modules.length === 0 ? [...library(), entry()] : library();
  return [...modules, ...shipped.filter((module) => !own.has(packageName(module)))];
};

/** `openshell.sandbox` of a module's `package openshell.sandbox`. */
const packageName = (module: Module): string => module.package.path.join('.');

const library = (): readonly Module[] => [shippedModule('policy.rego'), shippedModule('requests.rego')];
const entry = (): Module => shippedModule('sandbox.rego');

const parsed = new Map<string, Module>();

const shippedModule = (name: ShippedName): Module => {
  let module = parsed.get(name);
  if (module === undefined) {
    module = parseModule(`openshell/${name}`, shippedText(name));
    parsed.set(name, module);
  }
  return module;
};
