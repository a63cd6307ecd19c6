// `npm run images`: the container images of the two units, from this checkout, without a network.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { messageOf } from '@openshell/base';
import { type Application, PROXY, RUNTIME, writeApplication } from './images/application.ts';
import { writeBaseRoot } from './images/base-root.ts';
import { Engine } from './images/engine.ts';

const HELP = `npm run images [-- OPTIONS]

Builds openshell-base, openshell-proxy and openshell-runtime with the container engine of this machine.

  --tag TAG          the images' tag (default: local)
  --base IMAGE       build on this image (glibc, Node.js 26 as /usr/local/bin/node) instead of making openshell-base
  --only NAME        only openshell-proxy, or only openshell-runtime
  --engine COMMAND   called as docker is (default: docker); its environment says which daemon
  --json             the images with their sizes in bytes and their modules as JSON on standard output
  --help             shows this text
`;

const root = fileURLToPath(new URL('..', import.meta.url)).replace(/\/$/, '');

const IMAGES: Readonly<Record<string, { readonly application: Application; readonly dockerfile: string }>> = {
  'openshell-proxy': { application: PROXY, dockerfile: 'deploy/proxy/Dockerfile' },
  'openshell-runtime': { application: RUNTIME, dockerfile: 'deploy/runtime/Dockerfile' },
};

const { values } = parseArgs({
  options: {
    tag: { type: 'string', default: 'local' },
    base: { type: 'string' },
    only: { type: 'string' },
    engine: { type: 'string', default: 'docker' },
    json: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});

const buildImages = async (): Promise<void> => {
  const { tag, only } = values;
  if (only !== undefined && !(only in IMAGES))
    throw new Error(`--only ${only}: there are ${Object.keys(IMAGES).join(' and ')}`);
  const engine = new Engine(values.engine);
  const problem = engine.problem();
  if (problem !== undefined)
    throw new Error(`${problem}\nStart the container engine, or name another with --engine.`);
  const scratch = mkdtempSync(join(tmpdir(), 'openshell-images-'));
  const report = (image: string, more: object = {}): void => {
    const bytes = engine.size(image);
    if (values.json) console.log(JSON.stringify({ image, bytes, ...more }));
    else console.log(`${image}  ${(bytes / 1e6).toFixed(0)} MB`);
  };
  try {
    const base = values.base ?? `openshell-base:${tag}`;
    if (values.base === undefined) {
      const folder = join(scratch, 'base');
      writeBaseRoot(process.execPath, folder);
      engine.importRoot(folder, base);
      report(base);
    }
    for (const [name, { application, dockerfile }] of Object.entries(IMAGES)) {
      if (only !== undefined && name !== only) continue;
      const context = join(scratch, name);
      const modules = await writeApplication(application, root, join(context, 'app'));
      engine.build(join(root, dockerfile), context, base, `${name}:${tag}`);
      report(`${name}:${tag}`, { modules });
    }
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
};

if (values.help) console.log(HELP);
else
  await buildImages().catch((error: unknown) => {
    console.error(messageOf(error));
    process.exitCode = 1;
  });
