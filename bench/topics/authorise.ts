import { writeFileSync } from 'node:fs';
import type { Socket } from 'node:net';
import { dirname, join } from 'node:path';
import { generation, sandboxId } from '@openshell/base';
import { compilePolicy, type Intent, type PolicyEngine, parsePolicy } from '@openshell/policy';
import { ProcessRuntime, type Sandbox } from '@openshell/runtime';
import { closeListeners, startSandbox } from '../measure/idle-sandbox.ts';
import { quantile } from '../measure/series.ts';
import type { Topic, TopicContext, TopicResult } from '../measure/topic.ts';

const GROUP = 'accept to decision, 20 processes in the sandbox';
const PROXY_PORT = 3128;
const WARM_UP = 100;
const CONNECTIONS_A_ROUND = 300;
/** Besides the shell and the client. */
const IDLE_PROCESSES = 18;

/** One connection after another; each ends when the supervisor has decided. */
const CLIENT = `
const { connect } = require('node:net');
const next = () => {
  const socket = connect(${PROXY_PORT}, '127.0.0.1');
  socket.on('error', () => {}).on('close', next).resume();
};
next();
`;

const engine = (): PolicyEngine => {
  const result = parsePolicy(`version: 1
network_policies:
  bench:
    binaries: [{ path: "/**" }]
    endpoints: [{ host: origin.test, port: 443 }]
`);
  if (!result.ok) throw new Error(result.problems[0]?.message);
  return compilePolicy(result.policy, generation(1));
};

/** Who asks, and may it? As the proxy finds out, from an accepted connection. */
async function decide(sandbox: Sandbox, policy: PolicyEngine, socket: Socket): Promise<boolean> {
  const evidence = await sandbox.identify({
    family: 4,
    clientAddress: socket.remoteAddress!,
    clientPort: socket.remotePort!,
    serverAddress: socket.localAddress!,
    serverPort: socket.localPort!,
  });
  const intent: Intent = {
    sandbox: sandboxId('bench'),
    adapter: 'connect',
    host: 'origin.test',
    port: 443,
    evidence,
  };
  return (await policy.authorizeConnect(intent)).action === 'allow';
}

/** Milliseconds that each of `count` connections waited for its decision. */
async function measure(sandbox: Sandbox, count: number): Promise<number[]> {
  const policy = engine();
  const times: number[] = [];
  const done = Promise.withResolvers<void>();
  sandbox.listeners.connect[0]!.on('connection', (socket: Socket) => {
    const start = performance.now();
    socket.on('error', done.reject);
    void decide(sandbox, policy, socket)
      .then((allowed) => {
        if (!allowed) throw new Error('a connection was refused');
        times.push(performance.now() - start);
        if (times.length >= count) done.resolve();
        socket.destroy();
      })
      .catch(done.reject);
  });
  await sandbox.run();
  await done.promise;
  return times;
}

async function run(context: TopicContext): Promise<TopicResult> {
  const workdir = context.scratch.directory('authorise');
  writeFileSync(join(workdir, 'client.cjs'), CLIENT);
  const script = `i=0; while [ $i -lt ${IDLE_PROCESSES} ]; do sleep 1000 & i=$((i + 1)); done; "$1" client.cjs; exit`;
  await using sandbox = await startSandbox(new ProcessRuntime(), {
    id: 'bench',
    workdir,
    readOnly: [dirname(process.execPath)],
    command: {
      argv: ['/bin/sh', '-c', script, 'sh', process.execPath],
      env: () => ({ PATH: '/usr/bin:/bin' }),
      cwd: workdir,
      terminal: [],
      stdio: ['ignore', 'ignore', 'ignore'],
    },
  });
  const count = context.rounds * (context.quick ? 100 : CONNECTIONS_A_ROUND);
  const times = (await measure(sandbox, WARM_UP + count)).slice(WARM_UP);
  sandbox.kill();
  await sandbox.wait();
  closeListeners(sandbox);
  const values = times.map((milliseconds) => milliseconds * 1000);
  return {
    series: [
      { group: GROUP, name: 'identity and policy', unit: 'µs', values },
      { group: GROUP, name: 'the slowest in a hundred', unit: 'µs', values: [quantile(values, 0.99)] },
    ],
    references: {},
    targets: [
      {
        what: 'authorising a connection, identity included (median)',
        bound: 'at most',
        limit: 300,
        value: quantile(values, 0.5),
        unit: 'µs',
      },
    ],
  };
}

export const authorise: Topic = {
  name: 'authorise',
  title: 'One new connection: who asks, and may it?',
  run,
};
