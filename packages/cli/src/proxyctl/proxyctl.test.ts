import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import { sandboxId } from '@openshell/base';
import { type ControlServer, PROTOCOL, serveControl } from '@openshell/control';
import { FakeProxy, TestAuthority } from '@openshell/control/testing';
import { openshell } from '../openshell.ts';
import { plain } from '../output/style.ts';
import { type Outcome, runInProcess } from '../test/program.ts';
import { scratch } from '../test/scratch.ts';

const POLICY = `version: 1
network_policies:
  docs:
    endpoints:
      - { host: docs.example, port: 443, protocol: rest, access: full }
`;
const CREDENTIALS = `credentials:
  - name: API_TOKEN
    env: API_TOKEN
    bindings: [{ host: docs.example }]
`;
const CREDENTIAL_FILES = ['--credentials', '@credentials.yaml', '--secret', 'API_TOKEN=file:@token'];

/** A proxy at a Unix socket, and a directory with files. Whoever may open the socket may control it. */
class Desk {
  readonly directory: string;
  readonly path: string;
  proxy = new FakeProxy();
  #server!: ControlServer;

  static async open(t: TestContext): Promise<Desk> {
    const desk = new Desk(scratch(t));
    t.after(() => desk.stop());
    await desk.start();
    return desk;
  }

  constructor(directory: string) {
    this.directory = directory;
    this.path = join(directory, 'control');
    const files = {
      'policy.yaml': POLICY,
      'bad.yaml': POLICY.replace('host:', 'hots:'),
      'credentials.yaml': CREDENTIALS,
      'bad-credentials.yaml': 'credentails: []\n',
      token: 'a-secret-value\n',
      password: 'correct-horse\n',
    };
    for (const [name, text] of Object.entries(files)) writeFileSync(join(directory, name), text);
  }

  async start(): Promise<void> {
    const address = { kind: 'unix', path: this.path, peers: { kind: 'file-permissions' } } as const;
    this.#server = await serveControl({ control: this.proxy.control, address });
  }

  async stop(): Promise<void> {
    await this.proxy.stop();
    await this.#server[Symbol.asyncDispose]();
  }

  words(...words: readonly string[]): readonly string[] {
    const placed = words.map((word) => word.replace('@', `${this.directory}/`));
    return ['proxyctl', ...placed, '--control', `unix:${this.path}`];
  }

  run(...words: readonly string[]): Promise<Outcome> {
    return runInProcess(this.words(...words));
  }

  async json(...words: readonly string[]) {
    const { code, out, err } = await this.run(...words, '--json');
    assert.equal(err, '');
    return { code, document: JSON.parse(out) };
  }

  /** With the tenant `a`, by a port of its own. */
  async addTenant(): Promise<this> {
    const { code } = await this.run('tenants', 'add', 'a', '--listen', '127.0.0.1:0', '--identity', 'none');
    assert.equal(code, 0);
    return this;
  }
}

describe('openshell proxyctl', () => {
  test('registers tenants, lists and removes them', async (t) => {
    const desk = await Desk.open(t);
    const empty = await desk.run('status');
    assert.match(empty.out, /^openshell-proxy 0\.0\.0-fake: denying: there is no tenant\n.*nobody/s);
    const added = await desk.run('tenants', 'add', 'a', '--listen', '[::1]:0', '--identity', 'none');
    assert.deepEqual([added.code, added.out], [0, 'a is served, on [::1]:40000\n']);
    assert.match(added.err, /denied everything until 'openshell proxyctl apply --tenant a'/);
    const user = ['--user', 'b', '--password-file', '@password', '--max-connections', '7'];
    const { document } = await desk.json('tenants', 'add', 'b', ...user);
    const { tenantHash } = await import('@openshell/control');
    const passwordSha256 = createHash('sha256').update('correct-horse').digest('hex');
    assert.equal(
      document.specHash,
      tenantHash({
        id: sandboxId('b'),
        recognitions: [{ kind: 'credentials', username: 'b', passwordSha256 }],
        identity: 'required',
        limits: { connections: 7 },
      }),
    );
    const taken = await desk.run('tenants', 'add', 'c', ...user);
    assert.deepEqual([taken.code, taken.out], [2, '']);
    assert.match(taken.err, /^openshell: it would be taken for tenant "b"\n/);
    const list = await desk.run('tenants', 'list');
    assert.match(list.out, /^TENANT +GENERATION .*\na +none +- +\[::1\]:40000 +0 +0 +0 +0 +-\nb +none/);
    assert.match((await desk.run('status')).out, /2 of 2 tenants have no generation.*WORKER +PID/s);
    assert.match(
      (await desk.run('apply', '--policy', '@policy.yaml')).err,
      /2 tenants\n {2}Name one with --tenant/,
    );
    assert.equal((await desk.run('tenants', 'remove', 'a')).out, 'a is removed\n');
    assert.deepEqual(
      (await desk.json('status')).document.tenants.map(({ id }: { id: string }) => id),
      ['b'],
    );
    const gone = await desk.run('tenants', 'remove', 'a');
    assert.equal(gone.code, 2);
    assert.match(gone.err, /no tenant "a"\n {2}'openshell proxyctl tenants list'/);
  });

  test('applies a generation whole or not at all, and shows each mistake in its place', async (t) => {
    const desk = await Desk.open(t);
    assert.match((await desk.run('apply', '--policy', '@policy.yaml')).err, /no tenant yet/);
    await desk.addTenant();
    const checked = await desk.run('apply', '--check', '--policy', '@policy.yaml', ...CREDENTIAL_FILES);
    assert.deepEqual([checked.code, checked.err], [0, '']);
    assert.match(checked.out, /^accepted: it would be generation 1 of a\n {2}hash [0-9a-f]{64}\n$/);
    assert.equal((await desk.json('status')).document.state, 'denying', 'a check changes nothing');
    const applied = await desk.run(
      'apply',
      '--policy',
      '@policy.yaml',
      ...CREDENTIAL_FILES,
      '--revision',
      'r1',
    );
    assert.deepEqual([applied.code, applied.err], [0, '']);
    assert.match(applied.out, /^accepted: generation 1 of a is in force\n/);

    const bad = await desk.run('apply', '--policy', '@bad.yaml', '--credentials', '@bad-credentials.yaml');
    assert.equal(bad.code, 1);
    const place = join(desk.directory, 'bad.yaml:5:11: error: ').replaceAll('.', '\\.');
    assert.match(
      bad.out,
      new RegExp(`^${place}.*hots.*\\n {4}5 \\| {7}- \\{ hots: docs.*\\n {6}\\| {11}\\^\\n`, 'm'),
    );
    assert.match(bad.out, /bad-credentials\.yaml:1:1: error: .*credentails.*\n {4}1 \| credentails: \[\]\n/);
    assert.match(bad.err, /^openshell: /);
    const { code, document } = await desk.json('apply', '--policy', '@bad.yaml');
    assert.deepEqual([code, document.ok, document.code], [1, false, 'generation_refused']);
    const [{ part, file, line, column, path }] = document.problems;
    assert.deepEqual(
      { part, file, line, column, path },
      {
        part: 'policy',
        file: join(desk.directory, 'bad.yaml'),
        line: 5,
        column: 11,
        path: 'network_policies.docs.endpoints[0].hots',
      },
    );
    const { tenants } = (await desk.json('status')).document;
    assert.equal(tenants[0].installed.generation, 1, 'the last good one stays');
    assert.equal(tenants[0].installed.parts.secretsRevision, 'r1');
    const everything = JSON.stringify([checked, applied, bad, document, tenants]);
    assert.ok(!everything.includes('a-secret-value'));
  });

  test('keeps what it is told to, and only goes on from what is expected', async (t) => {
    const desk = await (await Desk.open(t)).addTenant();
    const apply = (...words: string[]) => desk.json('apply', '--policy', '@policy.yaml', ...words);
    const first = await apply(...CREDENTIAL_FILES, '--expect', 'none');
    assert.equal(first.document.ok, true);
    const kept = await apply('--keep', 'credentials', '--keep', 'secrets');
    assert.deepEqual([kept.code, kept.document.unchanged], [0, true]);
    const { hash, generation } = kept.document.installed;
    assert.deepEqual([hash, generation], [first.document.installed.hash, 1]);
    const changed = await apply('--expect', 'none');
    assert.deepEqual([changed.code, changed.document.code], [1, 'generation_changed']);
    const next = await apply('--keep', 'secrets', '--expect', hash);
    assert.deepEqual(next.document.notices, [
      'no credentials were given, and those that were in force are gone; --keep credentials keeps them',
    ]);
    const nothing = await desk.run('apply', '--keep', 'policy', '--keep', 'routes');
    assert.deepEqual([nothing.code, nothing.out], [1, '']);
    assert.match(nothing.err, /no routes in force\n {2}Leave out --keep routes/);
  });

  test('looks on beside another controller, and takes over only when it is told to', async (t) => {
    const desk = await (await Desk.open(t)).addTenant();
    const hello = { name: 'files', protocol: PROTOCOL, role: 'controller' } as const;
    const other = await desk.proxy.control.connect(hello);
    assert.match((await desk.run('status')).out, /controlled by +files, since 2/);
    assert.equal((await desk.run('apply', '--check', '--policy', '@policy.yaml')).code, 0);
    const refused = await desk.run('apply', '--policy', '@policy.yaml');
    assert.deepEqual([refused.code, refused.out], [2, '']);
    assert.match(refused.err, /files.*\n {2}Write --take-over to end its session/);
    assert.equal((await desk.run('apply', '--policy', '@policy.yaml', '--take-over')).code, 0);
    assert.deepEqual(await other.ended, { kind: 'taken_over', by: 'proxyctl' });
    assert.equal(desk.proxy.desk.controller, undefined, 'it has gone again');
  });

  test('explains with an exit code', async (t) => {
    const desk = await (await Desk.open(t)).addTenant();
    const ask = (...words: string[]) => desk.run('explain', '--port', '443', ...words);
    const before = await ask('--host', 'docs.example');
    assert.equal(before.code, 1);
    assert.match(before.out, /nothing is installed for a\n$/);
    await desk.run('apply', '--policy', '@policy.yaml');
    const allowed = await ask('--host', 'docs.example', '--binary', '/usr/bin/curl');
    assert.equal(allowed.code, 0, allowed.out);
    assert.match(allowed.out, /^allowed docs\.example:443\n.*generation 1 of a, policy docs; requests are/s);
    const denied = await ask('--host', 'other.example', '--tenant', 'a');
    assert.equal(denied.code, 1);
    assert.match(denied.out, /^denied other\.example:443\n {2}.* \(endpoint_not_allowed\)\n/);
    assert.equal((await ask('--host', 'docs.example', '--tenant', 'nobody')).code, 2);
  });

  test('hands out the authority in each format, and rotates it in order', async (t) => {
    const desk = await Desk.open(t);
    const { bundlePem, certificates } = (await desk.json('ca')).document;
    assert.deepEqual([certificates.length, certificates[0].role], [1, 'signing']);
    assert.equal((await desk.run('ca')).out, bundlePem);
    const secret = JSON.parse((await desk.run('ca', '--format', 'secret', '--name', 'team-a/trust')).out);
    assert.deepEqual(
      [secret.kind, secret.metadata.namespace, secret.metadata.name],
      ['Secret', 'team-a', 'trust'],
    );
    assert.equal(Buffer.from(secret.data['ca.crt'], 'base64').toString(), bundlePem);
    writeFileSync(join(desk.directory, 'ca.json'), 'old');
    const written = await desk.run('ca', '--format', 'configmap', '--output', '@ca.json');
    assert.deepEqual(written, { code: 0, out: '', err: '' });
    const map = JSON.parse(readFileSync(join(desk.directory, 'ca.json'), 'utf8'));
    assert.deepEqual(
      [map.kind, map.metadata.name, map.data['ca.crt']],
      ['ConfigMap', 'openshell-proxy-ca', bundlePem],
    );
    assert.ok(
      !readdirSync(desk.directory).some((name) => name.startsWith('.')),
      'nothing half-written is left',
    );
    const unwritable = await desk.run('ca', '--output', '@none/ca.pem');
    assert.equal(unwritable.code, 2);
    assert.match(unwritable.err, /none\/ca\.pem cannot be written/);

    const early = await desk.run('ca', 'rotate', 'activate');
    assert.deepEqual([early.code, early.out], [2, '']);
    const prepared = await desk.run('ca', 'rotate', 'prepare');
    assert.match(prepared.out, /^AUTHORITY +UNTIL +SHA-256\nsigning .*\nnext /);
    assert.match(prepared.err, /to all clients; then 'openshell proxyctl ca rotate activate'/);
    assert.equal((await desk.json('ca', 'rotate', 'activate')).document.certificates.length, 2);
    assert.equal((await desk.run('ca', 'rotate', 'retire')).code, 0);
    assert.notEqual((await desk.run('ca')).out, bundlePem);
  });

  test('drains', async (t) => {
    const desk = await Desk.open(t);
    assert.deepEqual((await desk.json('drain', '--timeout', '0')).document, { drained: true });
    assert.match((await desk.run('status')).out, /: draining: it takes no new connections\n/);
  });

  test('does not wait longer than it is told to for a proxy that says nothing', async (t) => {
    const path = join(scratch(t), 'control');
    const silent = createServer((socket) => socket.on('error', () => {}).resume());
    await once(silent.listen(path), 'listening');
    t.after(() => silent.close());
    const { code, err } = await runInProcess([
      'proxyctl',
      'status',
      '--timeout',
      '0.05',
      '--control',
      `unix:${path}`,
    ]);
    assert.equal(code, 2);
    assert.match(err, /has not answered within 0\.05 s\n {2}.*--timeout SECONDS/);
  });

  test('hides nothing that a proxy says behind control characters', async (t) => {
    const desk = await (await Desk.open(t)).addTenant();
    const { code, err } = await desk.run('explain', '--host', '\x1b[2J', '--port', '1');
    assert.equal(code, 2);
    assert.doesNotMatch(err, /\x1b/);
  });
});

/** A command that goes on, with what it has printed so far. */
class Running {
  readonly ended: Promise<number>;
  out = '';
  err = '';
  #printed = Promise.withResolvers<void>();

  constructor(words: readonly string[]) {
    const take = (stream: 'out' | 'err') => (text: string) => {
      this[stream] += text;
      this.#printed.resolve();
      this.#printed = Promise.withResolvers();
    };
    const io = { out: take('out'), err: take('err'), outStyle: plain, errStyle: plain, env: {} };
    this.ended = openshell(words, io);
  }

  async printed(stream: 'out' | 'err', pattern: RegExp): Promise<void> {
    while (!pattern.test(this[stream])) await this.#printed.promise;
  }
}

describe('openshell proxyctl events', () => {
  const A = sandboxId('a');

  test('prints what is kept, what is asked for, and what is gone', async (t) => {
    const desk = await (await Desk.open(t)).addTenant();
    await desk.run('apply', '--policy', '@policy.yaml');
    await desk.proxy.provoke(A);
    const all = await desk.run('events');
    assert.equal(all.err, '');
    assert.match(
      all.out,
      /^20\S+Z a CONFIG:LOADED .*\n20\S+Z a NET:REFUSE \[MED\] DENIED -> refused.example:443/,
    );
    const lines = (await desk.run('events', '--json')).out
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    assert.deepEqual(
      lines.map(({ tenant, event }) => [tenant, event.class_uid]),
      [
        ['a', 5019],
        ['a', 4001],
      ],
    );
    const denials = await desk.run('events', '--denials', '--json');
    assert.deepEqual(JSON.parse(denials.out), lines[1]);
    const after = await desk.run('events', '--json', '--after', lines[0].cursor);
    assert.deepEqual(JSON.parse(after.out), lines[1]);
    assert.equal((await desk.run('events', '--after', 'now')).out, '');
    assert.equal((await desk.run('events', '--tenant', 'b')).out, '');
    for (let count = 0; count < desk.proxy.eventsKept; count++) await desk.proxy.provoke(A);
    const late = await desk.run('events');
    assert.equal(late.err, 'openshell: 2 events before this are kept no longer\n');
    const [gap] = (await desk.run('events', '--json')).out.split('\n', 1).map((line) => JSON.parse(line));
    assert.deepEqual(gap.gap, { lost: 2 });
  });

  test('goes on after the proxy was started again, and ends as Ctrl-C does', async (t) => {
    const desk = await (await Desk.open(t)).addTenant();
    await desk.proxy.provoke(A);
    const running = new Running(desk.words('events', '--follow', '--denials'));
    await running.printed('out', /DENIED/);
    await desk.stop();
    desk.proxy = new FakeProxy();
    await desk.start();
    await desk.addTenant();
    await running.printed('err', /connecting again\nopenshell: connected again\n/);
    await desk.proxy.provoke(A);
    await running.printed('err', /some events before this are kept no longer/);
    await running.printed('out', /DENIED.*\n.*DENIED/);
    process.emit('SIGINT', 'SIGINT');
    assert.equal(await running.ended, 130);
    assert.equal(running.out.split('\n').length, 3, 'each event once');
    assert.equal(process.listenerCount('SIGTERM'), 0);
  });

  test('does not wait for a proxy that was never there', async (t) => {
    const socket = join(scratch(t), 'none');
    const { code, err } = await runInProcess(['proxyctl', 'events', '-f', '--control', `unix:${socket}`]);
    assert.equal(code, 2);
    assert.match(err, /cannot be reached/);
  });

  test('does not ask again for what will be refused again', async (t) => {
    const desk = await Desk.open(t);
    const { code, err } = await desk.run('events', '-f', '--tenant', 'not an id');
    assert.equal(code, 2);
    assert.match(err, /id is not made of/);
  });
});

test('openshell proxyctl shows its certificate and token to a proxy elsewhere, and believes only the right one', async (t) => {
  const directory = scratch(t);
  const write = (name: string, text: string): string => {
    const file = join(directory, name);
    writeFileSync(file, text);
    return file;
  };
  using authority = new TestAuthority();
  using stranger = new TestAuthority();
  const shown = authority.issue('IP:127.0.0.1');
  const own = authority.issue('DNS:operator.example');
  const token = write('token', 'right\n');
  const proxy = new FakeProxy();
  await using server = await serveControl({
    control: proxy.control,
    address: { kind: 'tcp', host: '127.0.0.1', port: 0, tls: { ...shown, clientCa: authority.pem } },
    tokenFile: token,
  });
  const words = {
    'control-ca': write('ca.pem', authority.pem),
    'control-cert': write('own.pem', own.certificate),
    'control-key': write('own.key', own.key),
    'token-file': token,
  };
  const ask = (changes: Partial<Record<keyof typeof words, string>> = {}) => {
    const given = Object.entries({ ...words, ...changes }).filter(([, file]) => file !== '');
    const options = given.map(([name, file]) => `--${name}=${file}`);
    return runInProcess(['proxyctl', 'status', ...options], { OPENSHELL_PROXY_CONTROL: server.address });
  };
  assert.equal((await ask()).code, 0);
  const cases: readonly (readonly [Parameters<typeof ask>[0], RegExp])[] = [
    [
      { 'control-ca': write('other.pem', stranger.pem) },
      /cannot be reached: .*(?:certificate|issuer|signature)/,
    ],
    [{ 'token-file': write('wrong', 'wrong') }, /the token is another one\n {2}Give what the proxy asks for/],
    [{ 'token-file': '' }, /brings no token\n {2}Give what the proxy asks for: .*--token-file/],
    [{ 'control-cert': '', 'control-key': '' }, /^openshell: /],
  ];
  for (const [changes, message] of cases) {
    const { code, out, err } = await ask(changes);
    assert.deepEqual({ code, out }, { code: 2, out: '' }, JSON.stringify(changes));
    assert.match(err, message);
    assert.doesNotMatch(err, /mistake in OpenShell itself/);
  }
});
