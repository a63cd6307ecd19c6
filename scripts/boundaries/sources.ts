import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Workspace } from './check.ts';

interface Manifest {
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
}

const readManifest = (path: string): ReadonlySet<string> => {
  const { dependencies, optionalDependencies } = JSON.parse(readFileSync(path, 'utf8')) as Manifest;
  return new Set(Object.keys({ ...dependencies, ...optionalDependencies }));
};

/** Reads every TypeScript file and manifest of the packages below `root`. */
export const readWorkspace = (root: string): Workspace => {
  const find = (pattern: string): string[] => globSync(pattern, { cwd: root }).sort();
  const read = (path: string): [string, string] => [path, readFileSync(join(root, path), 'utf8')];
  return {
    sources: new Map(find('packages/*/{src,test}/**/*.ts').map(read)),
    dependencies: new Map(
      find('packages/*/package.json').map((path) => [
        path.split('/')[1] ?? '',
        readManifest(join(root, path)),
      ]),
    ),
  };
};
