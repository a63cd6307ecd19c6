import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { checkout, program, runInProcess } from '../test/program.ts';
import { scratch } from '../test/scratch.ts';

/** A program that goes on, with what it has said so far on both of its outputs. */
class Running implements AsyncDisposable {
  readonly #child: ChildProcess;
  readonly #ended: Promise<unknown[]>;
  #said = '';
  #more = Promise.withResolvers<void>();

  constructor(file: string, words: readonly string[]) {
    this.#child = spawn(file, words, { stdio: ['ignore', 'pipe', 'pipe'] });
    this.#ended = once(this.#child, 'close');
    for (const stream of [this.#child.stdout!, this.#child.stderr!])
      stream.setEncoding('utf8').on('data', (text: string) => {
        this.#said += text;
        this.#more.resolve();
        this.#more = Promise.withResolvers();
      });
  }

  async said(pattern: RegExp): Promise<RegExpExecArray> {
    for (;;) {
      const match = pattern.exec(this.#said);
      if (match !== null) return match;
      if (this.#child.exitCode !== null) assert.fail(`it has ended, and said: ${this.#said}`);
      await Promise.race([this.#more.promise, this.#ended]);
    }
  }

  async stop(signal: NodeJS.Signals): Promise<unknown> {
    this.#child.kill(signal);
    const [code] = await this.#ended;
    return code;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child.exitCode === null) await this.stop('SIGKILL');
  }
}

const POLICY = `version: 1
network_policies:
  docs:
    endpoints:
      - { host: docs.example, port: 443, protocol: rest, access: full, enforcement: enforce }
`;
const CREDENTIALS = `credentials:
  - name: API_TOKEN
    env: API_TOKEN
    bindings: [{ host: docs.example }]
`;

test('openshell proxyctl steers openshell-proxy from its first tenant on, and follows it through a new start', async (t) => {
  const directory = scratch(t);
  const private_ = join(directory, 'run');
  mkdirSync(private_, { mode: 0o700 });
  const control = `unix:${join(private_, 'control')}`;
  const file = (name: string, text: string): string => {
    writeFileSync(join(directory, name), text);
    return join(directory, name);
  };
  const [policy, credentials] = [file('policy.yaml', POLICY), file('credentials.yaml', CREDENTIALS)];
  const proxyctl = (...words: string[]) =>
    runInProcess(['proxyctl', ...words, '--control', control], { HERE: 'a-secret-value' });
  const start = async (): Promise<Running> => {
    const proxy = new Running(`${checkout}bin/openshell-proxy`, [
      '--listen',
      '127.0.0.1:0',
      '--control',
      control,
    ]);
    await proxy.said(/controllers connect to/);
    return proxy;
  };

  await using first = await start();
  const added = await proxyctl('tenants', 'add', 'team-a', '--listen', '127.0.0.1:0', '--identity', 'none');
  assert.match(added.out, /^team-a is served, on 127\.0\.0\.1:[0-9]+\n$/);
  await using follower = new Running(program, ['proxyctl', 'events', '-f', '--control', control]);
  await follower.said(/team-a LIFECYCLE:START/);
  const given = ['--policy', policy, '--credentials', credentials, '--secret', 'API_TOKEN=env:HERE'];
  const applied = await proxyctl('apply', ...given);
  assert.deepEqual([applied.code, applied.err], [0, '']);
  assert.match(applied.out, /generation 1 of team-a is in force\n.*\n.*\n {2}API_TOKEN=openshell:resolve:/);
  await follower.said(/team-a CONFIG:LOADED .*\[generation:1 /);
  const bad = await proxyctl('apply', '--policy', file('bad.yaml', POLICY.replace('host', 'hots')));
  assert.equal(bad.code, 1);
  assert.match(bad.out, /bad\.yaml:5:11: error: /);
  const denied = await proxyctl('explain', '--host', 'other.example', '--port', '443');
  assert.equal(denied.code, 1);
  assert.match(denied.out, /^denied other\.example:443\n.*generation 1 of team-a\n$/s);

  assert.equal(await first.stop('SIGTERM'), 0);
  await follower.said(/connecting again/);
  await using second = await start();
  await follower.said(/connected again\n(?:.*\n)*.*LIFECYCLE:START/);
  assert.equal(await follower.stop('SIGINT'), 130);
  assert.equal(await second.stop('SIGTERM'), 0);
});
