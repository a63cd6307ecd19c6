import { duplexPair } from 'node:stream';
import { connectProxy } from '../connect/connect-proxy.ts';
import { controlContract, FakeProxy } from '../testing/index.ts';
import { ControlEndpoint } from './endpoint.ts';

controlContract('over gRPC on a connection that both have', async () => {
  const proxy = new FakeProxy();
  const endpoint = new ControlEndpoint(proxy.control);
  const [here, there] = duplexPair();
  void endpoint.serve(there);
  const stop = async () => {
    await proxy.stop();
    await endpoint[Symbol.asyncDispose]();
  };
  return {
    control: connectProxy({ kind: 'duplex', connection: here }),
    provoke: (tenant) => proxy.provoke(tenant),
    stop,
    eventsKept: proxy.eventsKept,
    tenantsMost: proxy.tenantsMost,
    [Symbol.asyncDispose]: async () => {
      await stop();
      here.destroy();
    },
  };
});
