import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connectProxy } from '../connect/connect-proxy.ts';
import { controlContract, FakeProxy } from '../testing/index.ts';
import { serveControl } from './serve-control.ts';

// Whose the connection is takes a process each time; that is `peers.test.ts`.
controlContract('over gRPC on a Unix socket', async () => {
  const proxy = new FakeProxy();
  const directory = mkdtempSync(join(tmpdir(), 'openshell-control-'));
  const path = join(directory, 'control.sock');
  const server = await serveControl({
    control: proxy.control,
    address: { kind: 'unix', path, peers: { kind: 'file-permissions' } },
  });
  const stop = async () => {
    await proxy.stop();
    await server[Symbol.asyncDispose]();
  };
  return {
    control: connectProxy({ kind: 'unix', path }),
    provoke: (tenant) => proxy.provoke(tenant),
    stop,
    eventsKept: proxy.eventsKept,
    tenantsMost: proxy.tenantsMost,
    [Symbol.asyncDispose]: async () => {
      await stop();
      rmSync(directory, { recursive: true });
    },
  };
});
