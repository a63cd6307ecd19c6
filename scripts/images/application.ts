import { cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, relative } from 'node:path';
import { rolldown } from 'rolldown';

export interface Application {
  /** Of its file in `/app`, without ending. */
  readonly name: string;
  /** From the root of the repository. */
  readonly entry: string;
  /** Packages that are looked up while it runs. They must not need others. */
  readonly packages: readonly string[];
  /** Further files: place below `/app` to path from the root of the repository. */
  readonly files?: Readonly<Record<string, string>>;
}

/** The proxy, in its own image: no launcher, no SSH, no Landlock. */
export const PROXY: Application = {
  name: 'openshell-proxy',
  entry: 'packages/proxy/src/program.ts',
  packages: ['yaml'],
};

/** The supervisor whose proxy is on another node: no interception, no evaluation of policies. */
export const RUNTIME: Application = {
  name: 'openshell-sandbox',
  entry: 'packages/sandbox/src/edge/program.ts',
  packages: ['yaml'],
  files: {
    'node_modules/@openshell/runtime/package.json': 'packages/runtime/package.json',
    'node_modules/@openshell/runtime/build/openshell-launcher': 'packages/runtime/build/openshell-launcher',
  },
};

/**
 * The names of all modules whose code is in the program: paths from the root of the repository for ours, `npm:NAME` for packages, sorted.
 * What tree shaking left out is not in it.
 */
export type ModuleList = readonly string[];

/** Writes the application to `out`, which is made. Returns what is in it; `out/modules.json` says the same. */
export async function writeApplication(
  { name, entry, packages, files = {} }: Application,
  root: string,
  out: string,
): Promise<ModuleList> {
  const bundle = await rolldown({
    input: { [name]: join(root, entry) },
    platform: 'node',
    external: [/^node:/, ...packages.map((text) => new RegExp(`^${text}$`))],
  });
  const { output } = await bundle.write({
    dir: out,
    format: 'esm',
    entryFileNames: '[name].mjs',
    chunkFileNames: 'part-[hash].mjs',
    minify: { compress: true, mangle: false, codegen: { removeWhitespace: false } },
  });
  await bundle.close();
  const ids = output.flatMap((chunk) => (chunk.type === 'chunk' ? Object.keys(chunk.modules) : []));
  const modules = [
    ...new Set([...ids.flatMap((id) => moduleName(id, root)), ...packages.map((text) => `npm:${text}`)]),
  ].sort();
  for (const text of packages) copyPackage(text, root, out);
  for (const [place, source] of Object.entries(files)) {
    mkdirSync(dirname(join(out, place)), { recursive: true });
    cpSync(join(root, source), join(out, place));
  }
  writeFileSync(join(out, 'modules.json'), `${JSON.stringify(modules, undefined, 1)}\n`);
  return modules;
}

/** Helpers that the bundler itself puts in have no file. */
function moduleName(id: string, root: string): string[] {
  if (id.includes('\0')) return [];
  const path = relative(root, id);
  const inPackage = path.lastIndexOf('node_modules/');
  if (inPackage === -1) return [path];
  const [scope = '', second = ''] = path.slice(inPackage + 'node_modules/'.length).split('/');
  return [`npm:${scope.startsWith('@') ? `${scope}/${second}` : scope}`];
}

/** The package as it is published, without what only browsers read. */
function copyPackage(name: string, root: string, out: string): void {
  const manifest = createRequire(join(root, 'package.json')).resolve(`${name}/package.json`);
  const { dependencies = {} } = JSON.parse(readFileSync(manifest, 'utf8')) as {
    dependencies?: Record<string, string>;
  };
  const missing = Object.keys(dependencies);
  if (missing.length > 0) throw new Error(`${name} needs ${missing.join(', ')}, which nobody copies`);
  cpSync(dirname(manifest), join(out, 'node_modules', name), {
    recursive: true,
    filter: (path) => !path.includes('/browser'),
  });
}
