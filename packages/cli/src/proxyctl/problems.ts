import type { ControlProblem } from '@openshell/control';
import type { Style } from '../output/style.ts';
import { type Finding, renderFinding, type Source } from '../policy/finding-report.ts';
import type { GenerationFiles } from './generation-files.ts';

/** A problem with the name that its file has here; `file` is absent where it is about none. */
export interface LocalProblem {
  readonly part: ControlProblem['part'];
  readonly file?: string | undefined;
  readonly line?: number | undefined;
  readonly column?: number | undefined;
  readonly path?: string | undefined;
  readonly message: string;
}

export const localProblem = (
  { part, name, line, column, path, message }: ControlProblem,
  files: GenerationFiles['files'],
): LocalProblem => ({ part, file: textOf(part, files)?.file ?? name, line, column, path, message });

/** As `openshell policy check` shows them, with the line where it is here. */
export const renderProblems = (
  problems: readonly LocalProblem[],
  files: GenerationFiles['files'],
  style: Style,
): string =>
  problems.map((problem) => renderFinding(findingOf(problem), sourceOf(problem, files), style)).join('');

const findingOf = ({ message, path = '', line, column }: LocalProblem): Finding => ({
  label: 'error',
  message,
  path,
  ...(line !== undefined && { line }),
  ...(column !== undefined && { column }),
});

const sourceOf = ({ part, file = part }: LocalProblem, files: GenerationFiles['files']): Source => ({
  file,
  lines: textOf(part, files)?.text.split(/\r?\n/) ?? [],
});

const textOf = (part: ControlProblem['part'], files: GenerationFiles['files']) =>
  part === 'secrets' || part === 'tenant' ? undefined : files[part];
