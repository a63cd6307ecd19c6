import { styleText } from 'node:util';
import type { Outcome, Step } from './step.ts';
import type { World } from './world.ts';

type Style = Parameters<typeof styleText>[0];

/** Colours on a terminal only, and not when NO_COLOR is set. */
const paint = (style: Style, text: string): string =>
  process.stdout.isTTY && !process.env.NO_COLOR ? styleText(style, text, { validateStream: false }) : text;

const indent = (text: string, by = '    '): string => text.trimEnd().replaceAll(/^/gm, by);

export const showOpening = ({ policy, configuration, work }: World): void => {
  console.log(paint('bold', 'OpenShell: a tour of this machine, and of nothing else'));
  console.log(`Typed in ${work}, with three servers of the tour outside of every sandbox.\n`);
  console.log(`policy.yaml says what may be reached and touched:\n${paint('dim', indent(policy))}\n`);
  console.log(
    `The operator's configuration says where those names live:\n${paint('dim', indent(configuration))}`,
  );
};

export const showChapter = (title: string): void => console.log(`\n${paint('bold', `== ${title}`)}`);

export const showStep = ({ title, command }: Step): void =>
  console.log(`\n${title}\n  ${paint('cyan', `$ ${command}`)}`);

export const showOutcome = (step: Step, { code, output }: Outcome, holds: boolean): void => {
  if (output.trim()) console.log(paint('dim', indent(output)));
  const verdict = holds ? paint('green', `✓ ${step.verdict}`) : paint('red', `✗ expected: ${step.verdict}`);
  console.log(`  ${verdict}${paint('dim', ` (exit code ${code})`)}`);
};

export const showSkip = (missing: readonly string[]): void =>
  console.log(`  - skipped: ${missing.join(', ')} is not installed`);

export interface Score {
  readonly shown: number;
  readonly skipped: number;
  readonly failed: number;
  readonly seconds: number;
}

export const showClosing = ({ shown, skipped, failed, seconds }: Score): void => {
  const counts = `${shown} shown, ${skipped} skipped, ${failed} not as said`;
  console.log(`\n${counts} (${seconds.toFixed(1)} s). Next: README.md, "Your own run".`);
};
