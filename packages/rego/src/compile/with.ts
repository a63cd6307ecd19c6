import type { With } from '../ast/expr.ts';
import type { Location } from '../ast/location.ts';
import type { RefTerm, Term } from '../ast/term.ts';
import { RegoError } from '../error.ts';
import type { Value } from '../value/index.ts';
import { type Callee, type CoreTerm, type CoreWith, calleeName, type Replacement } from './core.ts';
import { calleeArity, type ExpandContext, resolveCallee } from './expand.ts';

/** A `with` modifier; nothing when it is wrong, which is added to the errors. */
export const expandWith = (
  modifier: With,
  context: ExpandContext,
  expand: (term: Term) => CoreTerm,
): CoreWith | undefined => {
  const { target, value, location } = modifier;
  const callee = resolveCallee(target, context);
  if (callee !== undefined) return functionTarget(callee, value, location, context, expand);
  const root = target.type === 'ref' && target.head.type === 'var' ? target.head.name : '';
  if (target.type !== 'ref' || (root !== 'input' && root !== 'data')) {
    return fail(
      context,
      'rego_type_error',
      location,
      'with keyword target must reference existing input, data, or a function',
    );
  }
  const path = constantPath(target);
  if (path === undefined) {
    return fail(context, 'rego_compile_error', location, 'with keyword target must be a constant reference');
  }
  if (root === 'data' && partlyVirtual(path, context)) {
    const message = 'with keyword cannot partially replace virtual document(s)';
    return fail(context, 'rego_compile_error', location, message);
  }
  return { type: root, path, value: expand(value), location };
};

const functionTarget = (
  callee: Callee,
  value: Term,
  location: Location,
  context: ExpandContext,
  expand: (term: Term) => CoreTerm,
): CoreWith | undefined => {
  const name = calleeName(callee);
  const refused = callee.type === 'builtin' ? irreplaceable(callee) : undefined;
  if (refused !== undefined) {
    const message = `with keyword replacing built-in function: ${refused}`;
    return fail(context, 'rego_compile_error', location, message);
  }
  const replacement = resolveCallee(value, context);
  if (replacement === undefined) {
    return { type: 'function', name, replacement: { type: 'value', value: expand(value) }, location };
  }
  if (calleeArity(replacement) !== calleeArity(callee)) {
    return fail(
      context,
      'rego_type_error',
      location,
      `${name}: arity mismatch of its replacement ${calleeName(replacement)}`,
    );
  }
  return {
    type: 'function',
    name,
    replacement: { type: 'callee', callee: replacement } satisfies Replacement,
    location,
  };
};

const irreplaceable = (callee: Extract<Callee, { type: 'builtin' }>): string | undefined => {
  const { name, relation } = callee.declaration;
  if (name === 'eq' || name.startsWith('rego.metadata.')) return `replacement of "${name}" invalid`;
  if (name.startsWith('internal.')) return `replacement of internal function "${name}" invalid`;
  return relation === true ? 'target must not be a relation' : undefined;
};

const constantPath = (target: RefTerm): readonly string[] | undefined => {
  const path: string[] = [];
  for (const part of target.path) {
    if (part.type !== 'scalar' || typeof part.value !== 'string') return undefined;
    path.push(part.value);
  }
  return path;
};

/** Whether a rule defines something above the path, so that only a part of its value would be replaced. */
const partlyVirtual = (path: readonly Value[], context: ExpandContext): boolean => {
  let node = context.tree.child(path[0] ?? '');
  for (const part of path.slice(1)) {
    if (node?.group !== undefined) return true;
    node = node?.child(part);
  }
  return false;
};

const fail = (
  context: ExpandContext,
  code: 'rego_type_error' | 'rego_compile_error',
  location: Location,
  message: string,
): undefined => {
  context.errors.push(new RegoError(code, message, location));
  return undefined;
};
