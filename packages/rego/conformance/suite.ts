import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { type Case, isCaseFile } from './case.ts';
import { checkCase } from './check-case.ts';

export interface Failure {
  readonly note: string;
  readonly file: string;
  readonly difference: string;
}

export interface Outcome {
  readonly passed: number;
  readonly failures: readonly Failure[];
}

/** Runs every case file below a directory (or one file). */
export const runSuite = (path: string): Outcome => {
  const failures: Failure[] = [];
  let passed = 0;
  for (const file of jsonFiles(path)) {
    const parsed: unknown = JSON.parse(readFileSync(file, 'utf8'));
    if (!isCaseFile(parsed)) continue;
    for (const testCase of parsed.cases) {
      const difference = check(testCase);
      if (difference === undefined) passed += 1;
      else failures.push({ note: testCase.note, file, difference });
    }
  }
  return { passed, failures };
};

const check = (testCase: Case): string | undefined => {
  try {
    return checkCase(testCase);
  } catch (error) {
    return `threw ${error instanceof Error ? error.stack : String(error)}`;
  }
};

const jsonFiles = (path: string): readonly string[] => {
  if (!statSync(path).isDirectory()) return [path];
  return readdirSync(path, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.json'))
    .sort()
    .map((name) => join(path, name));
};

/** The notes that a list of known failures names: lines `- \`note\`: reason`. */
export const knownFailures = (markdown: string): ReadonlySet<string> => {
  const notes = new Set<string>();
  for (const match of markdown.matchAll(/^- `([^`]+)`: /gm)) notes.add(match[1]!);
  return notes;
};
