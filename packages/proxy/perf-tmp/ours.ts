import { createServer } from 'node:net';
import { createWriteStream, readFileSync } from 'node:fs';
import { generation, sandboxId } from '@openshell/base';
import { compilePolicy, parsePolicy } from '@openshell/policy';
import { EgressProxy, policyAlone } from '@openshell/proxy';
import { openFileSink } from '@openshell/audit';
import { SigningAuthority } from '/work/main/packages/proxy/src/tls/authority.ts';
import { loadTrust } from '/work/main/packages/proxy/src/tls/trust.ts';
const port = Number(process.argv[2]);
const certs = process.argv[3];
const httpsPort = process.argv[4];
const others = Array.from({length: 99}, (_, i) => `    - { host: h${i}.example.com, port: 443, protocol: rest, access: full }`).join('\n');
const parsed = parsePolicy(`version: 1
network_policies:
  origin:
    binaries: [{ path: "/**" }]
    endpoints:
    - { host: origin.test, port: ${httpsPort}, protocol: rest, access: full }
    - { host: "*.origin.test", port: ${httpsPort}, protocol: rest, access: full }
${others}
`);
if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems));
const proxy = new EgressProxy({
  overrides: new Proxy([], { get(t, k) { return k === 'find' ? (f) => [{name:'origin.test',address:'127.0.0.1'}].find(f) ?? {address:'127.0.0.1', name:'*'} : Reflect.get(t,k); } }) as never,
  authority: SigningAuthority.load(readFileSync(`${certs}/mitm-ca.pem`,'utf8'), readFileSync(`${certs}/mitm-ca.key`,'utf8')),
  upstream: { trust: loadTrust({ operatorPem: [readFileSync(`${certs}/origin-ca.pem`,'utf8')] }) },
});
const server = createServer({ allowHalfOpen: true, pauseOnConnect: true });
server.listen(port, '127.0.0.1', 4096);
const sink = process.env.EVENTS ? await openFileSink({ path: process.env.EVENTS, onError() {} } as never).catch((e) => { console.error(e); return undefined; }) : undefined;
proxy.addTenant({
  id: sandboxId('bench'),
  listeners: { connect: [server] },
  evidence: { identify: async () => ({ kind: 'process', pid: 1, executable: { path: '/x/loadgen', sha256: 'ab'.repeat(32), pinned: true }, ancestors: [], argv: [] }) },
  settings: policyAlone(compilePolicy(parsed.policy, generation(1))),
  events: sink ? (event) => sink.write(event) : () => {},
  refusals: (r) => console.error(JSON.stringify(r)),
});
process.on('SIGTERM', () => process.exit(0));
import { Session } from 'node:inspector';
import { existsSync, writeFileSync, mkdirSync } from 'node:fs';
if (existsSync('/tmp/perf/PROF')) {
  const s = new Session(); s.connect(); s.post('Profiler.enable'); s.post('Profiler.setSamplingInterval', { interval: 100 });
  setTimeout(() => { s.post('Profiler.start'); setTimeout(() => s.post('Profiler.stop', (e, { profile }) => { mkdirSync('/tmp/perf/prof', {recursive:true}); writeFileSync('/tmp/perf/prof/p.cpuprofile', JSON.stringify(profile)); }), 2500); }, 2500);
}
