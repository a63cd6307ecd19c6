import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { OpenShellError } from '@openshell/base';
import { type LandlockAccess, type LandlockKind, landlockPlan, landlockRequirement } from './index.ts';
import { FS } from './rights.ts';

const accessAt = (abi: number, access: LandlockAccess, kind: LandlockKind): bigint =>
  landlockPlan({ abi, paths: [{ path: '/x', access, kind }] }).rules[0]!.access;

describe('the plan', () => {
  const byAbi = [
    { abi: 0, size: 0, fs: 0n, scoped: 0n, flags: 0 },
    { abi: 1, size: 8, fs: 0x1fffn, scoped: 0n, flags: 0 },
    { abi: 2, size: 8, fs: 0x3fffn, scoped: 0n, flags: 0 },
    { abi: 3, size: 8, fs: 0x7fffn, scoped: 0n, flags: 0 },
    { abi: 4, size: 16, fs: 0x7fffn, scoped: 0n, flags: 0 },
    { abi: 5, size: 16, fs: 0xffffn, scoped: 0n, flags: 0 },
    { abi: 6, size: 24, fs: 0xffffn, scoped: 3n, flags: 0 },
    { abi: 7, size: 24, fs: 0xffffn, scoped: 3n, flags: 6 },
    { abi: 12, size: 24, fs: 0xffffn, scoped: 3n, flags: 6 },
  ];
  for (const { abi, size, fs, scoped, flags } of byAbi) {
    test(`governs at ABI ${abi} all that this ABI has and we know`, () => {
      assert.deepEqual(landlockPlan({ abi, paths: [] }), {
        attributeSize: size,
        handledAccessFs: fs,
        handledAccessNet: 0n,
        scoped,
        restrictFlags: flags,
        rules: [],
      });
    });
  }

  const READ = FS.execute | FS.readFile | FS.readDir;
  const TREE =
    FS.removeDir |
    FS.removeFile |
    FS.makeDir |
    FS.makeReg |
    FS.makeSock |
    FS.makeFifo |
    FS.makeSym |
    FS.writeFile;
  const cases: [number, LandlockAccess, LandlockKind, bigint][] = [
    [7, 'list', 'directory', FS.readDir],
    [7, 'read', 'directory', READ],
    [7, 'read', 'file', FS.execute | FS.readFile],
    [7, 'read', 'device', FS.readFile],
    [7, 'write', 'directory', READ | TREE | FS.refer | FS.truncate],
    [7, 'write', 'file', FS.execute | FS.readFile | FS.writeFile | FS.truncate],
    [7, 'write', 'device', FS.readFile | FS.writeFile],
    [7, 'device', 'device', FS.readFile | FS.writeFile | FS.ioctlDev],
    [7, 'device', 'directory', FS.readFile | FS.writeFile | FS.readDir | FS.ioctlDev],
    [7, 'device', 'file', FS.readFile | FS.writeFile],
    [4, 'device', 'device', FS.readFile | FS.writeFile],
    [2, 'write', 'file', FS.execute | FS.readFile | FS.writeFile],
    [2, 'write', 'directory', READ | TREE | FS.refer],
    [1, 'write', 'directory', READ | TREE],
  ];
  for (const [abi, access, kind, expected] of cases) {
    test(`grants ${access} on a ${kind} at ABI ${abi} exactly what it means there`, () => {
      assert.equal(accessAt(abi, access, kind), expected);
    });
  }

  test('never grants what the ruleset does not govern, nor the making of device nodes', () => {
    for (const abi of [1, 2, 3, 4, 5, 6, 7]) {
      for (const access of ['list', 'read', 'write', 'device'] as const) {
        for (const kind of ['file', 'directory', 'device'] as const) {
          const plan = landlockPlan({ abi, paths: [{ path: '/x', access, kind }] });
          assert.equal(plan.rules[0]!.access & ~plan.handledAccessFs, 0n);
          assert.equal(plan.rules[0]!.access & (FS.makeChar | FS.makeBlock), 0n);
        }
      }
    }
  });

  test('has no rules where there is no Landlock', () => {
    assert.deepEqual(
      landlockPlan({ abi: 0, paths: [{ path: '/x', access: 'read', kind: 'file' }] }).rules,
      [],
    );
  });
});

describe('the requirement', () => {
  const gaps: [number, number[]][] = [
    [0, [1, 2, 3, 5, 6]],
    [1, [2, 3, 5, 6]],
    [2, [3, 5, 6]],
    [3, [5, 6]],
    [4, [5, 6]],
    [5, [6]],
    [6, []],
    [7, []],
    [9, []],
  ];
  for (const [abi, missing] of gaps) {
    test(`finds at ABI ${abi} ${missing.length} protections missing`, () => {
      const found = landlockRequirement(abi, 'best_effort').missing.map((gap) => gap.abi);
      assert.deepEqual(found, missing);
    });

    test(`${abi > 0 ? 'is met' : 'refuses to start'} at ABI ${abi} when it is hard`, () => {
      if (abi > 0) {
        assert.equal(landlockRequirement(abi, 'hard_requirement').missing.length, missing.length);
        return;
      }
      assert.throws(
        () => landlockRequirement(abi, 'hard_requirement'),
        (error) =>
          error instanceof OpenShellError &&
          error.code === 'landlock_missing' &&
          (error.remedy?.includes('5.13') ?? false),
      );
    });
  }
});
