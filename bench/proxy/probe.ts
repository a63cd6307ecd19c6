// Loaded before the program that is measured (`node --import`): answers each message with what the process holds after a garbage collection.
import { readdirSync } from 'node:fs';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { writeHeapSnapshot } from 'node:v8';

export interface ProbeOrder {
  /** Also writes what is on the heap to this file, for the memory view of a browser's developer tools. */
  readonly snapshot?: string;
}

export interface ProbeAnswer {
  /** JavaScript objects. */
  readonly heapBytes: number;
  /** What they hold outside of the heap: buffers, TLS contexts. */
  readonly externalBytes: number;
  readonly residentBytes: number;
  readonly openFiles: number;
  /** How many of each kind of handle and request keep the process alive. */
  readonly resources: Readonly<Record<string, number>>;
}

async function collect(): Promise<void> {
  // What ends in a callback of the first collection is gone with the last.
  for (let round = 0; round < 3; round++) {
    globalThis.gc?.();
    await nextTurn();
  }
}

async function answer({ snapshot }: ProbeOrder): Promise<ProbeAnswer> {
  await collect();
  if (snapshot !== undefined) writeHeapSnapshot(snapshot);
  const { heapUsed, external, rss } = process.memoryUsage();
  const resources: Record<string, number> = {};
  for (const kind of process.getActiveResourcesInfo()) resources[kind] = (resources[kind] ?? 0) + 1;
  return {
    heapBytes: heapUsed,
    externalBytes: external,
    residentBytes: rss,
    // Reading the directory takes one itself.
    openFiles: readdirSync('/proc/self/fd').length - 1,
    resources,
  };
}

process.on('message', (order: ProbeOrder) => void answer(order).then((found) => process.send?.(found)));
// Whoever asks must not keep the program running.
process.channel?.unref();
