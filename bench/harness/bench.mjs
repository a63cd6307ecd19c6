#!/usr/bin/env node
// Benchmarks forward proxies against one another, alternating between them so
// that every peer sees the same machine noise. See README.md.
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { appendFileSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { peers as packagedPeers } from './peers.mjs';

const here = dirname(fileURLToPath(import.meta.url));
const certs = join(here, 'certs');
const ticksPerSecond = 100;

const { values: options } = parseArgs({
  options: {
    peers: { type: 'string' },
    target: { type: 'string', multiple: true, default: [] },
    // A module that exports more peers in the shape of peers.mjs.
    extra: { type: 'string' },
    workloads: { type: 'string' },
    rounds: { type: 'string', default: '3' },
    seconds: { type: 'string', default: '4' },
    warmup: { type: 'string', default: '1' },
    out: { type: 'string', default: 'results.jsonl' },
    state: { type: 'string', default: join(tmpdir(), 'proxy-bench') },
    'base-port': { type: 'string', default: '18080' },
    // Before each run, wait up to this many seconds for other programs to use under 0.2 cores.
    'quiet-wait': { type: 'string', default: '30' },
  },
});

const basePort = Number(options['base-port']);
const originHttp = basePort;
const originHttps = basePort + 1;
const host = 'origin.test';
const small = `https://${host}:${originHttps}/1k`;

// -C is not passed: a client's verification cost is not the proxy's.
const workloads = [
  { name: 'keepalive-32', args: ['-c', '32', small] },
  // The long warm-up is for the handshakes: 256 of them take a slow proxy seconds.
  { name: 'keepalive-256', args: ['-c', '256', '-w', '8', small] },
  { name: 'latency-1', args: ['-c', '1', small] },
  { name: 'newconn-16', args: ['-c', '16', '-N', small] },
  // One new connection at a time: shows stalls (Nagle against delayed ACK is 40 ms).
  { name: 'newconn-1', args: ['-c', '1', '-N', small] },
  { name: 'bulk-100m', args: ['-c', '1', `https://${host}:${originHttps}/100m`] },
  // The first connection to a host the proxy has not seen: dial, mint, handshake, answer.
  { name: 'cold-host', cold: 12, optional: true, args: ['-N', '-c', '1', '-n', '1', '-w', '0', small] },
  { name: 'plain-http-32', args: ['-c', '32', `http://${host}:${originHttp}/1k`], optional: true },
];

const processes = [];

/** Starts a command with its output in a log file. */
const launch = (name, { command, args, env = {} }, dir) => {
  const log = join(dir, 'output.log');
  const child = spawn('sh', ['-c', 'exec "$@" >>"$0" 2>&1', log, command, ...args], {
    stdio: 'ignore',
    env: { ...process.env, ...env },
    cwd: dir,
    detached: true, // its own process group, so that stopAll() reaches its helpers too
  });
  processes.push(child);
  child.on('exit', (code) => {
    if (!child.expected) console.error(`${name} exited with ${code}; see ${log}`);
  });
  return child.pid;
};

const listening = (port) =>
  new Promise((done) => {
    const socket = connect({ port, host: '127.0.0.1' }, () => done(socket.destroy() && true));
    socket.on('error', () => done(false));
  });

const waitFor = async (what, check) => {
  for (let i = 0; i < 300; i++) {
    if (await check()) return;
    await sleep(100);
  }
  throw new Error(`${what} did not come up`);
};

const startOrigin = async () => {
  const dir = join(options.state, 'origin');
  mkdirSync(join(dir, 'tmp'), { recursive: true });
  mkdirSync(join(dir, 'www'), { recursive: true });
  writeFileSync(join(dir, 'www/1k'), 'x'.repeat(1024));
  if (!existsSync(join(dir, 'www/100m'))) writeFileSync(join(dir, 'www/100m'), Buffer.alloc(100 << 20, 'y'));
  const values = { DIR: dir, HTTP: originHttp, HTTPS: originHttps, CERTS: certs };
  const conf = readFileSync(join(here, 'nginx.conf.in'), 'utf8').replace(/@([A-Z]+)@/g, (_, key) => values[key]);
  writeFileSync(join(dir, 'nginx.conf'), conf);
  const pid = launch('origin', { command: 'nginx', args: ['-p', dir, '-c', join(dir, 'nginx.conf')] }, dir);
  await waitFor('origin', () => listening(originHttps));
  return pid;
};

const startPeer = async (peer, index) => {
  if (peer.kind === 'direct' || !peer.start) return { ...peer };
  const dir = join(options.state, peer.name);
  mkdirSync(dir, { recursive: true });
  const address = join(dir, 'address.json');
  rmSync(address, { force: true });
  const port = basePort + 10 + index;
  const plan = peer.start({ dir, port, certs, originHttp, originHttps });
  plan.env = {
    PORT: String(port),
    CERTS: certs,
    STATE_DIR: dir,
    ORIGIN_HTTP: String(originHttp),
    ORIGIN_HTTPS: String(originHttps),
    NODE_EXTRA_CA_CERTS: join(certs, 'origin-ca.pem'),
    ...plan.env,
  };
  const pid = launch(peer.name, plan, dir);
  if (peer.selfAddressed) {
    await waitFor(peer.name, () => existsSync(address));
    return { ...peer, pid, ...JSON.parse(readFileSync(address, 'utf8')) };
  }
  await waitFor(peer.name, () => listening(port));
  return { ...peer, pid, port };
};

/** --target name=port[:pid[:kind]] names a proxy that already listens on 127.0.0.1. */
const parseTarget = (text) => {
  const [name, rest] = text.split('=');
  const [port, pid, kind = 'mitm'] = rest.split(':');
  return { name, kind, port: Number(port), pid: pid ? Number(pid) : undefined };
};

const statOf = (pid) => {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
    return { parent: Number(fields[1]), own: Number(fields[11]) + Number(fields[12]), reaped: Number(fields[13]) + Number(fields[14]) };
  } catch {
    return undefined;
  }
};

const processTree = (root) => {
  const children = new Map();
  for (const entry of readdirSync('/proc')) {
    if (!/^\d+$/.test(entry)) continue;
    const stat = statOf(entry);
    if (!stat) continue;
    if (!children.has(stat.parent)) children.set(stat.parent, []);
    children.get(stat.parent).push(Number(entry));
  }
  const tree = [];
  const visit = (pid) => {
    tree.push(pid);
    for (const child of children.get(pid) ?? []) visit(child);
  };
  visit(root);
  return tree;
};

/** CPU seconds of everything that was started here and has ended. */
const endedCpu = () => statOf(process.pid).reaped / ticksPerSecond;

/** CPU seconds and resident bytes of a process and its descendants. */
const usage = (root) => {
  let ticks = 0;
  let rss = 0;
  for (const pid of root ? processTree(root) : []) {
    const stat = statOf(pid);
    if (!stat) continue;
    ticks += stat.own + stat.reaped;
    try {
      rss += Number(/^Pss:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8'))?.[1] ?? 0) * 1024;
    } catch {}
  }
  return { cpu: ticks / ticksPerSecond, rss };
};

const machineCpu = () => {
  const [user, nice, system, , , irq, softirq] = readFileSync('/proc/stat', 'utf8').split('\n')[0].split(/\s+/).slice(1).map(Number);
  return (user + nice + system + irq + softirq) / ticksPerSecond;
};

const waitForQuiet = async () => {
  const deadline = performance.now() + Number(options['quiet-wait']) * 1000;
  for (;;) {
    const before = machineCpu();
    await sleep(500);
    const busy = (machineCpu() - before) / 0.5;
    if (busy < 0.2 || performance.now() > deadline) return;
  }
};

/** Milliseconds of CPU that a fixed piece of work takes now: it rises when a neighbour shares the core. */
const calibrate = () => {
  const before = process.cpuUsage();
  const block = Buffer.alloc(1 << 16, 'c');
  for (let i = 0; i < 400; i++) createHash('sha1').update(block).digest();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1000;
};

const coldHosts = new Map();
/** Runs a cold workload: one new host after another; the latencies are sorted into percentiles here. */
const runCold = async (peer, workload) => {
  const runs = [];
  for (let i = 0; i < workload.cold; i++) {
    const next = coldHosts.get(peer.name) ?? 0;
    coldHosts.set(peer.name, next + 1);
    const args = workload.args.map((arg) => arg.replace(host, `h${next}.${host}`));
    const run = await runLoad(peer, { ...workload, args, cold: undefined });
    if (run?.requests) runs.push(run);
  }
  if (!runs.length) return undefined;
  const sorted = runs.map((run) => run.p50us).sort((a, b) => a - b);
  const sum = (key) => runs.reduce((total, run) => total + run[key], 0);
  return {
    ...runs[0],
    requests: runs.length,
    rps: 1e6 / sorted[sorted.length >> 1],
    p50us: sorted[sorted.length >> 1],
    p99us: sorted[sorted.length - 1],
    errors: sum('errors'),
    requestsWithWarmup: sum('requestsWithWarmup'),
    bytesWithWarmup: sum('bytesWithWarmup'),
    generatorCpuSeconds: sum('generatorCpuSeconds'),
  };
};

const runLoad = (peer, workload) =>
  new Promise((done) => {
    let args = [...workload.args];
    if (peer.kind === 'reverse') args = args.map((arg) => arg.replace(`:${originHttps}/`, `:${peer.port}/`));
    if (peer.kind === 'tunnel' || peer.kind === 'mitm') args.unshift('-x', `127.0.0.1:${peer.port}`);
    if (peer.connectHeaders && workload.name.startsWith('plain')) args.unshift('-H', peer.connectHeaders);
    args.unshift('-d', options.seconds, '-w', options.warmup); // a workload's own -w comes later and wins
    const env = { ...process.env };
    if (peer.connectHeaders) env.LOADGEN_CONNECT_HEADERS = peer.connectHeaders;
    // A peer that is reached only from a place of its own starts the generator there.
    const generator = { command: join(here, 'loadgen'), args };
    const { command, args: words } = peer.load ? peer.load({ args, here, state: options.state }) : generator;
    const child = spawn(command, words, { env, stdio: ['ignore', 'pipe', 'inherit'] });
    let text = '';
    child.stdout.on('data', (chunk) => (text += chunk));
    child.on('close', () => done(text ? JSON.parse(text) : undefined));
  });

const measure = async (peer, workload, originPid) => {
  await waitForQuiet();
  const calibrationMs = calibrate();
  const before = { peer: usage(peer.pid), origin: usage(originPid), machine: machineCpu(), ended: endedCpu(), at: performance.now() };
  let peak = before.peer.rss;
  const sampler = setInterval(() => (peak = Math.max(peak, usage(peer.pid).rss)), 500);
  const load = await (workload.cold ? runCold : runLoad)(peer, workload);
  clearInterval(sampler);
  if (!load) return undefined;
  const after = { peer: usage(peer.pid), origin: usage(originPid), machine: machineCpu(), ended: endedCpu(), at: performance.now() };
  const peerCpu = peer.load ? after.ended - before.ended - load.generatorCpuSeconds : after.peer.cpu - before.peer.cpu;
  const originCpu = after.origin.cpu - before.origin.cpu;
  const wall = (after.at - before.at) / 1000;
  const others = after.machine - before.machine - peerCpu - originCpu - load.generatorCpuSeconds;
  return {
    ...load,
    peerCpuSeconds: peerCpu,
    peerCpuMicrosPerRequest: load.requestsWithWarmup ? (peerCpu / load.requestsWithWarmup) * 1e6 : undefined,
    peerCpuSecondsPerGb: load.bytesWithWarmup ? peerCpu / (load.bytesWithWarmup / 1e9) : undefined,
    peerRssMb: peak / 1e6,
    originCpuSeconds: originCpu,
    wallSeconds: wall,
    // CPU used by anything outside this benchmark, in cores: the noise.
    noiseCores: others / wall,
    calibrationMs: (calibrationMs + calibrate()) / 2,
  };
};

const stopAll = () => {
  for (const child of processes) {
    child.expected = true;
    try {
      process.kill(-child.pid, 'SIGKILL');
    } catch {}
  }
};
process.on('exit', stopAll);
process.on('SIGINT', () => process.exit(1));
process.on('SIGTERM', () => process.exit(1));

const extraPeers = options.extra ? (await import(resolve(options.extra))).peers : [];
const knownPeers = [...packagedPeers, ...extraPeers];
const chosen = options.peers ? options.peers.split(',') : knownPeers.map((peer) => peer.name);
const chosenWork = workloads.filter((work) => (options.workloads ? options.workloads.split(',').includes(work.name) : !work.optional));
const originPid = await startOrigin();
const running = [];
for (const [index, peer] of knownPeers.entries()) {
  if (chosen.includes(peer.name)) running.push(await startPeer(peer, index));
}
running.push(...options.target.map(parseTarget));

const out = resolve(options.out);
for (let round = 1; round <= Number(options.rounds); round++) {
  for (const workload of chosenWork) {
    for (const peer of running) {
      if (peer.kind === 'reverse' && (workload.cold || workload.name.startsWith('plain'))) continue;
      const result = await measure(peer, workload, originPid);
      if (!result) continue;
      appendFileSync(out, JSON.stringify({ round, peer: peer.name, kind: peer.kind, workload: workload.name, ...result }) + '\n');
      console.log(
        `${round} ${workload.name.padEnd(14)} ${peer.name.padEnd(18)} ${result.rps.toFixed(0).padStart(7)}/s ` +
          `p50 ${result.p50us} p99 ${result.p99us} us  ${result.mbPerSecond.toFixed(0)} MB/s  ` +
          `cpu ${result.peerCpuMicrosPerRequest?.toFixed(0)} us/req  rss ${result.peerRssMb.toFixed(0)} MB  ` +
          `noise ${result.noiseCores.toFixed(2)} cal ${result.calibrationMs.toFixed(0)}  err ${result.errors}+${result.non2xx}`,
      );
    }
  }
}
process.exit(0);
