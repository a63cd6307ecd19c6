export { spawnWorkers } from './spawn.ts';
export { WorkerSet, type WorkerSetOptions } from './worker-set.ts';
