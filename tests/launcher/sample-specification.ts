import { encodeSpec } from '../../packages/runtime/src/spec/encode.ts';
import type { LauncherSpec } from '../../packages/runtime/src/spec/spec.ts';

/** A specification with at least one of every record. */
export const SAMPLE: LauncherSpec = {
  userNamespace: { uidMap: '1000 1000 1', gidMap: '1000 1000 1' },
  uid: 1000,
  gid: 1000,
  groups: [1001, 1002],
  hostname: 'sandbox',
  base: '/tmp',
  idmaps: [{ uidMap: '0 0 1000\n1000 2000 1', gidMap: '0 0 1' }],
  mounts: [
    { kind: 'directory', target: '/run', mode: 0o755 },
    { kind: 'symlink', target: '/bin', text: 'usr/bin' },
    { kind: 'file', target: '/etc/hosts', mode: 0o444, content: Buffer.from('127.0.0.1 localhost\n') },
    { kind: 'bind', target: '/usr', source: '/usr', readOnly: true },
    { kind: 'bind', target: '/work', source: '/work', readOnly: false, idmap: 0 },
    { kind: 'tmpfs', target: '/tmp', options: 'mode=1777' },
    { kind: 'proc', target: '/proc' },
    { kind: 'devpts', target: '/dev/pts', options: 'newinstance' },
    { kind: 'seal', target: '/' },
  ],
  listeners: [{ name: 'connect', transport: 'tcp', address: Uint8Array.of(127, 0, 0, 1), port: 3128 }],
  netlinks: [{ name: 'loopback', protocol: 0, required: true, lastSequence: 1, bytes: Buffer.alloc(32) }],
  rlimits: [{ resource: 4, soft: 0n, hard: 1n }],
  landlock: {
    attributeSize: 24,
    handledAccessFs: 0xffffn,
    handledAccessNet: 0n,
    scoped: 3n,
    restrictFlags: 0,
    rules: [{ path: '/usr', access: 5n }],
  },
  seccomp: Buffer.from([6, 0, 0, 0, 0, 0, 255, 127]),
  command: {
    argv: ['sh', '-c', 'true'],
    env: ['PATH=/bin', 'HOME=/'],
    cwd: '/',
    terminal: [0, 1],
    window: { rows: 24, columns: 80 },
  },
};

/** Bytes of header in front of the records: the mark and their size. */
export const HEADER_BYTES = 8;

/** The sample with changes, as the launcher reads it. */
export const sampleBytes = (changes: Partial<LauncherSpec> = {}): Buffer =>
  encodeSpec({ ...SAMPLE, ...changes });
