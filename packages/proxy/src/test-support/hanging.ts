import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { dial } from '../destination/connector.ts';
import { limitsWith } from '../limits.ts';
import { LOOPBACK } from './fixture.ts';

/** A listener whose queue is full, so that a further connection hangs as with an address that does not answer. */
export async function withHanging(
  use: (target: { address: string; port: number }) => Promise<void>,
): Promise<void> {
  const worker = new Worker(
    `const { createServer } = require('node:net');
     const { parentPort } = require('node:worker_threads');
     const server = createServer().listen({ port: 0, host: '${LOOPBACK}', backlog: 1 }, () => {
       parentPort.postMessage(server.address().port);
       Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
     });`,
    { eval: true },
  );
  const [port] = await once(worker, 'message');
  const target = { address: LOOPBACK, port };
  const fillers = await Promise.all(
    Array.from({ length: 4 }, () =>
      dial([target], limitsWith({ dialTime: 60 }), new AbortController().signal),
    ),
  );
  await use(target);
  for (const filler of fillers) if (filler.kind === 'connected') filler.upstream.socket.destroy();
  await worker.terminate();
}
