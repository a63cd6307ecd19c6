import { spawn } from 'node:child_process';
import type { Outcome, Step } from './step.ts';
import type { World } from './world.ts';

/** A step that takes longer than that did not behave as said. */
const STEP_TIMEOUT_MS = 20_000;

/** Types the command of a step. Ends it, with everything that it started, when time is up or the tour is interrupted. */
export const play = (step: Step, world: World, interrupted: AbortSignal): Promise<Outcome> =>
  new Promise((resolve, reject) => {
    // A process group of its own: ending the group reaches OpenShell, which takes its sandbox along.
    const child = spawn('/bin/sh', ['-c', `exec 2>&1; ${step.command}`], {
      cwd: world.work,
      env: world.environment,
      stdio: ['ignore', 'pipe', 'inherit'],
      detached: true,
    });
    const end = AbortSignal.any([interrupted, AbortSignal.timeout(STEP_TIMEOUT_MS)]);
    const stop = (): void => {
      if (child.pid !== undefined) process.kill(-child.pid, 'SIGTERM');
    };
    end.addEventListener('abort', stop);
    let output = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      output += text;
    });
    child.once('error', reject);
    child.once('close', (code) => {
      end.removeEventListener('abort', stop);
      resolve({ code: code ?? -1, output });
    });
  });
