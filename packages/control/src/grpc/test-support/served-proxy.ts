import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { serveControl } from '../../serve/serve-control.ts';
import { FakeProxy, type FakeProxyOptions } from '../../testing/index.ts';

/** A fake proxy behind a Unix socket. */
export async function servedProxy({
  tokenFile,
  ...options
}: FakeProxyOptions & { readonly tokenFile?: string } = {}) {
  const proxy = new FakeProxy(options);
  const directory = mkdtempSync(join(tmpdir(), 'openshell-control-'));
  const path = join(directory, 's');
  const server = await serveControl({
    control: proxy.control,
    address: { kind: 'unix', path, peers: { kind: 'file-permissions' } },
    tokenFile,
  });
  return {
    proxy,
    path,
    async [Symbol.asyncDispose]() {
      await proxy.stop();
      await server[Symbol.asyncDispose]();
      rmSync(directory, { recursive: true });
    },
  };
}
