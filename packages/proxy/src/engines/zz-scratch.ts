import { generation } from '@openshell/base';
import { parsePolicy, compilePolicy } from '@openshell/policy';
import { RegoEngine } from '/work/main/packages/proxy/src/engines/rego-engine.ts';
import { policyData } from '/work/main/packages/proxy/src/engines/policy-data.ts';
import { processEvidence, intentFor } from '/work/main/packages/policy/src/testing/policies.ts';
const N = Number(process.argv[2] ?? 100);
const lines = ['version: 1', 'network_policies:'];
for (let i = 0; i < N; i++) lines.push(`  p${i}:`, '    binaries: [{ path: /usr/bin/curl }, { path: "/opt/tools/**" }]', `    endpoints: [{ host: host-${i}.example.com, port: 443 }]`);
const r = parsePolicy(lines.join('\n')); if (!r.ok) throw r;
const e = new RegoEngine({ generation: generation(1), modules: {}, data: policyData(r.policy) });
const b = compilePolicy(r.policy, generation(1));
for (const [h,p,w] of [['host-3.example.com',443,'/usr/bin/curl'],['host-3.example.com',443,'/usr/bin/x'],['h.com',443,'/a'],['host-3.example.com',443,{kind:'unknown',reason:'no'}]] as any) {
  console.log(e.authorizeConnect(intentFor(h,p,w)), b.authorizeConnect(intentFor(h,p,w)));
}
console.log(e.couldAllowName('host-3.example.com'), e.couldAllowName('x'), e.couldAllowAddress('1.2.3.4',1));
const intents = Array.from({length:64},(_, i)=>intentFor(`host-${(i*37)%N}.example.com`,443, processEvidence(i%2?'/usr/bin/curl':'/opt/tools/bin/agent',['/usr/bin/bash','/usr/bin/node'])));
const run=(n:number)=>{for(let i=0;i<n;i++) if(e.authorizeConnect(intents[i&63]!).action!=='allow') throw 1};
run(20000); const t=performance.now(); run(100000); console.log(Math.round(100000/((performance.now()-t)/1000)),'/s');
