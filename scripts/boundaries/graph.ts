import { posix } from 'node:path';
import { importsOf } from './imports.ts';

/** Path from the root of the repository to the text of the file. */
export type Sources = ReadonlyMap<string, string>;

const OURS = '@openshell/';

/** `packages/NAME/…` to NAME; undefined elsewhere. */
export const packageOf = (path: string): string | undefined => /^packages\/([^/]+)\//.exec(path)?.[1];

/** `@openshell/NAME` or `@openshell/NAME/more` to NAME; undefined for every other specifier. */
export const ourPackage = (specifier: string): string | undefined =>
  specifier.startsWith(OURS) ? specifier.slice(OURS.length).split('/')[0] : undefined;

/** The npm package that a bare specifier names; undefined for relative ones and parts of Node.js. */
export const npmPackage = (specifier: string): string | undefined => {
  if (/^(\.|\/|node:)/.test(specifier)) return undefined;
  const [scope = '', name] = specifier.split('/');
  return scope.startsWith('@') ? `${scope}/${name}` : scope;
};

/** Where an import leads: a file of ours, or the specifier itself where it leads out of the repository. */
export const resolveImport = (from: string, specifier: string): string => {
  if (specifier.startsWith('.')) return posix.join(posix.dirname(from), specifier);
  const [name, ...door] = specifier.startsWith(OURS) ? specifier.slice(OURS.length).split('/') : [];
  return name === undefined ? specifier : ['packages', name, 'src', ...door, 'index.ts'].join('/');
};

/** The shortest way from a module to one that `isTarget`, both included; undefined where there is none. */
export const importChain = (
  sources: Sources,
  entry: string,
  isTarget: (module: string) => boolean,
): string[] | undefined => {
  const cameFrom = new Map<string, string | undefined>([[entry, undefined]]);
  for (const module of cameFrom.keys()) {
    if (isTarget(module)) return wayTo(module, cameFrom);
    for (const { specifier } of importsOf(sources.get(module) ?? '')) {
      const next = resolveImport(module, specifier);
      if (!cameFrom.has(next)) cameFrom.set(next, module);
    }
  }
  return undefined;
};

const wayTo = (module: string, cameFrom: ReadonlyMap<string, string | undefined>): string[] => {
  const chain = [module];
  for (let step = cameFrom.get(module); step !== undefined; step = cameFrom.get(step)) chain.unshift(step);
  return chain;
};
