import type { SandboxId } from '@openshell/base';
import { PROTOCOL } from '@openshell/control';
import { controlContract } from '@openshell/control/testing';
import { type HostFixture, hostOf } from '../control/testing/host.ts';
import { LinkDirectory } from '../link/index.ts';
import { AuthorityRing } from '../tls/authority-ring.ts';
import { channelPair } from './testing/channel-pair.ts';
import { Worker } from './worker.ts';
import { type StartWorker, WorkerSet } from './worker-set.ts';

const OBSERVER = { name: 'provoker', protocol: PROTOCOL, role: 'observer' } as const;
const LIMITS = { controlEvents: 16, controlTenants: 8, denialEvents: 10_000 };

/** Workers that are whole, but in this process: what they and the first one say to each other is what processes say. */
function workersHere(fixtures: HostFixture[]): StartWorker {
  return () => {
    const [first, own] = channelPair();
    const worker = new Worker({
      channel: own,
      make: async (_start, { authority: _, ...parts }, stack) => {
        const fixture = stack.use(await hostOf({ ...parts, limits: { ...LIMITS, ...parts.limits } }));
        fixtures.push(fixture);
        const { host } = fixture;
        return {
          proxy: {
            host,
            nodes: new LinkDirectory(),
            linkPort: undefined,
            listen: async () => [],
            renewLink: async () => {},
          },
          drainMs: 0,
          recorded: true,
        };
      },
    });
    void worker.ended.then(() => own.close());
    return { channel: first, kill: () => first.close() };
  };
}

controlContract('a real proxy, of two workers', async () => {
  const fixtures: HostFixture[] = [];
  const set = await WorkerSet.start({
    count: 2,
    start: workersHere(fixtures),
    version: '1.2.3',
    features: ['workers'],
    denyAll: false,
    authority: () => AuthorityRing.inMemory(),
    events: () => true,
    log: () => undefined,
    limits: LIMITS,
  });
  await set.listen([], new Map());
  const control = set.control({ sources: 'pushed', name: 'test' });
  let asked = 0;
  return {
    control,
    // Now the one, now the other. Events of several workers are in the order in which they come in: a status waits for them.
    provoke: async (tenant: SandboxId) => {
      asked += 1;
      await fixtures[asked % 2]!.doors.ask(tenant, `refused-${asked}.test:443`);
      await using observer = await control.connect(OBSERVER);
      await observer.status();
    },
    stop: () => set[Symbol.asyncDispose](),
    eventsKept: LIMITS.controlEvents,
    tenantsMost: LIMITS.controlTenants,
    [Symbol.asyncDispose]: () => set[Symbol.asyncDispose](),
  };
});
