export { workerRole } from './role.ts';
export type { WorkerSetOptions } from './worker-set.ts';

/** What the first process of several is made of; whoever has one process loads none of it. */
export async function loadWorkers() {
  const [{ spawnWorkers }, { WorkerSet }] = await Promise.all([
    import('./spawn.ts'),
    import('./worker-set.ts'),
  ]);
  return { spawnWorkers, WorkerSet };
}
