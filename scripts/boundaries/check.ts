import { importChain, npmPackage, ourPackage, packageOf, resolveImport, type Sources } from './graph.ts';
import { type Import, importsOf } from './imports.ts';
import { PACKAGE_RULES, PROGRAM_RULES } from './rules.ts';

export interface Violation {
  /** `FILE:LINE`, or the chain of modules from a program to what it must not contain. */
  readonly where: string;
  readonly what: string;
}

/** What the checks know: every TypeScript file of the packages, and what each package declares. */
export interface Workspace {
  readonly sources: Sources;
  /** Package to the npm packages in its package.json. */
  readonly dependencies: ReadonlyMap<string, ReadonlySet<string>>;
}

/** Tests, their helpers and generators of documents run on a developer's machine and are in no program. */
const isDevelopment = (path: string): boolean =>
  /\.test\.ts$|\/test(?:-support|ing)?\/|\/docs\/|\/write-[^/]*\.ts$/.test(path);

/** A room's inside is nobody else's business: what is below a folder with an index.ts is imported through it. */
const roomProblem = ({ sources }: Workspace, from: string, target: string): string | undefined => {
  const [, , , ...below] = target.split('/');
  for (let depth = 1; depth < below.length; depth += 1) {
    const room = target
      .split('/')
      .slice(0, 3 + depth)
      .join('/');
    const door = `${room}/index.ts`;
    if (from.startsWith(`${room}/`) || !sources.has(door) || target === door) continue;
    return `reaches into the room ${room}/; import it through its index.ts`;
  }
  return undefined;
};

const ownProblem = (workspace: Workspace, from: string, specifier: string): string | undefined => {
  const target = resolveImport(from, specifier);
  const home = packageOf(from);
  if (packageOf(target) === home) return roomProblem(workspace, from, target);
  const other = packageOf(target);
  return other
    ? `crosses into the package ${other} by a path; import '@openshell/${other}'`
    : `leaves the package ${home}`;
};

const isDoor = (specifier: string, name: string): boolean =>
  ['', ...(PACKAGE_RULES[name]?.doors ?? []).map((door) => `/${door}`)].some(
    (door) => specifier === `@openshell/${name}${door}`,
  );

const packageProblem = (from: string, specifier: string): string | undefined => {
  const home = packageOf(from) ?? '';
  const other = ourPackage(specifier) ?? '';
  const rule = PACKAGE_RULES[home];
  if (!rule) return `the package ${home} is not in the table (scripts/boundaries/rules.ts)`;
  if (!isDoor(specifier, other))
    return `this is no door of the package; its main one is '@openshell/${other}'`;
  // A test may come in through the front door, as a caller does.
  if (other === home && isDevelopment(from)) return undefined;
  if (other === home) return 'imports its own package by name; use a relative path';
  if (rule.mayImport.includes(other)) return undefined;
  return `${home} may import ${rule.mayImport.join(', ') || 'no other package'}, not ${other}`;
};

const outsideProblem = (workspace: Workspace, from: string, specifier: string): string | undefined => {
  const home = packageOf(from) ?? '';
  if (specifier.startsWith('node:')) {
    const builtins = PACKAGE_RULES[home]?.builtins;
    const name = specifier.slice('node:'.length);
    if (!builtins || builtins.includes(name) || isDevelopment(from)) return undefined;
    return `${home} is pure and may not use ${specifier}`;
  }
  const name = npmPackage(specifier);
  if (name === undefined) return 'is an absolute path';
  if (isDevelopment(from) || workspace.dependencies.get(home)?.has(name)) return undefined;
  return `${name} is not among the dependencies of packages/${home}/package.json`;
};

const importProblem = (workspace: Workspace, from: string, { specifier }: Import): string | undefined => {
  if (specifier.startsWith('.')) return ownProblem(workspace, from, specifier);
  if (ourPackage(specifier) !== undefined) return packageProblem(from, specifier);
  return outsideProblem(workspace, from, specifier);
};

const importViolations = (workspace: Workspace): Violation[] =>
  [...workspace.sources].flatMap(([path, source]) =>
    importsOf(source).flatMap((found) => {
      const what = importProblem(workspace, path, found);
      return what === undefined
        ? []
        : [{ where: `${path}:${found.line}`, what: `'${found.specifier}': ${what}` }];
    }),
  );

const programViolations = ({ sources }: Workspace): Violation[] =>
  PROGRAM_RULES.filter(({ entry }) => sources.has(entry)).flatMap(({ entry, absent, because }) =>
    absent.flatMap((name) => {
      const isTarget = (module: string): boolean =>
        packageOf(module) === (ourPackage(name) ?? '') || npmPackage(module) === name;
      const chain = importChain(sources, entry, isTarget);
      return chain
        ? [{ where: chain.join('\n    → '), what: `${entry} contains ${name}, but ${because}` }]
        : [];
    }),
  );

/** Everything that the imports of the packages do against the architecture. */
export const boundaryViolations = (workspace: Workspace): Violation[] => [
  ...importViolations(workspace),
  ...programViolations(workspace),
];

export const formatViolation = ({ where, what }: Violation): string => `  ${where}\n      ${what}`;
