import { duplexPair } from 'node:stream';
import { connectProxy, type ProxyControl, serveControlOn } from '@openshell/control';
import { type ContractSubject, controlContract } from '@openshell/control/testing';
import { type HostFixture, hostOf } from './testing/host.ts';

const LIMITS = { controlEvents: 16, controlTenants: 8, denialEvents: 10_000 };

function subjectOf(
  { host, doors }: HostFixture,
  control: ProxyControl,
): Omit<ContractSubject, keyof AsyncDisposable> {
  let asked = 0;
  return {
    control,
    provoke: async (tenant) => {
      asked += 1;
      await doors.ask(tenant, `refused-${asked}.test:443`);
    },
    stop: () => host.close(),
    eventsKept: LIMITS.controlEvents,
    tenantsMost: LIMITS.controlTenants,
  };
}

const VIEW = { sources: 'pushed', name: 'test' } as const;

controlContract('a real proxy, in process', async () => {
  const fixture = await hostOf({ limits: LIMITS });
  return {
    ...subjectOf(fixture, fixture.host.control(VIEW)),
    [Symbol.asyncDispose]: () => fixture[Symbol.asyncDispose](),
  };
});

controlContract('a real proxy, over gRPC', async () => {
  const fixture = await hostOf({ limits: LIMITS });
  const [here, there] = duplexPair();
  const server = await serveControlOn(fixture.host.control(VIEW), there);
  return {
    ...subjectOf(fixture, connectProxy({ kind: 'duplex', connection: here })),
    stop: async () => {
      await fixture.host.close();
      await server[Symbol.asyncDispose]();
    },
    [Symbol.asyncDispose]: async () => {
      await fixture[Symbol.asyncDispose]();
      await server[Symbol.asyncDispose]();
      here.destroy();
    },
  };
});
