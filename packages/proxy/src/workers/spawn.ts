import { fork } from 'node:child_process';
import { getCompileCacheDir } from 'node:module';
import { dirname } from 'node:path';
import type { ActivatedSockets } from '../program/listen/activation.ts';
import type { ListenWord } from '../program/options/address.ts';
import { channelToWorker } from './process-channel.ts';
import { namedSockets } from './reserve.ts';
import { WORKER_WORD } from './role.ts';
import type { StartWorker } from './worker-set.ts';

export interface SpawnOptions {
  readonly listen: readonly ListenWord[];
  readonly sockets: ActivatedSockets;
  readonly environment: NodeJS.ProcessEnv;
  /** The file of the program. This process's own, where absent. */
  readonly program?: string;
}

/**
 * Starts workers as processes of the same program and the same Node.js. All that they are told comes by a pipe: nothing but their role is in the
 * list of processes. Sockets that were handed over are inherited, so that one that takes another's place has them, too.
 */
export function spawnWorkers({ listen, sockets, environment, program }: SpawnOptions): StartWorker {
  const inherited = namedSockets(listen, sockets);
  const cache = getCompileCacheDir();
  return () => {
    const child = fork(program ?? process.argv[1]!, [WORKER_WORD], {
      serialization: 'advanced',
      stdio: ['ignore', 'ignore', 'inherit', 'ipc', ...inherited],
      env: { ...environment, ...(cache !== undefined && { NODE_COMPILE_CACHE: dirname(cache) }) },
    });
    return { channel: channelToWorker(child), kill: () => void child.kill('SIGKILL') };
  };
}
