// `npm test`: everything that can run on this machine, as the caller and, for root, as an ordinary user too.
import { randomBytes } from 'node:crypto';
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { messageOf } from '@openshell/base';
import { refreshBundles } from './testing/bundles.ts';
import { unexcusedSkips } from './testing/excuses.ts';
import { planGroups, type TestGroup } from './testing/groups.ts';
import { leftBehind, type MachineQuestion, machineState } from './testing/leftovers.ts';
import { runGroup } from './testing/run-group.ts';
import { formatFailure, formatSummary, GroupTally, hasFailed } from './testing/summary.ts';
import { makeOwnDirectory, planUnprivileged, type Unprivileged } from './testing/unprivileged.ts';

const HELP = `npm test [-- OPTIONS]

Runs all tests that this machine can run, and lists at the end what was skipped and why.

  --unit           only the tests of the packages and scripts (no sandbox of a whole program is started)
  --only PATTERN   only files whose path contains PATTERN, or, where there is no such file, tests whose name matches it
  --strict         a skip counts as a failure, unless the test ran as another user or the machine really lacks
                   what the reason says
  --help           shows this text
`;

const root = fileURLToPath(new URL('..', import.meta.url)).replace(/\/$/, '');

/** How long what is ending anyway (a control group being removed, say) may take to be gone, in steps. */
const SETTLE_STEPS = 20;
const SETTLE_STEP_MS = 100;

interface Places {
  readonly home: string;
  readonly tmp: string;
  readonly compiled: string;
}

/** Everything that the run itself makes, below one directory. */
class Scratch implements Disposable {
  readonly path = mkdtempSync(join(tmpdir(), 'openshell-test-'));
  readonly mark = `OPENSHELL_TEST_RUN=${randomBytes(8).toString('hex')}`;

  constructor() {
    // The ordinary user must get to its own places below.
    chmodSync(this.path, 0o711);
  }

  /** A home, a place for temporary files, and one for compiled sources that all groups of a user share. */
  makePlaces({ title, as: user }: TestGroup): Places {
    const own = join(this.path, title.replaceAll(/\W+/g, '-'));
    const compiled = join(this.path, `compiled-${user.replaceAll(' ', '-')}`);
    const places = { home: join(own, 'home'), tmp: join(own, 'tmp'), compiled };
    for (const path of [own, ...Object.values(places)]) {
      if (user === 'caller') mkdirSync(path, { recursive: true });
      else makeOwnDirectory(path);
    }
    return places;
  }

  [Symbol.dispose](): void {
    rmSync(this.path, { recursive: true, force: true });
  }
}

const environmentFor = (group: TestGroup, scratch: Scratch, places: Places): NodeJS.ProcessEnv => {
  const [markName = '', markValue] = scratch.mark.split('=');
  const { NODE_TEST_CONTEXT: _, ...caller } = process.env;
  const common = {
    ...caller,
    TMPDIR: places.tmp,
    NODE_COMPILE_CACHE: places.compiled,
    [markName]: markValue,
  };
  if (group.as === 'caller') return common;
  const home = { HOME: places.home, XDG_CACHE_HOME: '', XDG_CONFIG_HOME: '', XDG_RUNTIME_DIR: '' };
  return {
    ...common,
    ...home,
    USER: 'nobody',
    LOGNAME: 'nobody',
    npm_config_cache: join(places.home, '.npm'),
  };
};

interface GroupContext {
  readonly scratch: Scratch;
  readonly namePattern?: string;
  readonly signal: AbortSignal;
}

/** Runs one group; also tells which files its tests left in their directory for temporary files. */
const testGroup = async (group: TestGroup, tally: GroupTally, context: GroupContext): Promise<string[]> => {
  const { scratch, namePattern, signal } = context;
  const asCaller: Unprivileged = { prefix: [], root };
  const plan = group.as === 'caller' ? asCaller : planUnprivileged(root);
  if (typeof plan === 'string') {
    tally.results.push({ outcome: 'failed', file: '', name: group.title, detail: plan });
    return [];
  }
  const places = scratch.makePlaces(group);
  const start = performance.now();
  await runGroup({
    ...plan,
    files: group.files,
    env: environmentFor(group, scratch, places),
    ...(namePattern === undefined ? {} : { namePattern }),
    signal,
    onResult: (result) => {
      tally.results.push(result);
      if (result.outcome === 'failed') console.log(formatFailure(result));
    },
  });
  tally.seconds = (performance.now() - start) / 1000;
  console.log(`${group.title}: ${tally.count('passed')} of ${tally.results.length} passed`);
  return readdirSync(places.tmp).map(
    (name) => `${group.title}: the tests left ${name} in their temporary directory`,
  );
};

/** Waits a moment for what is on its way out. What stays is a problem. */
const findLeftovers = async (
  question: MachineQuestion,
  before: ReturnType<typeof machineState>,
): Promise<string[]> => {
  let left = leftBehind(before, machineState(question));
  for (let step = 0; step < SETTLE_STEPS && left.length > 0; step += 1) {
    await delay(SETTLE_STEP_MS);
    left = leftBehind(before, machineState(question));
  }
  return left.map((what) => `left behind: ${what}`);
};

interface TestOptions {
  readonly only?: string | undefined;
  readonly unit: boolean;
  readonly strict: boolean;
}

/** Runs the groups one after another until all are done or somebody interrupts; returns what is wrong apart from tests. */
const runGroups = async (
  groups: readonly TestGroup[],
  tallies: readonly GroupTally[],
  context: GroupContext,
): Promise<string[]> => {
  const problems: string[] = groups.length === 0 ? ['there is no test to run'] : [];
  for (const [index, group] of groups.entries()) {
    try {
      problems.push(...(await testGroup(group, tallies[index] as GroupTally, context)));
    } catch (error) {
      problems.push(context.signal.aborted ? 'interrupted' : messageOf(error));
    }
    if (context.signal.aborted) break;
  }
  return problems;
};

const runAll = async ({ only, unit, strict }: TestOptions): Promise<boolean> => {
  using scratch = new Scratch();
  const interrupted = new AbortController();
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(name, () => interrupted.abort());
  const question = { launcher: join(root, 'packages/runtime/build/openshell-launcher'), mark: scratch.mark };
  const before = machineState(question);
  const { groups, ...byName } = planGroups({ root, unitOnly: unit, ...(only === undefined ? {} : { only }) });
  const tallies = groups.map(({ title }) => new GroupTally(title));
  const unbundled = unit ? undefined : refreshBundles(root);
  const problems = await runGroups(groups, tallies, { scratch, signal: interrupted.signal, ...byName });
  if (unbundled !== undefined) problems.push(unbundled);
  problems.push(...(await findLeftovers(question, before)));
  if (strict) {
    const skips = unexcusedSkips(tallies.flatMap(({ results }) => results));
    problems.push(
      ...skips.map(({ file, name, detail }) => `skipped without an excuse: ${file}: ${name} (${detail})`),
    );
  }
  console.log(formatSummary(tallies, problems));
  return !hasFailed(tallies, problems);
};

const { values } = parseArgs({
  options: {
    only: { type: 'string' },
    unit: { type: 'boolean', default: false },
    strict: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});
if (values.help) console.log(HELP);
else process.exitCode = (await runAll(values)) ? 0 : 1;
