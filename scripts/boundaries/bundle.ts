import { join, relative } from 'node:path';
import { rolldown } from 'rolldown';
import { npmPackage } from './graph.ts';
import type { BundleRule } from './rules.ts';

/** What a program is made of once what nothing uses is left out. */
export interface Bundle {
  /** With some code in it; from the root of the repository. */
  readonly modules: readonly string[];
  /** Of npm. */
  readonly packages: readonly string[];
}

/** Bundles a program in memory, parts that it loads late included. */
export const bundleOf = async (root: string, entry: string): Promise<Bundle> => {
  const bundle = await rolldown({
    input: join(root, entry),
    platform: 'node',
    // All that is not ours stays outside and is listed.
    external: (id) => !/^(?:[./]|@openshell\/|\0)/.test(id),
  });
  try {
    const { output } = await bundle.generate({ format: 'esm' });
    const chunks = output.filter((file) => file.type === 'chunk');
    const modules = chunks.flatMap((chunk) =>
      Object.entries(chunk.modules).flatMap(([id, { renderedLength }]) =>
        renderedLength > 0 && !id.startsWith('\0') ? [relative(root, id)] : [],
      ),
    );
    const parts = new Set(chunks.map(({ fileName }) => fileName));
    const outside = chunks.flatMap((chunk) => [...chunk.imports, ...chunk.dynamicImports]);
    const packages = outside.flatMap((id) => (parts.has(id) ? [] : (npmPackage(id) ?? [])));
    return { modules, packages: [...new Set(packages)] };
  } finally {
    await bundle.close();
  }
};

/** What a rule does not let a program contain. */
export const bundleViolations = (
  { modules, packages }: Bundle,
  rule: Pick<BundleRule, 'absent' | 'packages'>,
): string[] => [
  ...modules.filter((module) => rule.absent.some((pattern) => pattern.test(module))),
  ...packages.filter((name) => !rule.packages.includes(name)),
];
