// `npm run check`: types, lint, format and the boundaries of the packages. Quick enough to run before every commit.
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { messageOf } from '@openshell/base';

const root = fileURLToPath(new URL('..', import.meta.url));

interface Outcome {
  readonly ok: boolean;
  /** What a person needs to repair it; empty where all is well. */
  readonly output: string;
}

interface Check {
  readonly title: string;
  readonly remedy: string;
  run(): Promise<Outcome>;
}

/** Runs a program of node_modules with this Node.js. */
const runTool = (script: string, args: readonly string[]): Promise<Outcome> =>
  new Promise((resolve) => {
    const color = process.stdout.isTTY && !process.env.NO_COLOR ? { FORCE_COLOR: '1' } : {};
    const child = spawn(process.execPath, [`node_modules/${script}`, ...args], {
      cwd: root,
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, ...color },
    });
    const output: Buffer[] = [];
    child.stdout.on('data', (bytes: Buffer) => output.push(bytes));
    child.stderr.on('data', (bytes: Buffer) => output.push(bytes));
    child.on('error', (error) => resolve({ ok: false, output: `${messageOf(error)}; run 'npm ci'` }));
    child.on('close', (code) => resolve({ ok: code === 0, output: Buffer.concat(output).toString().trim() }));
  });

const checkBoundaries = async (): Promise<Outcome> => {
  const [{ boundaryViolations, formatViolation }, { readWorkspace }] = await Promise.all([
    import('./boundaries/check.ts'),
    import('./boundaries/sources.ts'),
  ]);
  const violations = boundaryViolations(readWorkspace(root));
  return { ok: violations.length === 0, output: violations.map(formatViolation).join('\n') };
};

const CHECKS: readonly Check[] = [
  {
    title: 'types',
    remedy: 'npx tsc -p .',
    run: () => runTool('typescript/bin/tsc', ['-p', '.', '--pretty']),
  },
  {
    title: 'lint and format',
    remedy: 'npx biome check --write .',
    run: () => runTool('@biomejs/biome/bin/biome', ['check', '--error-on-warnings', '.']),
  },
  { title: 'boundaries', remedy: 'scripts/boundaries/rules.ts is the table', run: checkBoundaries },
];

const seconds = (since: number): string => `${((performance.now() - since) / 1000).toFixed(1)} s`;

const runCheck = async ({ title, remedy, run }: Check): Promise<boolean> => {
  const start = performance.now();
  const { ok, output } = await run();
  console.log(
    ok
      ? `ok      ${title} (${seconds(start)})`
      : `FAILED  ${title} (${seconds(start)}; ${remedy})\n${output}\n`,
  );
  return ok;
};

const results = await Promise.all(CHECKS.map(runCheck));
const failed = results.filter((ok) => !ok).length;
console.log(failed === 0 ? 'All checks passed.' : `${failed} of ${results.length} checks failed.`);
process.exitCode = failed === 0 ? 0 : 1;
