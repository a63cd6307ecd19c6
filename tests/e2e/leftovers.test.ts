import assert from 'node:assert/strict';
import { closeSync, existsSync, mkdirSync, openSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { after, before, describe, test } from 'node:test';
import { type Outcome, openshell, runScript, Started } from '../support/openshell.ts';
import { isRoot } from '../support/paths.ts';
import { allGone, type SandboxProcesses, sandboxProcesses } from '../support/processes.ts';
import { Scratch } from '../support/scratch.ts';
import { until } from '../support/until.ts';

/** What one sandbox is to the machine while it runs. */
interface Footprint {
  readonly processes: SandboxProcesses;
  /** Its network namespace, e.g. `net:[4026532201]`; only root is told. */
  readonly network?: { readonly name: string; readonly held: number };
}

const footprintOf = async (supervisor: number): Promise<Footprint> => {
  const processes = await sandboxProcesses(supervisor);
  if (!isRoot) return { processes };
  const path = `/proc/${processes.init.pid}/ns/net`;
  // Held open, so that its number cannot become that of another sandbox meanwhile.
  return { processes, network: { name: readlinkSync(path), held: openSync(path, 'r') } };
};

const networkNamespaces = (): string[] =>
  readdirSync('/proc')
    .filter((name) => /^[0-9]+$/.test(name))
    .flatMap((pid) => {
      try {
        return [readlinkSync(`/proc/${pid}/ns/net`)];
      } catch {
        return []; // it ended, or belongs to somebody else
      }
    });

/** Directories of control groups, by which sandboxes could pile up unseen. */
const controlGroups = (directory = '/sys/fs/cgroup', depth = 3): string[] => {
  if (depth === 0 || !existsSync(directory)) return [];
  const names = readdirSync(directory, { withFileTypes: true }).filter((entry) => entry.isDirectory());
  return names.flatMap(({ name }) => [
    `${directory}/${name}`,
    ...controlGroups(`${directory}/${name}`, depth - 1),
  ]);
};

const mounts = (): string => readFileSync('/proc/self/mountinfo', 'utf8');

const assertNothingLeft = async ({ processes, network }: Footprint): Promise<void> => {
  await allGone([processes.launcher, processes.init, ...processes.all]);
  if (!network) return;
  const left = networkNamespaces().includes(network.name);
  closeSync(network.held);
  assert.ok(!left, `${network.name} is still there`);
};

const kill = (pid: number, signal: NodeJS.Signals): void => {
  process.kill(pid, signal);
};

interface Ending {
  readonly name: string;
  readonly end: (supervisor: number, footprint: Footprint) => void;
  readonly expect: (outcome: Outcome) => void;
}

const endings: readonly Ending[] = [
  {
    name: 'SIGINT',
    end: (supervisor) => kill(supervisor, 'SIGINT'),
    expect: ({ code }) => assert.equal(code, 130),
  },
  {
    name: 'SIGTERM',
    end: (supervisor) => kill(supervisor, 'SIGTERM'),
    expect: ({ code }) => assert.equal(code, 143),
  },
  {
    name: 'kill -9 of the supervisor',
    end: (supervisor) => kill(supervisor, 'SIGKILL'),
    expect: ({ signal }) => assert.equal(signal, 'SIGKILL'),
  },
  {
    name: 'kill -9 of the launcher',
    end: (_, { processes }) => kill(processes.launcher.pid, 'SIGKILL'),
    expect: ({ code }) => assert.equal(code, 137),
  },
  {
    name: "kill -9 of the sandbox's init",
    end: (_, { processes }) => kill(processes.init.pid, 'SIGKILL'),
    expect: ({ code, stderr }) => {
      assert.equal(code, 137);
      assert.equal(stderr, 'openshell: the sandbox was killed from outside\n');
    },
  },
];

/** A shell with a background child of its own session, neither of which ends by itself. */
const STUBBORN = 'trap "" HUP; setsid sleep 1000 & echo ready; exec sleep 1000';

describe('nothing is left behind', { concurrency: 4 }, () => {
  const scratch = new Scratch();
  const temporary = scratch.join('tmp');
  const earlier = { mounts: '', controlGroups: [] as string[] };

  before(() => {
    mkdirSync(temporary);
    Object.assign(earlier, { mounts: mounts(), controlGroups: controlGroups() });
  });

  after(() => {
    scratch[Symbol.dispose]();
  });

  for (const { name, end, expect } of endings) {
    test(`after ${name}`, async () => {
      const events = scratch.join(`${name.replaceAll(/\W/g, '')}.jsonl`);
      const started = new Started(
        ['run', '--workdir', scratch.path, '--events', events, '--', 'sh', '-c', STUBBORN],
        {
          env: { TMPDIR: temporary },
        },
      );
      await started.prints('ready');
      await until(
        'the report of the start',
        () => existsSync(events) && readFileSync(events, 'utf8').includes('"Launch"'),
      );
      const footprint = await footprintOf(started.pid);
      end(started.pid, footprint);
      expect(await started.finished);
      await assertNothingLeft(footprint);
      assert.deepEqual(readdirSync(temporary), []);
    });
  }

  test('after a command that ends by itself and leaves children', async () => {
    const script = 'setsid sleep 1000 & setsid sleep 1000 & echo ready; read line';
    const started = new Started(['run', '--workdir', scratch.path, '--', 'sh', '-c', script], {
      env: { TMPDIR: temporary },
    });
    await started.prints('ready');
    const footprint = await footprintOf(started.pid);
    started.type('\n');
    assert.equal((await started.finished).code, 0);
    await assertNothingLeft(footprint);
    assert.deepEqual(readdirSync(temporary), []);
  });

  test('after a command that could not be started', async () => {
    const { code } = await openshell(['run', '--workdir', scratch.path, '--', './missing'], {
      env: { TMPDIR: temporary },
    });
    assert.equal(code, 127);
    assert.deepEqual(readdirSync(temporary), []);
  });

  test('and a second run in the same place is as the first', async () => {
    const script = 'echo $$; ls /tmp ~ | wc -l; touch /tmp/left ~/left; set -- /proc/[0-9]*; echo $#';
    const first = await runScript(script, { cwd: scratch.path });
    const second = await runScript(script, { cwd: scratch.path });
    assert.equal(first.code, 0);
    assert.deepEqual(second, first);
  });

  after(() => {
    assert.equal(mounts(), earlier.mounts, 'the mounts of the host are as before');
    assert.deepEqual(
      controlGroups().filter((path) => path.includes('openshell') && !earlier.controlGroups.includes(path)),
      [],
    );
  });
});

describe('twenty sandboxes at once', () => {
  test('do not see one another, and end one by one', async () => {
    using scratch = new Scratch();
    const script =
      'echo > ~/mine; ls ~ | wc -l; set -- /proc/[0-9]*; echo $#; echo ready; read line; exit "$line"';
    const all = Array.from(
      { length: 20 },
      () => new Started(['run', '--workdir', scratch.path, '--', 'sh', '-c', script]),
    );
    await Promise.all(all.map((started) => started.prints('ready')));
    const footprints = await Promise.all(all.map(({ pid }) => footprintOf(pid)));
    if (isRoot) assert.equal(new Set(footprints.map(({ network }) => network?.name)).size, all.length);
    all.forEach((started, index) => {
      started.type(`${index}\n`);
    });
    const outcomes = await Promise.all(all.map(({ finished }) => finished));
    assert.deepEqual(
      outcomes.map(({ code }) => code),
      all.map((_, index) => index),
    );
    // One file of its own; its init and its shell.
    for (const { stdout } of outcomes) assert.equal(stdout, '1\n2\nready\n');
    for (const footprint of footprints) await assertNothingLeft(footprint);
  });
});
