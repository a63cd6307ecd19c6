import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import type { RequestListener } from 'node:http';
import { promisify } from 'node:util';
import type { Scratch } from '../../../support/scratch.ts';
import { pathOf } from './web.ts';

const run = promisify(execFile);

/** What every path of a site answers with; anything else is 404. */
const serving =
  (files: Readonly<Record<string, Buffer | string>>, type: (path: string) => string): RequestListener =>
  (request, response) => {
    const path = pathOf(request);
    const content = files[path];
    if (content === undefined) response.writeHead(404).end();
    else response.writeHead(200, { 'content-type': type(path) }).end(content);
  };

/** An npm registry with one package, `apples` 1.0.0, which says "crunch". */
export const npmSite = async (scratch: Scratch): Promise<RequestListener> => {
  const manifest = { name: 'apples', version: '1.0.0', main: 'index.js' };
  const source = scratch.join('npm-source');
  mkdirSync(`${source}/package`, { recursive: true });
  writeFileSync(`${source}/package/package.json`, JSON.stringify(manifest));
  writeFileSync(`${source}/package/index.js`, "module.exports = 'crunch';\n");
  await run('tar', ['-czf', `${source}/apples.tgz`, '-C', source, 'package']);
  const tarball = readFileSync(`${source}/apples.tgz`);
  const integrity = `sha512-${createHash('sha512').update(tarball).digest('base64')}`;
  const dist = { tarball: 'https://npm.test/apples/-/apples-1.0.0.tgz', integrity };
  const document = {
    name: 'apples',
    'dist-tags': { latest: '1.0.0' },
    versions: { '1.0.0': { ...manifest, dist } },
  };
  const files = { '/apples': JSON.stringify(document), '/apples/-/apples-1.0.0.tgz': tarball };
  return serving(files, (path) => (path.endsWith('.tgz') ? 'application/octet-stream' : 'application/json'));
};

const WHEEL = 'apples-1.0-py3-none-any.whl';

/** A wheel is a zip file with a `.dist-info` folder (PyPA specification "Binary distribution format"). */
const WRITE_WHEEL = `
import sys, zipfile
with zipfile.ZipFile(sys.argv[1], 'w') as wheel:
    wheel.writestr('apples.py', 'TASTE = "crunch"\\n')
    wheel.writestr('apples-1.0.dist-info/METADATA', 'Metadata-Version: 2.1\\nName: apples\\nVersion: 1.0\\n')
    wheel.writestr('apples-1.0.dist-info/WHEEL', 'Wheel-Version: 1.0\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n')
    wheel.writestr('apples-1.0.dist-info/RECORD', '')`;

/** A package index (PEP 503) with one wheel. */
export const indexSite = async (scratch: Scratch): Promise<RequestListener> => {
  await run('/usr/bin/python3', ['-c', WRITE_WHEEL, scratch.join(WHEEL)]);
  const wheel = readFileSync(scratch.join(WHEEL));
  const hash = createHash('sha256').update(wheel).digest('hex');
  const page = `<!DOCTYPE html><a href="/files/${WHEEL}#sha256=${hash}">${WHEEL}</a>\n`;
  return serving({ '/simple/apples/': page, [`/files/${WHEEL}`]: wheel }, (path) =>
    path.endsWith('.whl') ? 'application/octet-stream' : 'text/html',
  );
};
