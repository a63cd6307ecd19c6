import { readFileSync } from 'node:fs';
import { eventLine } from '@openshell/audit';
import { sandboxId } from '@openshell/base';
import { PROTOCOL } from '@openshell/control';
import { EgressProxy, loadProxyHost, readUpstream } from '@openshell/proxy';

const [port] = process.argv.slice(2);
const origin =
  port === undefined ? [] : [{ name: 'origin.test', address: '127.0.0.1', toPort: Number(port) }];
const upstream = readUpstream({ authorities: [], clientCertificates: [] });
const proxy = new EgressProxy({ overrides: origin, upstream });
const host = new (await loadProxyHost())({
  proxy,
  version: '0.1.0',
  generations: { environment: {}, trust: upstream.trust },
});
const gateway = { name: 'gateway', protocol: PROTOCOL, role: 'controller' } as const;
const session = await host.control({ sources: 'pushed', name: 'in process' }).connect(gateway);

const id = sandboxId('sandbox-1');
const listener = { kind: 'listener', host: '127.0.0.1', port: 0 } as const;
const tenant = await session.registerTenant({ id, recognitions: [listener], identity: 'not-required' });
const text = readFileSync(new URL('policy.yaml', import.meta.url), 'utf8');
const policy = { kind: 'text', name: 'policy.yaml', text } as const;
await session.apply({ tenant: id, parts: { policy }, mode: 'install' });
console.log(`${id} uses http://127.0.0.1:${tenant.listening[0]?.port}`);

for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => host.close());
for await (const event of session.events({ tenants: [id], follow: true }))
  if (event.kind === 'event') console.log(eventLine(event.event));
await proxy.close();
