import assert from 'node:assert/strict';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { OpenShellError } from '@openshell/base';
import type { MountItem } from '../spec/spec.ts';
import { type FilesPlan, type FilesRequest, planFiles } from './plan.ts';

const base = realpathSync(mkdtempSync(join(tmpdir(), 'openshell-plan-')));
after(() => rmSync(base, { recursive: true }));

mkdirSync(`${base}/work/inner/deep`, { recursive: true });
mkdirSync(`${base}/other`);
writeFileSync(`${base}/work/file`, '');
symlinkSync('other', `${base}/link`);

const HOME = '/home/sandbox';
const OURS = { uid: 64999, gid: 64998 };

const plan = (request: Partial<FilesRequest>): FilesPlan =>
  planFiles({ readOnly: [], readWrite: [], home: HOME, files: [], ...OURS, mapOwners: false, ...request });

const at = (path: string): string => `${base}/${path}`;

/** What the plan binds of our directories: `path ro` or `path rw`. */
const binds = ({ mounts }: FilesPlan): string[] =>
  mounts.flatMap((item) =>
    item.kind === 'bind' && item.target.startsWith(base)
      ? [`${item.target.slice(base.length + 1)} ${item.readOnly ? 'ro' : 'rw'}`]
      : [],
  );

const target = ({ mounts }: FilesPlan, path: string): MountItem | undefined =>
  mounts.find((item) => item.target === path);

describe('the view of files', () => {
  const tables: readonly [what: string, request: Partial<FilesRequest>, expected: readonly string[]][] = [
    ['nothing', {}, []],
    ['a directory to read', { readOnly: [at('work')] }, ['work ro']],
    ['a file to write', { readWrite: [at('work/file')] }, ['work/file rw']],
    ['a directory to work in', { workdir: at('work') }, ['work rw']],
    ['both: writing wins', { readOnly: [at('work')], readWrite: [at('work')] }, ['work rw']],
    ['a part that its whole shows already', { readOnly: [at('work'), at('work/inner')] }, ['work ro']],
    [
      'a writable part of a read-only whole',
      { readOnly: [at('work')], readWrite: [at('work/inner')] },
      ['work ro', 'work/inner rw'],
    ],
    [
      'a read-only part of a writable whole',
      { readOnly: [at('work/inner')], workdir: at('work') },
      ['work rw', 'work/inner ro'],
    ],
    [
      'three levels',
      { readOnly: [at('work/inner')], readWrite: [at('work'), at('work/inner/deep')] },
      ['work rw', 'work/inner ro', 'work/inner/deep rw'],
    ],
    ['a symbolic link: what it leads to', { readOnly: [at('link')] }, ['other ro']],
  ];
  for (const [what, request, expected] of tables) {
    test(`of ${what}`, () => assert.deepEqual(binds(plan(request)).sort(), [...expected].sort()));
  }

  test('keeps the link by which something was named', () => {
    assert.deepEqual(target(plan({ readOnly: [at('link')] }), at('link')), {
      kind: 'symlink',
      target: at('link'),
      text: 'other',
    });
  });

  test('leaves out what does not exist, and says so', () => {
    const { missing } = plan({ readOnly: ['/no/such/place', '/etc'] });
    assert.deepEqual(missing, ['/no/such/place']);
  });

  test('mounts parents before what is in them, and seals at the end', () => {
    const { mounts } = plan({ readOnly: ['/usr', '/etc', at('work/inner')], workdir: at('work') });
    const seals = mounts.filter(({ kind }) => kind === 'seal').map((item) => item.target);
    assert.deepEqual(seals.at(-1), '/');
    const others = mounts.filter(({ kind }) => kind !== 'seal');
    assert.deepEqual(mounts.slice(0, others.length), others);
    others.forEach((item, index) => {
      const child = others.findIndex((other) => other.target.startsWith(`${item.target}/`));
      assert.ok(child < 0 || child > index, `${item.target} comes after ${others[child]?.target}`);
    });
  });

  test('has a /proc, /dev, /tmp, /dev/shm and home of its own, also when the policy lists the host’s', () => {
    const found = plan({ readOnly: ['/proc', '/dev', '/tmp'], readWrite: ['/tmp', '/dev/null'] });
    assert.equal(target(found, '/proc')?.kind, 'proc');
    for (const path of ['/dev', '/tmp', '/dev/shm', HOME])
      assert.equal(target(found, path)?.kind, 'tmpfs', path);
    assert.ok(
      !found.mounts.some((item) => item.kind === 'bind' && ['/proc', '/dev', '/tmp'].includes(item.source)),
    );
  });

  test('hides what /proc tells about the machine', () => {
    const { mounts } = plan({});
    // Which of them exist depends on the kernel.
    for (const name of ['kcore', 'keys', 'sysrq-trigger', 'timer_list'].filter((each) =>
      existsSync(`/proc/${each}`),
    )) {
      assert.ok(
        mounts.some((item) => item.target === `/proc/${name}`),
        name,
      );
    }
  });

  test('shows the host’s /tmp to who works in it', () => {
    const found = plan({ workdir: '/tmp' });
    assert.deepEqual(
      found.mounts.filter((item) => item.target === '/tmp').map(({ kind }) => kind),
      ['bind'],
    );
  });

  test('has everything in the root but /tmp when the root is listed, and no writable root', () => {
    const found = plan({ readOnly: ['/'] });
    assert.ok(found.mounts.some((item) => item.kind === 'bind' && item.target === '/etc' && item.readOnly));
    assert.ok(!found.mounts.some((item) => item.kind === 'bind' && item.target === '/'));
    for (const request of [{ readWrite: ['/'] }, { workdir: '/' }]) {
      assert.throws(
        () => plan(request),
        (error) => error instanceof OpenShellError && error.code === 'writable_root',
      );
    }
  });

  test('puts files of ours over the host’s', () => {
    const content = Buffer.from('x');
    const found = plan({ readOnly: ['/etc'], files: [{ path: '/etc/passwd', content, mode: 0o444 }] });
    assert.deepEqual(target(found, '/etc/passwd'), {
      kind: 'file',
      target: '/etc/passwd',
      content,
      mode: 0o444,
    });
  });

  test('says what the workload could write, and what it sees', () => {
    const found = plan({ readOnly: ['/usr', at('work/inner')], workdir: at('work') });
    const cases: readonly [path: string, writable: boolean, visible: boolean][] = [
      ['/usr/bin/env', false, true],
      [at('work/file'), true, true],
      [at('work/inner/x'), false, true],
      [at('other'), base.startsWith('/tmp/'), false],
      ['/tmp/x', true, false],
      ['/tmp', true, true],
      [HOME, true, true],
      ['/root', false, false],
    ];
    for (const [path, writable, visible] of cases) {
      assert.equal(found.writable(path), writable, `writable ${path}`);
      assert.equal(found.visible(path), visible, `visible ${path}`);
    }
  });
});

describe('the owners of files', () => {
  test('are exchanged for root’s sandboxes, where something may be written, one map an owner', () => {
    const found = plan({
      readOnly: ['/usr'],
      readWrite: [at('other')],
      workdir: at('work'),
      mapOwners: true,
    });
    const mapped = found.mounts
      .filter((item) => item.kind === 'bind' && item.idmap !== undefined)
      .map((item) => item.target);
    assert.deepEqual(mapped.sort(), [at('other'), at('work')]);
    assert.equal(found.idmaps.length, 1);
  });

  test('stay as they are for an ordinary user', () => {
    const found = plan({ workdir: at('work') });
    assert.deepEqual(found.idmaps, []);
  });
});
