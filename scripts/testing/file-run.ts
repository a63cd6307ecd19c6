import { resolve } from 'node:path';
import { run } from 'node:test';
import { pathToFileURL } from 'node:url';
import { inspect, isDeepStrictEqual } from 'node:util';
import { EventReader, type TestEvent } from './event-reader.ts';
import type { TestResult } from './result.ts';

/** What belongs to the process and not to a test: the files that come later in the same process must find it as it was. */
const surroundings = (): unknown => {
  const { NODE_TEST_WORKER_ID: _, ...environment } = process.env; // by `node:test`
  return { directory: process.cwd(), environment };
};

/**
 * An error while a file is loaded. `node:test` is silent about it when the file has registered tests before; importing
 * the same file again throws the same error, and does nothing else.
 */
const loadError = (file: string): Promise<unknown> =>
  import(pathToFileURL(resolve(file)).href).then(
    () => undefined,
    (error: unknown) => error,
  );

/**
 * Runs the tests of one file in this process. Resolves when nothing keeps the process alive any more: `node:test` waits
 * for that, so a file that leaves a socket or a timer behind is one that does not end. The caller keeps the process
 * alive from then on, and from nothing but its own event loop.
 */
export const runFile = async (
  file: string,
  { namePattern, onDrained }: { readonly namePattern?: string | undefined; onDrained(): void },
  tell: (result: TestResult) => void,
): Promise<void> => {
  const before = surroundings();
  const reader = new EventReader(file);
  const failed = (detail: string): void => tell({ outcome: 'failed', file, name: file, detail });
  const names = namePattern === undefined ? {} : { testNamePatterns: namePattern };
  let failures = 0;
  const events = run({ files: [file], isolation: 'none', ...names });
  for await (const event of events as AsyncIterable<TestEvent>) {
    const result = reader.read(event);
    if (result?.outcome === 'failed') failures += 1;
    if (result) tell(result);
  }
  onDrained();
  const error = await loadError(file);
  if (error !== undefined && failures === 0) failed(inspect(error));
  if (process.exitCode && failures === 0) failed(`set the exit code of its process to ${process.exitCode}`);
  process.exitCode = undefined;
  if (!isDeepStrictEqual(surroundings(), before))
    failed('left its process with another working directory or environment than it had');
};
