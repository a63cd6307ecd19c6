import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { contentKey, HashCache } from './hash-cache.ts';
import type { ProcessFacts } from './reply.ts';
import { IdentityResolver } from './resolver.ts';

const proc = mkdtempSync(join(tmpdir(), 'openshell-proc-'));
after(() => rmSync(proc, { recursive: true }));

const seconds = (nanoseconds: bigint): string =>
  `${nanoseconds / 1_000_000_000n}.${String(nanoseconds % 1_000_000_000n).padStart(9, '0')}`;

/** A process in a /proc of ours, whose executable has this content; and what the launcher would say of it. */
const running = (pid: number, exe: string, content: string): ProcessFacts => {
  mkdirSync(`${proc}/${pid}`, { recursive: true });
  writeFileSync(`${proc}/${pid}/exe`, content);
  writeFileSync(`${proc}/${pid}/cmdline`, `${exe}\0--flag\0`);
  const { dev, ino, size, mtimeNs, ctimeNs } = statSync(`${proc}/${pid}/exe`, { bigint: true });
  return { pid, exe, dev, ino, size, mtime: seconds(mtimeNs), ctime: seconds(ctimeNs) };
};

const resolver = (writable: (path: string) => boolean = () => false): IdentityResolver =>
  new IdentityResolver({ hashes: new HashCache(), procPath: proc, writable });

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');

describe('who holds a connection', () => {
  test('is a program by path and hash, with its ancestors and arguments', async () => {
    const [tool, shell] = [running(10, '/usr/bin/tool', 'tool'), running(11, '/bin/sh', 'shell')];
    assert.deepEqual(await resolver().resolve({ id: 1, owners: [[tool, shell]] }), {
      kind: 'process',
      pid: 10,
      executable: { path: '/usr/bin/tool', sha256: sha256('tool'), pinned: true },
      ancestors: [{ path: '/bin/sh', sha256: sha256('shell'), pinned: true }],
      argv: ['/usr/bin/tool', '--flag'],
    });
  });

  test('is not pinned where the workload could have written it', async () => {
    const identity = await resolver((path) => path.startsWith('/tmp')).resolve({
      id: 1,
      owners: [[running(12, '/tmp/tool', 'x')]],
    });
    assert.equal(identity.kind === 'process' && identity.executable.pinned, false);
  });

  test('is refused when a path has another content than at its first use, also as an ancestor', async () => {
    const known = resolver();
    assert.equal(
      (await known.resolve({ id: 1, owners: [[running(13, '/tmp/tool', 'first')]] })).kind,
      'process',
    );
    const changed = running(14, '/tmp/tool', 'second');
    for (const chain of [[changed], [running(15, '/bin/sh', 'shell'), changed]] as const) {
      const identity = await known.resolve({ id: 2, owners: [chain as [ProcessFacts]] });
      assert.equal(identity.kind === 'unknown' && identity.code, 'binary_changed');
      assert.match(identity.kind === 'unknown' ? identity.reason : '', /\/tmp\/tool/);
    }
  });

  test('is trusted when the same content came back under the same path', async () => {
    const known = resolver();
    for (const pid of [16, 17]) {
      assert.equal(
        (await known.resolve({ id: 1, owners: [[running(pid, '/tmp/tool', 'same')]] })).kind,
        'process',
      );
    }
  });

  test('keeps its name when its file was removed while it ran', async () => {
    const known = resolver();
    await known.resolve({ id: 1, owners: [[running(18, '/tmp/gone', 'one')]] });
    const still = await known.resolve({ id: 2, owners: [[running(19, '/tmp/gone (deleted)', 'one')]] });
    assert.equal(still.kind === 'process' && still.executable.path, '/tmp/gone');
    const other = await known.resolve({ id: 3, owners: [[running(20, '/tmp/gone (deleted)', 'two')]] });
    assert.equal(other.kind === 'unknown' && other.code, 'binary_changed');
  });

  test('is one when several processes of one program hold it, and nobody when they differ', async () => {
    const known = resolver();
    const [one, two, other] = [
      running(21, '/bin/a', 'a'),
      running(22, '/bin/a', 'a'),
      running(23, '/bin/b', 'b'),
    ];
    assert.equal((await known.resolve({ id: 1, owners: [[one], [two]] })).kind, 'process');
    const shared = await known.resolve({ id: 1, owners: [[one], [other]] });
    assert.equal(shared.kind === 'unknown' && shared.code, 'shared');
  });

  test('is nobody when the file is another by the time it is read', async () => {
    const facts = running(24, '/bin/c', 'c');
    writeFileSync(`${proc}/24/exe`, 'changed meanwhile');
    const identity = await resolver().resolve({ id: 1, owners: [[facts]] });
    assert.equal(identity.kind === 'unknown' && identity.code, 'gone');
  });

  for (const [problem, code] of Object.entries({
    gone: 'gone',
    none: 'gone',
    vanished: 'gone',
    many: 'shared',
    unreadable: 'unreadable',
    timeout: 'unreadable',
  })) {
    test(`is nobody when the launcher says '${problem}'`, async () => {
      const identity = await resolver().resolve({ id: 1, problem });
      assert.equal(identity.kind === 'unknown' && identity.code, code);
    });
  }
});

describe('hashes', () => {
  test('are made once a content, also for two that ask at the same time', async () => {
    const hashes = new HashCache();
    const facts = running(30, '/bin/d', 'd');
    const path = `${proc}/30/exe`;
    const [first, second] = [hashes.sha256(contentKey(facts), path), hashes.sha256(contentKey(facts), path)];
    assert.equal(first, second);
    assert.equal(await first, sha256('d'));
  });

  test('of a file that failed are tried again', async () => {
    const hashes = new HashCache();
    const facts = running(31, '/bin/e', 'e');
    await assert.rejects(hashes.sha256(contentKey(facts), `${proc}/missing`));
    assert.equal(await hashes.sha256(contentKey(facts), `${proc}/31/exe`), sha256('e'));
  });
});
