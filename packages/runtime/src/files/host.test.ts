import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { lookUpHostPath } from './host.ts';

const base = realpathSync(mkdtempSync(join(tmpdir(), 'openshell-host-')));
after(() => rmSync(base, { recursive: true }));

mkdirSync(`${base}/a/b`, { recursive: true });
writeFileSync(`${base}/a/b/file`, '');
symlinkSync('a/b', `${base}/relative`);
symlinkSync(`${base}/relative/file`, `${base}/absolute`);
symlinkSync('../../a', `${base}/a/b/up`);
symlinkSync('loop2', `${base}/loop1`);
symlinkSync('loop1', `${base}/loop2`);
symlinkSync('self', `${base}/self`);
symlinkSync('missing', `${base}/dangling`);
for (let index = 0; index < 45; index += 1)
  symlinkSync(index === 0 ? 'a' : `chain${index - 1}`, `${base}/chain${index}`);

describe('a path of the host', () => {
  const found: readonly [path: string, real: string, kind: string, links: readonly string[]][] = [
    ['a/b/file', 'a/b/file', 'file', []],
    ['a//b/', 'a/b', 'directory', []],
    ['relative', 'a/b', 'directory', ['relative']],
    ['relative/file', 'a/b/file', 'file', ['relative']],
    ['absolute', 'a/b/file', 'file', ['absolute', 'relative']],
    ['a/b/up/b/file', 'a/b/file', 'file', ['a/b/up']],
    ['chain39', 'a', 'directory', Array.from({ length: 40 }, (_, index) => `chain${39 - index}`)],
  ];
  for (const [path, real, kind, links] of found) {
    test(`is followed through its links: ${path}`, () => {
      const host = lookUpHostPath(`${base}/${path}`);
      assert.equal(host?.real, `${base}/${real}`);
      assert.equal(host?.real, realpathSync(`${base}/${path}`));
      assert.equal(host?.kind, kind);
      const inOurs = [...(host?.links.keys() ?? [])].filter((link) => link.startsWith(base));
      assert.deepEqual(
        inOurs,
        links.map((link) => `${base}/${link}`),
      );
    });
  }

  for (const path of ['missing', 'a/missing/b', 'a/b/file/below', 'dangling', 'loop1', 'self', 'chain40']) {
    test(`leads nowhere: ${path}`, () => assert.equal(lookUpHostPath(`${base}/${path}`), undefined));
  }

  test('may be the root, or a device', () => {
    assert.equal(lookUpHostPath('/')?.real, '/');
    assert.equal(lookUpHostPath('/dev/null')?.kind, 'device');
  });
});
