/**
 * A process that runs test files one after another: what `worker-process.ts` starts, and tells which file is next.
 * Loading Node.js and the sources anew for each of some two hundred files would take most of the time of all tests.
 */
import { runFile } from './file-run.ts';
import type { WorkerMessage, WorkerOrder } from './worker-process.ts';

const [namePattern] = process.argv.slice(2);
const { channel } = process;
if (!channel) throw new Error('scripts/testing/worker.ts is started by npm test');

const tell = (message: WorkerMessage): void => {
  process.send?.(message);
};

process.on('message', async ({ file }: WorkerOrder) => {
  if (file === undefined) process.exit();
  // A file is over when nothing keeps the process alive, and the way to the parent must not.
  channel.unref();
  await runFile(file, { namePattern, onDrained: () => channel.ref() }, tell);
  tell({ outcome: 'ended' });
});
