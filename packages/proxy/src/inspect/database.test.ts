import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { eventLine } from '@openshell/audit';
import { Postgres, postgresPrograms, type Run } from '../sql/test-support/postgres.ts';
import { lookup } from '../test-support/dns-client.ts';
import { closeReason, Fixture, LOOPBACK, portOf } from '../test-support/fixture.ts';
import { policyOf } from '../test-support/inspected.ts';
import { UpstreamTrust } from '../tls/trust.ts';

const HOST = 'db.example';
const PORT = 5432;
const endpoint = (rest: string): string => `host: ${HOST}, port: ${PORT}, protocol: sql, ${rest}`;
const READ_ONLY = endpoint('enforcement: enforce, access: read-only');
const FULL = endpoint('enforcement: enforce, access: full');

const bin = postgresPrograms();
const skip = bin === undefined ? 'no PostgreSQL server is installed' : false;

describe('a database behind the proxy', { skip }, () => {
  let postgres: Postgres;

  before(async () => {
    postgres = await Postgres.start(bin!, HOST);
    const commands = [
      "create user scram password 'secret'",
      'create table items (id int primary key)',
      'insert into items select generate_series(1, 1000)',
      'grant all on items to scram',
    ];
    const made = await postgres.psql(postgres.port, commands);
    assert.equal(made.code, 0, made.stderr);
  });
  after(() => postgres?.[Symbol.asyncDispose]());

  const start = async (policy: string, operatorPem = postgres.certificates.authority): Promise<Fixture> => {
    const fixture = await Fixture.start({
      allow: [],
      settings: policyOf([policy]),
      overrides: [{ name: HOST, address: LOOPBACK, toPort: postgres.port }],
      upstream: { trust: new UpstreamTrust({ operatorPem: [operatorPem] }) },
    });
    writeFileSync(join(postgres.directory, 'sandbox.pem'), (await fixture.proxy.authority()).bundlePem);
    return fixture;
  };

  /** As a program in a sandbox: captured on its way to the name that it looked up, and without a word about proxies. */
  async function psql(
    fixture: Fixture,
    commands: readonly string[],
    more: Record<string, string> = {},
  ): Promise<Run> {
    fixture.captured = { address: await lookup(fixture, HOST), port: PORT };
    const environment = {
      PGHOST: HOST,
      PGSSLMODE: 'verify-full',
      PGSSLROOTCERT: join(postgres.directory, 'sandbox.pem'),
    };
    const options = { ...environment, PGCHANNELBINDING: 'disable', ...more };
    return postgres.psql(portOf(fixture.servers.capture), commands, options);
  }

  const SSL = 'select ssl from pg_stat_ssl where pid = pg_backend_pid()';

  test('answers a captured psql whose TLS is verified on both sides', async () => {
    await using fixture = await start(READ_ONLY);
    const login = { PGUSER: 'scram', PGPASSWORD: 'secret' };
    const result = await psql(fixture, ['select count(*) from items', SSL, 'select current_user'], login);
    assert.deepEqual(result, { code: 0, stdout: '1000\nt\nscram\n', stderr: '' });
    await fixture.tenant.close();
    const lines = fixture.sink.events.map(eventLine);
    assert.match(lines[0]!, /^NET:OPEN \[INFO\] ALLOWED curl\(12\) -> db.example:5432 /);
    assert.equal(lines.filter((line) => line.startsWith('NET:STATEMENT')).length, 3, lines.join('\n'));
    assert.match(lines.at(-1)!, /^NET:CLOSE .* in:\d+ out:\d+/);
  });

  test('refuses what the policy does not allow, in the words of the database, and goes on', async () => {
    await using fixture = await start(READ_ONLY);
    const result = await psql(fixture, ['delete from items', 'select count(*) from items', 'sh0w me']);
    assert.equal(result.stdout, '1000\n');
    assert.match(result.stderr, /ERROR: {2}OpenShell: .*DELETE/);
    assert.match(result.stderr, /HINT: {2}/);
    assert.deepEqual(
      fixture.refusals.map(({ code, host, subject }) => [code, host, subject]),
      [
        ['request_not_allowed', HOST, 'DELETE items'],
        ['request_malformed', HOST, undefined],
      ],
    );
  });

  test('is reached through CONNECT in the same way', async () => {
    await using fixture = await start(READ_ONLY);
    const front = createServer(async (socket) => {
      const tunnel = await fixture.tunnel(`${HOST}:${PORT}`);
      socket.pipe(tunnel).pipe(socket);
      socket.on('error', () => tunnel.destroy());
    });
    await once(front.listen(0, LOOPBACK), 'listening');
    const environment = {
      PGHOST: HOST,
      PGSSLMODE: 'require',
      PGSSLROOTCERT: join(postgres.directory, 'sandbox.pem'),
    };
    const result = await postgres.psql(portOf(front), ['select 1', 'drop table items'], environment);
    front.close();
    assert.equal(result.stdout, '1\n');
    assert.match(result.stderr, /ERROR: {2}OpenShell: /);
  });

  test('is not talked to when nobody vouches for it', async () => {
    await using fixture = await start(READ_ONLY, await Fixture.start({ allow: [] }).then(authorityOf));
    const result = await psql(fixture, ['select 1']);
    assert.match(result.stderr, /FATAL: {2}OpenShell: /);
    assert.equal(fixture.refusals[0]?.code, 'upstream');
  });

  test('is not connected at all for what is no such client', async () => {
    await using fixture = await start(READ_ONLY);
    const socket = await fixture.tunnel(`${HOST}:${PORT}`);
    socket.write('GET / HTTP/1.1\r\nHost: db.example\r\n\r\n');
    await closeReason(socket);
    assert.equal(fixture.refusals[0]?.code, 'sql_startup');
  });

  /** Runs psql until a statement is under way, changes the policy, and resolves with what psql said. */
  async function during(policy: string, next: string, commands: readonly string[]): Promise<[Run, Fixture]> {
    await using fixture = await start(policy);
    const running = new Promise<void>((resolve) => {
      const write = fixture.sink.write.bind(fixture.sink);
      fixture.sink.write = (event) => {
        if (eventLine(event).startsWith('NET:STATEMENT')) resolve();
        return write(event);
      };
    });
    const result = psql(fixture, commands);
    await running;
    fixture.tenant.apply(policyOf([next], 2));
    return [await result, fixture];
  }
  const SLOW = 'select pg_sleep(0.2)';

  test('goes on under a policy that still allows it, and is asked by that one', async () => {
    const [result] = await during(FULL, endpoint('enforcement: enforce, access: read-write'), [
      SLOW,
      'create table other (id int)',
    ]);
    assert.match(result.stderr, /ERROR: {2}OpenShell: CREATE TABLE/);
  });

  test('is given up when the new policy does not know it, or lets it only read', async () => {
    for (const next of ['host: other.example, port: 443', READ_ONLY]) {
      const [result, fixture] = await during(FULL, next, [SLOW]);
      assert.match(result.stderr, /closed the connection unexpectedly|SSL SYSCALL|SSL error/, next);
      await fixture.tenant.close();
      const { type_uid, status_detail } = fixture.sink.events.at(-1)!;
      assert.equal(type_uid, 400102);
      assert.match(String(status_detail), /generation 2: |only reading/);
    }
  });

  test('has its statements cancelled by the one who runs them, over a connection of its own', async () => {
    await using fixture = await start(FULL);
    fixture.captured = { address: await lookup(fixture, HOST), port: PORT };
    const write = fixture.sink.write.bind(fixture.sink);
    const words = ['-X', '-At', '-c', 'select pg_sleep(60)'];
    const environment = {
      ...{
        PATH: process.env.PATH,
        HOME: postgres.directory,
        PGHOST: HOST,
        PGHOSTADDR: LOOPBACK,
        PGUSER: 'admin',
      },
      ...{ PGDATABASE: 'postgres', PGPORT: String(portOf(fixture.servers.capture)), PGSSLMODE: 'require' },
    };
    const { promise, resolve } = Promise.withResolvers<string>();
    const child = execFile(join(bin!, 'psql'), words, { env: environment }, (_error, _out, stderr) =>
      resolve(stderr),
    );
    fixture.sink.write = (event) => {
      if (eventLine(event).startsWith('NET:STATEMENT')) child.kill('SIGINT');
      return write(event);
    };
    assert.match(await promise, /canceling statement due to user request/);
  });
});

async function authorityOf(fixture: Fixture): Promise<string> {
  const { bundlePem } = await fixture.proxy.authority();
  await fixture[Symbol.asyncDispose]();
  return bundlePem;
}
