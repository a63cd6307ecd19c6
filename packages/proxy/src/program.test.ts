import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { LOOPBACK, portOf, readAll } from './test-support/fixture.ts';

const PROGRAM = fileURLToPath(new URL('../../../bin/openshell-proxy', import.meta.url));

const policyFor = (host: string): string => `version: 1
network_policies:
  test:
    endpoints:
      - { host: ${host}, port: 80 }
    binaries:
      - { path: /usr/bin/nobody-has-this }
`;

/** The program, with what it has said on standard error. */
class Program {
  readonly child: ChildProcess;
  #said = '';
  #wake = Promise.withResolvers<void>();

  constructor(args: readonly string[]) {
    this.child = spawn(PROGRAM, args, { stdio: ['ignore', 'pipe', 'pipe'] });
    this.child.stderr!.on('data', (chunk) => {
      this.#said += chunk;
      this.#wake.resolve();
      this.#wake = Promise.withResolvers();
    });
  }

  /** Waits until it has said this. */
  async said(pattern: RegExp): Promise<RegExpExecArray> {
    for (;;) {
      const match = pattern.exec(this.#said);
      if (match !== null) return match;
      if (this.child.exitCode !== null) throw new Error(`it has ended; it said ${this.#said}`);
      await Promise.race([this.#wake.promise, once(this.child, 'exit')]);
    }
  }

  async ended(): Promise<{ code: number | null; said: string }> {
    const [code] = await once(this.child, 'close');
    return { code, said: this.#said };
  }
}

async function get(port: number, url: string): Promise<string> {
  const socket = connect({ host: LOOPBACK, port });
  socket.write(`GET ${url} HTTP/1.1\r\nHost: x\r\n\r\n`);
  return String(await readAll(socket));
}

async function inFolder(use: (folder: string) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'openshell-proxy-'));
  try {
    await use(folder);
  } finally {
    await rm(folder, { recursive: true });
  }
}

describe('openshell-proxy', () => {
  test('serves a policy, takes a new one on SIGHUP, keeps the old one when the new one is bad, and stops cleanly', () =>
    inFolder(async (folder) => {
      const [policy, events] = [join(folder, 'policy.yaml'), join(folder, 'events')];
      const origin = createServer((socket) => {
        socket.once('data', () => socket.end('HTTP/1.1 204 No Content\r\n\r\n'));
      });
      await once(origin.listen(0, LOOPBACK), 'listening');
      await writeFile(policy, policyFor('one.example'));
      const rules = ['one', 'two'].flatMap((name) => [
        '--resolve',
        `${name}.example:80=${LOOPBACK}:${portOf(origin)}`,
      ]);
      const args = [
        '--policy',
        policy,
        '--listen',
        '127.0.0.1:0',
        '--identity',
        'none',
        '--events',
        events,
        ...rules,
      ];
      const program = new Program(args);
      const port = Number((await program.said(/serving on 127\.0\.0\.1:(\d+) /))[1]);
      assert.match(await get(port, 'http://one.example/'), /^HTTP\/1.1 204 /);
      assert.match(await get(port, 'http://two.example/'), /^HTTP\/1.1 403 /);
      await program.said(/refused two\.example:80: /);

      await writeFile(policy, policyFor('two.example'));
      program.child.kill('SIGHUP');
      await program.said(/in force as generation 2/);
      assert.match(await get(port, 'http://two.example/'), /^HTTP\/1.1 204 /);

      await writeFile(policy, 'network_policies: 5\n');
      program.child.kill('SIGHUP');
      await program.said(/policy\.yaml:1:\d+: .*generation 2 stays in force/s);
      assert.match(await get(port, 'http://two.example/'), /^HTTP\/1.1 204 /);

      program.child.kill('SIGTERM');
      assert.equal((await program.ended()).code, 0);
      origin.close();
      const lines = (await readFile(events, 'utf8'))
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line));
      assert.equal(lines[0].type_uid, 600203);
      assert.equal(lines.at(-1).type_uid, 600204);
      assert.ok(lines.some((event) => event.state === 'retained_last_valid'));
      assert.ok(
        lines.some((event) => event.action === 'Denied' && event.dst_endpoint.domain === 'two.example'),
      );
    }));

  const base = ['--policy', '/nonexistent', '--listen', '127.0.0.1:0'];
  const wrong: [string, readonly string[], number, RegExp][] = [
    ['no identity', base, 2, /cannot tell which program.*--identity none/s],
    ['another identity', [...base, '--identity', 'magic'], 2, /--identity magic is not known/],
    ['no policy', ['--listen', '127.0.0.1:0', '--identity', 'none'], 2, /--policy FILE is missing/],
    ['no address', ['--policy', 'x', '--identity', 'none'], 2, /--listen ADDRESS:PORT is missing/],
    ['a bad address', ['--policy', 'x', '--listen', 'here:80', '--identity', 'none'], 2, /not ADDRESS:PORT/],
    ['an unknown option', [...base, '--verbose'], 2, /--verbose/],
    ['a bad rule', [...base, '--identity', 'none', '--resolve', 'a=b'], 2, /--resolve a=b: .* no address/],
    ['a policy that is not there', [...base, '--identity', 'none'], 1, /cannot be read.*\/nonexistent/],
  ];
  for (const [what, args, expected, message] of wrong) {
    test(`with ${what} says so and ends with ${expected}`, async () => {
      const { code, said } = await new Program(args).ended();
      assert.equal(code, expected);
      assert.match(said, message);
    });
  }

  test('refuses a policy that needs inspection, with the place', () =>
    inFolder(async (folder) => {
      const policy = join(folder, 'policy.yaml');
      const endpoint = '{ host: one.example, port: 80, protocol: rest, access: read-only }';
      await writeFile(policy, policyFor('x').replace(/- \{ host.*/, `- ${endpoint}`));
      const { code, said } = await new Program([
        '--policy',
        policy,
        '--listen',
        '127.0.0.1:0',
        '--identity',
        'none',
      ]).ended();
      assert.equal(code, 1);
      assert.match(said, /policy\.yaml:5:\d+: network_policies\.test\.endpoints\[0\]\.protocol/);
    }));
});
