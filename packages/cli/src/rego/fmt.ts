import { writeFileSync } from 'node:fs';
import { messageOf } from '@openshell/base';
import { formatModule } from '@openshell/rego';
import { usageError } from '../command/usage-error.ts';
import type { Handler } from '../handlers.ts';
import { readPolicyText } from '../policy/read-policy.ts';
import { diffLines } from './line-diff.ts';
import { reporting } from './report.ts';
import { readSources } from './sources.ts';
import { versionOf } from './version.ts';

/** `openshell rego fmt`: the formatted text, or what the options make of it. */
export const formatRego: Handler = (args, io) => {
  const [first] = args.operands;
  if (first === '-' && args.operands.length === 1 && args.has('write'))
    throw usageError('standard input cannot be written to', 'Leave --write out.');
  const texts = first === '-' ? { '<stdin>': readPolicyText('-').text } : readSources(args.operands).modules;
  const quiet = args.has('write') || args.has('check') || args.has('diff');
  let changed = 0;
  const code = reporting(io, () => {
    for (const [file, text] of Object.entries(texts)) {
      const formatted = formatModule(file, text, { version: versionOf(args) });
      if (!quiet) io.out(formatted);
      if (formatted === text) continue;
      changed++;
      if (args.has('diff')) io.out(`--- ${file}\n+++ ${file}\n${diffLines(text, formatted)}`);
      else if (quiet) io.out(`${file}\n`);
      if (args.has('write')) write(file, formatted);
    }
    return 0;
  });
  return args.has('check') && changed > 0 ? 1 : code;
};

const write = (file: string, text: string): void => {
  try {
    writeFileSync(file, text);
  } catch (cause) {
    throw usageError(`${file} cannot be written: ${messageOf(cause)}`);
  }
};
