import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { buildSeccompProgram, seccompArchitecture } from '../seccomp/index.ts';
import { encodeSpec } from '../spec/encode.ts';
import type { LauncherSpec } from '../spec/spec.ts';
import { launcherPath } from './launcher-binary.ts';
import { type LauncherEvent, LauncherProcess, launcherError } from './launcher-process.ts';

const uid = process.geteuid?.() || 2_000_000;
const gid = process.getegid?.() || 2_000_000;

/** The smallest sandbox that can run a program of the system, for root and for an ordinary user. */
const WORKING: LauncherSpec = {
  ...(process.geteuid?.() === 0
    ? {}
    : { userNamespace: { uidMap: `${uid} ${uid} 1`, gidMap: `${gid} ${gid} 1` } }),
  uid,
  gid,
  groups: [],
  hostname: 'sandbox',
  base: '/tmp',
  idmaps: [],
  mounts: [
    { kind: 'bind', source: '/usr', target: '/usr', readOnly: true },
    ...['bin', 'lib', 'lib64'].map(
      (name) => ({ kind: 'symlink', target: `/${name}`, text: `usr/${name}` }) as const,
    ),
    { kind: 'proc', target: '/proc' },
  ],
  listeners: [],
  netlinks: [],
  rlimits: [],
  seccomp: buildSeccompProgram({ arch: seccompArchitecture(process.arch) }),
  command: { argv: ['/usr/bin/true'], env: [], cwd: '/', terminal: [] },
};

const command = (changes: Partial<NonNullable<LauncherSpec['command']>>): Partial<LauncherSpec> => ({
  command: { ...WORKING.command!, ...changes },
});

/** Runs a launcher on a specification to its end, and returns everything that it said after `hello`. */
const launch = (changes: Partial<LauncherSpec>): Promise<LauncherEvent[]> => {
  const { promise, resolve } = Promise.withResolvers<LauncherEvent[]>();
  const events: LauncherEvent[] = [];
  const launcher = new LauncherProcess(launcherPath(), ['ignore', 'ignore', 'ignore'], {
    onEvent: (event) => {
      if (event.kind === 'hello') launcher.send(encodeSpec({ ...WORKING, ...changes }));
      else events.push(event);
      if (event.kind === 'ready') launcher.send('run\n');
    },
    onHandle: ({ handle }) => (handle as { close(): void }).close(),
    onClose: () => resolve(events),
  });
  return promise;
};

const landlock = {
  attributeSize: 8,
  handledAccessFs: 1n,
  handledAccessNet: 0n,
  scoped: 0n,
  restrictFlags: 0,
  rules: [],
};
const LISTENER = { name: 'a', transport: 'tcp', address: Uint8Array.of(127, 0, 0, 1), port: 1 } as const;
const ENOENT = 2;
const EINVAL = 22;

describe('a launcher', { concurrency: 4 }, () => {
  test('says that it is ready, that the command started, and how it ended', async () => {
    const [ready, started, exit] = await launch({});
    assert.equal(ready?.kind, 'ready');
    assert.deepEqual(started, { kind: 'started', pid: 2 });
    assert.deepEqual(exit, { kind: 'exit', code: 0, signal: 0 });
  });

  const failures: readonly [step: string, errno: number | undefined, changes: Partial<LauncherSpec>][] = [
    ['specification', EINVAL, { uid: 0 }],
    ['attach root', ENOENT, { base: '/missing' }],
    [
      'open source',
      ENOENT,
      { mounts: [{ kind: 'bind', source: '/missing', target: '/usr', readOnly: true }] },
    ],
    [
      'file system option',
      EINVAL,
      { mounts: [{ kind: 'tmpfs', target: '/tmp', options: 'no-such-option=1' }] },
    ],
    [
      'seal',
      EINVAL,
      {
        mounts: [
          { kind: 'directory', target: '/a', mode: 0o755 },
          { kind: 'seal', target: '/a' },
        ],
      },
    ],
    [
      'network',
      undefined,
      {
        netlinks: [
          {
            name: 'nonsense',
            protocol: 0,
            required: true,
            lastSequence: 1,
            bytes: Buffer.from('10000000ff7f05000100000000000000', 'hex'),
          },
        ],
      },
    ],
    ['listener', undefined, { listeners: [LISTENER, LISTENER] }],
    ['landlock ruleset', EINVAL, { landlock: { ...landlock, handledAccessFs: 1n << 60n } }],
    ['landlock rule', ENOENT, { landlock: { ...landlock, rules: [{ path: '/missing', access: 1n }] } }],
    ['resource limit', EINVAL, { rlimits: [{ resource: 99, soft: 0n, hard: 0n }] }],
    ['working directory', ENOENT, command({ cwd: '/missing' })],
    ['seccomp', EINVAL, { seccomp: Buffer.alloc(8, 0xff) }],
    ['exec', ENOENT, command({ argv: ['/usr/bin/missing'] })],
  ];
  for (const [step, errno, changes] of failures) {
    test(`names the step that failed: ${step}`, async () => {
      const failed = (await launch(changes)).find((event) => event.kind === 'failed');
      assert.ok(failed);
      assert.equal(failed.step, step);
      if (errno !== undefined) assert.equal(failed.errno, errno);
      assert.notEqual(failed.errno, 0);
      assert.match(launcherError(failed).message, new RegExp(`^could not start the sandbox: ${step}`));
    });
  }

  test('notes what is not required and goes on', async () => {
    const bytes = Buffer.from('10000000ff7f05000100000000000000', 'hex');
    const events = await launch({
      netlinks: [{ name: 'nonsense', protocol: 0, required: false, lastSequence: 1, bytes }],
    });
    assert.equal(events[0]?.kind === 'note' && events[0].step, 'nonsense');
    assert.equal(events.at(-1)?.kind, 'exit');
  });
});
