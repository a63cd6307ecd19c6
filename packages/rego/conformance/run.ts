import { readFileSync } from 'node:fs';
import { knownFailures, runSuite } from './suite.ts';

/** `run.ts DIR`: exit 1 when a case fails that CONFORMANCE.md does not list. */
const main = (): number => {
  const [path] = process.argv.slice(2);
  if (path === undefined) {
    console.error('usage: run.ts DIRECTORY-OR-FILE: runs the case files (*.json) below it');
    return 2;
  }
  const known = knownFailures(readFileSync(new URL('../CONFORMANCE.md', import.meta.url), 'utf8'));
  const { passed, failures } = runSuite(path);
  for (const { note, difference } of failures) {
    console.log(`${known.has(note) ? 'known failure' : 'FAILED'}: ${note}\n  ${difference}`);
  }
  console.log(`${passed} passed, ${failures.length} failed`);
  return failures.every(({ note }) => known.has(note)) ? 0 : 1;
};

process.exitCode = main();
