import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { chmodSync, chownSync, copyFileSync, mkdirSync, readdirSync } from 'node:fs';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { CAPTURE_PORT, PROXY_PORT } from '@openshell/runtime';
import { compile } from '../support/compile.ts';
import { openshell } from '../support/openshell.ts';
import { httpOrigin, type Origin } from '../support/origin.ts';
import { isRoot, NODE_DIRECTORY, systemProgram } from '../support/paths.ts';
import { writePolicy } from '../support/policy.ts';
import { Scratch } from '../support/scratch.ts';
import { type Attempt, DRIVER, readList, readVerdict, readVerdicts, type Verdict } from './attempts.ts';
import { Decoys } from './decoys.ts';

const PROGRAMS = fileURLToPath(new URL('programs', import.meta.url));

/** Attempts that end or starve everything around them: each has a sandbox of its own, one after the other. */
const ALONE = ['signal-init', 'kill-all', 'fork-bomb'];

/** Attempts that cannot be made everywhere, and why that is no hole. */
const TOLERATED: Readonly<Record<string, string>> = {
  'memfd-exec-path': 'what it runs has an identity that no policy names',
  int80: 'another architecture',
  x32: 'another architecture',
  'io-ports': 'another architecture',
  'unshare-tool': 'the tool is not installed',
  'nsenter-tool': 'the tool is not installed',
};

const scratch = new Scratch();
const work = scratch.join('work');
const program = `${work}/escape`;
let decoys: Decoys;
let allowed: Origin;

/** What the attempt needs to know besides the decoys. */
const argumentsFor = (attempt: string): readonly string[] => {
  switch (attempt) {
    case 'capture-direct':
      return [String(CAPTURE_PORT)];
    case 'bind-proxy-port':
      return [String(PROXY_PORT)];
    case 'setuid-binary':
      return [`${work}/raised`];
    default:
      return decoys.argumentsFor(attempt);
  }
};

interface Family {
  readonly name: string;
  /** The command line before the attempt's name. */
  readonly command: string;
  readonly attempts: readonly Attempt[];
}

const listOf = (path: string, args: readonly string[]): Attempt[] =>
  readList(execFileSync(path, [...args, '--list'], { encoding: 'utf8' }));

const families = (node: string | undefined): Family[] => [
  { name: 'escape', command: program, attempts: listOf(program, []) },
  { name: 'tools.sh', command: `sh ${work}/tools.sh`, attempts: listOf('sh', [`${PROGRAMS}/tools.sh`]) },
  {
    name: 'names.mjs',
    // Node.js by itself would use the proxy; these attempts try to get past it.
    command: `env -u NODE_USE_ENV_PROXY ${node} ${work}/names.mjs`,
    attempts: node ? listOf(process.execPath, [`${PROGRAMS}/names.mjs`]) : [],
  },
];

const judge = (attempt: Attempt, verdict: Verdict | undefined): string | undefined => {
  switch (verdict?.kind) {
    case undefined:
      return assert.fail('the sandbox ended before this attempt');
    case 'escaped':
      return assert.fail(verdict.line);
    case 'silent':
      return assert.fail(`no verdict: ${verdict.line || 'the attempt took the sandbox with it'}`);
    case 'unsupported':
      assert.ok(attempt.name in TOLERATED, `could not be made: ${verdict.why}`);
      return `${verdict.why} (${TOLERATED[attempt.name]})`;
    case 'refused':
      assert.ok(
        attempt.expected.includes(verdict.reason),
        `refused for another reason than expected: ${verdict.line}`,
      );
      return undefined;
    default:
      return verdict satisfies never;
  }
};

/** Makes attempts one after the other in one sandbox. */
const makeAttempts = async (
  options: readonly string[],
  commands: readonly (readonly [name: string, command: string])[],
): Promise<ReadonlyMap<string, Verdict>> => {
  const input = commands.map(([name, command]) => `${name}\t${command}\n`).join('');
  return readVerdicts(await inCage(options, ['sh', '-c', DRIVER], input));
};

/** Runs one command there, and returns what it wrote. */
const inCage = async (
  options: readonly string[],
  command: readonly string[],
  input = '',
): Promise<string> => {
  const words = ['run', '--quiet', '--timeout', '60', '--workdir', work, ...options, '--', ...command];
  const { stdout, stderr } = await openshell(words, { input, env: decoys.environment });
  assert.equal(stderr, '');
  return stdout;
};

before(async () => {
  mkdirSync(work, { mode: 0o755 });
  const sources = readdirSync(PROGRAMS).filter((name) => name.endsWith('.c'));
  await compile({ sources: sources.map((name) => `${PROGRAMS}/${name}`), output: program });
  for (const name of ['tools.sh', 'names.mjs']) copyFileSync(`${PROGRAMS}/${name}`, `${work}/${name}`);
  copyFileSync(program, `${work}/raised`);
  // Another user's, where we can give it away: then the bit would mean something.
  if (isRoot) chownSync(`${work}/raised`, 1, 1);
  chmodSync(`${work}/raised`, 0o6755);
  decoys = await Decoys.start(scratch);
  allowed = await httpOrigin();
});

after(async () => {
  await decoys?.[Symbol.asyncDispose]();
  await allowed?.[Symbol.asyncDispose]();
  scratch[Symbol.dispose]();
});

interface Cage {
  readonly name: string;
  readonly options: () => readonly string[];
  /** A Node.js that is visible inside. */
  readonly node: string | undefined;
}

const cages: readonly Cage[] = [
  { name: 'without a policy', options: () => [], node: systemProgram('node') },
  {
    name: 'with a policy that allows one origin',
    options: () => {
      const file = writePolicy(scratch.join('policy.json'), {
        endpoints: [{ host: 'origin.test', port: allowed.port }],
        binaries: ['/**'],
        readOnly: [NODE_DIRECTORY],
      });
      return ['--policy', file, '--resolve', `origin.test=127.0.0.1`];
    },
    node: process.execPath,
  },
];

for (const cage of cages) {
  describe(`hostile programs ${cage.name}`, () => {
    test('are refused, each for the reason that was meant', async (t) => {
      const all = families(cage.node);
      const together = all.flatMap(({ command, attempts }) =>
        attempts
          .filter(({ name }) => !ALONE.includes(name))
          .map(({ name }) => [name, [command, name, ...argumentsFor(name)].join(' ')] as const),
      );
      const verdicts = await makeAttempts(cage.options(), together);
      for (const { attempts } of all) {
        for (const attempt of attempts.filter(({ name }) => !ALONE.includes(name))) {
          await t.test(`${attempt.name}: ${attempt.what}`, (each) => {
            const skipped = judge(attempt, verdicts.get(attempt.name));
            if (skipped) each.skip(skipped);
          });
        }
      }
      for (const { name } of all.filter(({ attempts }) => attempts.length === 0)) {
        await t.test(name, (each) =>
          each.skip('no Node.js among the directories that are shown without a policy'),
        );
      }
      assert.deepEqual(decoys.damage(), []);
    });

    for (const name of ALONE) {
      test(`${name}, in a sandbox of its own, harms nothing else`, async () => {
        const attempt = listOf(program, []).find((each) => each.name === name);
        assert.ok(attempt);
        judge(attempt, readVerdict(await inCage(cage.options(), [program, name])));
        assert.deepEqual(decoys.damage(), []);
      });
    }

    test('reach no service on the host’s loopback, directly or through the proxy', async () => {
      const { port } = decoys;
      const script = `
        for address in 127.0.0.1 '[::1]' localhost 0.0.0.0; do
          curl -sS --max-time 5 --noproxy '*' "http://$address:${port}/" && echo reached "$address"
          curl -sS --max-time 5 --proxy http://127.0.0.1:${PROXY_PORT} --noproxy '' -o /dev/null -w '%{http_code}\\n' "http://$address:${port}/"
        done 2>/dev/null`;
      const statuses = await inCage(cage.options(), ['sh', '-c', script]);
      assert.deepEqual(statuses.trim().split('\n'), ['403', '403', '403', '403']);
      assert.deepEqual(decoys.damage(), []);
    });
  });
}
