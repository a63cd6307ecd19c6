import type { Module } from '../ast/module.ts';
import { RegoError } from '../error.ts';
import { type CompileOptions, compile } from '../policy.ts';
import { parseModule } from '../syntax/parse.ts';

/** All errors of modules, by file and place: those of parsing, or when there are none those of compiling. */
export const check = (
  modules: Readonly<Record<string, string>>,
  options: CompileOptions = {},
): readonly RegoError[] => {
  const parsed: Module[] = [];
  const errors: RegoError[] = [];
  const version = options.version === undefined ? {} : { version: options.version };
  for (const [file, text] of Object.entries(modules)) {
    collect(errors, () => parsed.push(parseModule(file, text, version)));
  }
  if (errors.length === 0) collect(errors, () => compile(parsed, options));
  return errors.toSorted(byPlace);
};

const collect = (errors: RegoError[], work: () => unknown): void => {
  try {
    work();
  } catch (error) {
    if (!(error instanceof RegoError)) throw error;
    errors.push(...error.all);
  }
};

const byPlace = (a: RegoError, b: RegoError): number => {
  const left = a.location;
  const right = b.location;
  if (left === undefined || right === undefined) return 0;
  return (
    left.source.file.localeCompare(right.source.file) || left.row - right.row || left.column - right.column
  );
};
