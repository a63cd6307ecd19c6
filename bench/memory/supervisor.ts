// A supervisor with as many idle sandboxes as its first argument says, each with its proxy tenant. Says who they are on
// standard output once they stand, and ends when its standard input does.
import { generation, sandboxId } from '@openshell/base';
import { compilePolicy, parsePolicy } from '@openshell/policy';
import { EgressProxy, policyAlone } from '@openshell/proxy';
import { ProcessRuntime, type Sandbox } from '@openshell/runtime';
import { startSandbox } from '../measure/idle-sandbox.ts';

const [count, workdir] = [Number(process.argv[2]), process.argv[3]!];

const parsed = parsePolicy(`version: 1
network_policies:
  example:
    binaries: [{ path: /usr/bin/curl }]
    endpoints: [{ host: example.com, port: 443 }]
`);
if (!parsed.ok) throw new Error(parsed.problems[0]?.message);

const runtime = new ProcessRuntime();
const proxy = new EgressProxy({ overrides: [] });
const sandboxes: Sandbox[] = [];
for (let index = 0; index < count; index++) {
  const id = sandboxId(`idle${index}`);
  const sandbox = await startSandbox(runtime, { id, workdir });
  proxy.addTenant({
    id,
    listeners: sandbox.listeners,
    evidence: { identify: (flow) => sandbox.identify(flow).then((who) => who) },
    settings: policyAlone(compilePolicy(parsed.policy, generation(1))),
    events: () => {},
  });
  sandboxes.push(sandbox);
}
globalThis.gc?.();
const pids = sandboxes.map(({ launcherPid, initPid }) => ({ launcher: launcherPid, init: initPid }));
process.stdout.write(`${JSON.stringify(pids)}\n`);

for await (const _ of process.stdin);
await proxy.close();
for (const sandbox of sandboxes) await sandbox[Symbol.asyncDispose]();
