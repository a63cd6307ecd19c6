import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { launcherPath } from '@openshell/runtime';
import { encodeSpec } from '../../packages/runtime/src/spec/encode.ts';
import { compile } from '../support/compile.ts';
import { needsProgram, ROOT } from '../support/paths.ts';
import { Scratch } from '../support/scratch.ts';
import { HEADER_BYTES, SAMPLE, sampleBytes } from './sample-specification.ts';

const SOURCE = `${ROOT}/packages/runtime/launcher`;
const MAX_LINES = 1500;

const check = (specification: Uint8Array): string =>
  spawnSync(launcherPath(), ['--check'], { input: specification, encoding: 'utf8' }).stdout.trim();

describe('openshell-launcher --check', () => {
  test('accepts what encodeSpec makes', () => assert.equal(check(sampleBytes()), 'ok'));

  test('accepts a sandbox without a command, and one for root', () => {
    const { command, userNamespace, ...held } = SAMPLE;
    assert.equal(check(encodeSpec({ ...held, ...(userNamespace ? { userNamespace } : {}) })), 'ok');
    assert.equal(check(encodeSpec({ ...held, ...(command ? { command } : {}) })), 'ok');
  });

  const damaged: readonly [what: string, bytes: () => Buffer, answer: string][] = [
    ['nothing', () => Buffer.alloc(0), 'it is cut short'],
    ['another mark', () => Buffer.from('NOPE\0\0\0\0'), 'it is not one of version 1'],
    [
      'a size above the limit',
      () => Buffer.from('OSL1\xff\xff\xff\x7f', 'latin1'),
      'it is not one of version 1',
    ],
    ['an end before its end', () => sampleBytes().subarray(0, -1), 'it is cut short'],
    ['user 0', () => sampleBytes({ uid: 0 }), 'user 0 or group 0 for the workload'],
    ['group 0', () => sampleBytes({ gid: 0 }), 'user 0 or group 0 for the workload'],
    ['no mounts', () => sampleBytes({ mounts: [] }), 'no file system'],
    ['an empty seccomp program', () => sampleBytes({ seccomp: Buffer.alloc(0) }), 'a record is malformed'],
    ['half an instruction', () => sampleBytes({ seccomp: Buffer.alloc(12) }), 'a record is malformed'],
    ['a relative base', () => sampleBytes({ base: 'tmp' }), 'a record is malformed'],
    [
      'a relative target',
      () => sampleBytes({ mounts: [{ kind: 'proc', target: 'proc' }] }),
      'a record is malformed',
    ],
    ['an id map that is not there', () => sampleBytes({ idmaps: [] }), 'a record is malformed'],
    [
      'a Landlock structure of no known size',
      () => sampleBytes({ landlock: { ...SAMPLE.landlock!, attributeSize: 12 } }),
      'a record is malformed',
    ],
    [
      'port 0',
      () => sampleBytes({ listeners: [{ ...SAMPLE.listeners[0]!, port: 0 }] }),
      'a record is malformed',
    ],
    [
      'a listener whose name would break its message',
      () => sampleBytes({ listeners: [{ ...SAMPLE.listeners[0]!, name: 'a","b' }] }),
      'a record is malformed',
    ],
    [
      'too many listeners',
      () => sampleBytes({ listeners: Array(9).fill(SAMPLE.listeners[0]) }),
      'a record is malformed',
    ],
    ['an empty command', () => sampleBytes({ command: { ...SAMPLE.command!, argv: [] } }), 'no command'],
  ];
  for (const [what, bytes, answer] of damaged) {
    test(`refuses ${what}`, () => assert.equal(check(bytes()), answer));
  }

  test('refuses a record that it does not know', () => {
    const bytes = sampleBytes();
    bytes.writeUInt32LE(99, HEADER_BYTES);
    assert.equal(check(bytes), 'a record is malformed');
  });
});

describe('the launcher program', () => {
  const files = readdirSync(SOURCE).filter((name) => /\.[ch]$/.test(name));

  test(`has fewer than ${MAX_LINES} lines`, () => {
    const lines = files.reduce(
      (sum, name) => sum + readFileSync(`${SOURCE}/${name}`, 'utf8').split('\n').length - 1,
      0,
    );
    assert.ok(lines < MAX_LINES, String(lines));
  });

  test('needs no library and no other program', () => {
    const bytes = readFileSync(launcherPath());
    const headers = Array.from({ length: bytes.readUInt16LE(56) }, (_, index) =>
      bytes.readUInt32LE(Number(bytes.readBigUInt64LE(32)) + index * 56),
    );
    const [PT_DYNAMIC, PT_INTERP] = [2, 3];
    assert.deepEqual(
      headers.filter((type) => type === PT_DYNAMIC || type === PT_INTERP),
      [],
    );
    for (const name of files)
      assert.doesNotMatch(readFileSync(`${SOURCE}/${name}`, 'utf8'), /\b(system|popen|execvp|execlp)\s*\(/);
  });

  test('builds for arm64, too', { skip: needsProgram('aarch64-linux-gnu-gcc') }, async () => {
    using scratch = new Scratch();
    const sources = files.filter((name) => name.endsWith('.c')).map((name) => `${SOURCE}/${name}`);
    const flags = ['-D_GNU_SOURCE', '-std=gnu11', '-O2', '-static', '-Wshadow'];
    await compile({ sources, output: scratch.join('launcher'), compiler: 'aarch64-linux-gnu-gcc', flags });
    assert.equal(readFileSync(scratch.join('launcher')).readUInt16LE(18), 183, 'EM_AARCH64');
  });

  test('tells what this kernel gives it, and leaves nothing', () => {
    const lines = execFileSync(launcherPath(), ['--probe'], { input: '', encoding: 'utf8' })
      .trim()
      .split('\n');
    assert.match(lines[0] ?? '', /^landlock_abi \d+$/);
    for (const line of lines.slice(1)) assert.match(line, /^\w+ [01] \d+$/);
  });
});
