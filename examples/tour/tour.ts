// `npm start`: shows with real programs what a sandbox lets through and what it refuses. Exit code 1 when one did not behave as said.
import { messageOf } from '@openshell/base';
import { bare } from './chapters/bare.ts';
import { decisions } from './chapters/decisions.ts';
import { endings } from './chapters/endings.ts';
import { requests } from './chapters/requests.ts';
import { waysOut } from './chapters/ways-out.ts';
import { play } from './play.ts';
import { showChapter, showClosing, showOpening, showOutcome, showSkip, showStep } from './stage.ts';
import type { Step } from './step.ts';
import { World } from './world.ts';

const INTERRUPTED = 130;

type Result = 'shown' | 'skipped' | 'failed';

const perform = async (step: Step, world: World, interrupted: AbortSignal): Promise<Result> => {
  showStep(step);
  const missing = step.needs.filter((program) => !world.has(program));
  if (missing.length > 0) {
    showSkip(missing);
    return 'skipped';
  }
  const outcome = await play(step, world, interrupted);
  if (interrupted.aborted) return 'skipped';
  const holds = step.holds(outcome);
  showOutcome(step, outcome, holds);
  return holds ? 'shown' : 'failed';
};

const tour = async (interrupted: AbortSignal): Promise<number> => {
  const start = performance.now();
  await using world = await World.create();
  const score = { shown: 0, skipped: 0, failed: 0 };
  showOpening(world);
  for (const { title, steps } of [bare, decisions, requests, waysOut, endings]) {
    showChapter(title);
    for (const step of steps) {
      const result = await perform(step, world, interrupted);
      if (interrupted.aborted) return INTERRUPTED;
      score[result] += 1;
    }
  }
  showClosing({ ...score, seconds: (performance.now() - start) / 1000 });
  return score.failed === 0 ? 0 : 1;
};

const interruption = new AbortController();
for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(name, () => interruption.abort());
try {
  process.exitCode = await tour(interruption.signal);
} catch (error) {
  console.error(`The tour could not start: ${messageOf(error)}`);
  process.exitCode = 1;
}
