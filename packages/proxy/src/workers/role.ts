import { channelToFirst } from './process-channel.ts';

/** The one word on the command line of a worker. Only the first process starts one, which has a channel to it. */
export const WORKER_WORD = '--worker';

/** What this process does as a worker, by its arguments; undefined where nobody has started it as one. */
export function workerRole([word]: readonly string[]): (() => Promise<void>) | undefined {
  const channel = word === WORKER_WORD ? channelToFirst() : undefined;
  if (channel === undefined) return undefined;
  return async () => (await import('./run-worker.ts')).runWorker(channel);
}
