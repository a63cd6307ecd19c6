/**
 * Bundles the programs into `build/`, so that starting one loads a few files instead of some two hundred. `bin/start.mjs`
 * uses a bundle only while every source it was made of is unchanged; otherwise it runs the sources themselves.
 */
import { rmSync, statSync, writeFileSync } from 'node:fs';
import { relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { rolldown } from 'rolldown';

const root = fileURLToPath(new URL('..', import.meta.url));
const out = `${root}build`;

/** Name of the bundle by entry, as `bin/start.mjs` is asked for it. */
const programs = {
  openshell: 'packages/cli/src/main.ts',
  'openshell-proxy': 'packages/proxy/src/program.ts',
  'openshell-edge': 'packages/sandbox/src/edge/program.ts',
};

const input = Object.fromEntries(
  Object.entries(programs)
    .filter(([, entry]) => statSync(`${root}${entry}`, { throwIfNoEntry: false }))
    .map(([name, entry]) => [name, `${root}${entry}`]),
);

rmSync(out, { recursive: true, force: true });
const bundle = await rolldown({
  input,
  platform: 'node',
  // Resolved when it runs, from the checkout.
  external: [/^node:/, /^yaml$/, /^@open-policy-agent\//],
});
const { output } = await bundle.write({
  dir: out,
  format: 'esm',
  entryFileNames: '[name].mjs',
  chunkFileNames: 'part-[hash].mjs',
  minify: { compress: true, mangle: false, codegen: { removeWhitespace: false } },
});
await bundle.close();

const sources = new Set(output.flatMap((file) => (file.type === 'chunk' ? file.moduleIds : [])));
const inputs = [...sources]
  .filter((id) => id.startsWith(root) && !id.includes('\0') && !id.includes('/node_modules/'))
  // Of the packages it is enough to know that none was installed anew.
  .concat(`${root}node_modules/.package-lock.json`)
  .map((id) => {
    const { mtimeMs, size } = statSync(id);
    return [relative(root, id), mtimeMs, size];
  });
const bundles = Object.fromEntries(
  Object.keys(input).map((name) => [programs[name as keyof typeof programs], `build/${name}.mjs`]),
);
writeFileSync(`${out}/manifest.json`, JSON.stringify({ programs: bundles, inputs }));
console.log(`build: ${output.length} files from ${inputs.length} sources`);
