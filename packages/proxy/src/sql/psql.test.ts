import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { after, before, describe, test } from 'node:test';
import { connect as tlsConnect } from 'node:tls';
import { startupPacket } from './startup.ts';
import { makeCertificates, type TestCertificates } from './test-support/certificates.ts';
import { Postgres, postgresPrograms } from './test-support/postgres.ts';
import { SqlProxy, type SqlProxyOptions } from './test-support/sql-proxy.ts';
import { WirePeer } from './test-support/wire-peer.ts';
import { message } from './wire.ts';

const bin = postgresPrograms();
const skip = bin === undefined ? 'no PostgreSQL server is installed' : false;

describe('a real psql and a real server', { skip }, () => {
  let postgres: Postgres;
  let sandbox: TestCertificates;

  before(async () => {
    postgres = await Postgres.start(bin!);
    sandbox = makeCertificates(postgres.directory, 'sandbox');
    const made = await postgres.psql(postgres.port, [
      "create user scram password 'secret'",
      'create table items (id int primary key, name text)',
      "insert into items select n, 'item ' || n from generate_series(1, 1000) n",
      'grant all on items to scram',
    ]);
    assert.equal(made.code, 0, made.stderr);
    const tables = await postgres.run('pgbench', postgres.port, ['-i', '-q', '-I', 'dtgp']);
    assert.equal(tables.code, 0, tables.stderr);
  });
  after(() => postgres?.[Symbol.asyncDispose]());

  const proxy = (options: Partial<SqlProxyOptions> = {}): Promise<SqlProxy> =>
    SqlProxy.start({
      serverPort: postgres.port,
      leaf: sandbox,
      trust: postgres.certificates.authority,
      ...options,
    });
  const tls = () => ({ PGSSLMODE: 'verify-full', PGSSLROOTCERT: sandbox.authorityFile });

  test('reads through the intercepted TLS connection, and the server sees TLS too', async () => {
    await using through = await proxy();
    const ssl = 'select ssl from pg_stat_ssl where pid = pg_backend_pid()';
    const result = await postgres.psql(through.port, ['select count(*) from items', ssl], tls());
    assert.deepEqual(result, { code: 0, stdout: '1000\nt\n', stderr: '' });
  });

  test('a client that does not trust the sandbox is told so by its own library', async () => {
    await using through = await proxy();
    const environment = { ...tls(), PGSSLROOTCERT: postgres.certificates.authorityFile };
    const result = await postgres.psql(through.port, ['select 1'], environment);
    assert.equal(result.code, 2);
    assert.match(result.stderr, /certificate verify failed/);
  });

  test('a server that is not trusted is not talked to, and the client learns why', async () => {
    await using through = await proxy({ trust: sandbox.authority });
    const result = await postgres.psql(through.port, ['select 1'], tls());
    assert.match(result.stderr, /FATAL: {2}OpenShell: .*(certificate|signature)/);
  });

  test('a client without TLS still has it behind the proxy where the server is trusted', async () => {
    await using through = await proxy();
    const ssl = 'select ssl from pg_stat_ssl where pid = pg_backend_pid()';
    const plain = { PGSSLMODE: 'disable' };
    assert.equal((await postgres.psql(through.port, [ssl], plain)).stdout, 't\n');
    await using untrusting = await proxy({ trust: sandbox.authority });
    assert.equal((await postgres.psql(untrusting.port, [ssl], plain)).stdout, 'f\n');
  });

  describe('a password by SCRAM', () => {
    const login = { PGUSER: 'scram', PGPASSWORD: 'secret' };

    test('works without channel binding', async () => {
      await using through = await proxy();
      const environment = { ...tls(), ...login, PGCHANNELBINDING: 'disable' };
      const result = await postgres.psql(through.port, ['select current_user'], environment);
      assert.deepEqual(result, { code: 0, stdout: 'scram\n', stderr: '' });
    });

    test('with the preference for channel binding it fails with the way out, as no proxy can do it', async () => {
      await using through = await proxy();
      const result = await postgres.psql(through.port, ['select 1'], { ...tls(), ...login });
      assert.match(result.stderr, /channel binding.*is inspected.*HINT: {2}Set channel_binding=disable/s);
    });

    test('with the default sslmode=prefer it works, encrypted behind the proxy', async () => {
      await using through = await proxy();
      const ssl = 'select ssl from pg_stat_ssl where pid = pg_backend_pid()';
      const result = await postgres.psql(through.port, [ssl], login);
      assert.deepEqual(result, { code: 0, stdout: 't\n', stderr: '' });
    });

    test('with channel binding required psql says that it is not offered', async () => {
      await using through = await proxy();
      const environment = { ...tls(), ...login, PGCHANNELBINDING: 'require' };
      const result = await postgres.psql(through.port, ['select 1'], environment);
      assert.match(result.stderr, /channel binding is required/);
    });

    test('a wrong one is refused by the server in its own words', async () => {
      await using through = await proxy();
      const environment = { ...tls(), ...login, PGPASSWORD: 'wrong', PGCHANNELBINDING: 'disable' };
      const result = await postgres.psql(through.port, ['select 1'], environment);
      assert.match(result.stderr, /password authentication failed/);
    });
  });

  test('a refused statement is an error with reason, rule and hint, and the session goes on', async () => {
    await using through = await proxy({ effects: ['read'] });
    const result = await postgres.psql(
      through.port,
      ['delete from items', 'select count(*) from items'],
      tls(),
    );
    assert.equal(result.stdout, '1000\n');
    assert.match(
      result.stderr,
      /ERROR: {2}OpenShell: DELETE is not allowed\nDETAIL: {2}Decided by access.\nHINT: {2}Ask./,
    );
    assert.deepEqual(through.refused, ['DELETE']);
  });

  test('of several statements in one message none is executed when one is refused', async () => {
    await using through = await proxy({ effects: ['read', 'write'] });
    await postgres.psql(through.port, ["insert into items values (5000, 'x'); drop table items"], tls());
    const left = await postgres.psql(through.port, ['select count(*) from items'], tls());
    assert.equal(left.stdout, '1000\n');
  });

  test('a refusal aborts the transaction that it happens in, as any failing statement does', async () => {
    await using through = await proxy({ effects: ['read', 'write'] });
    const commands = [
      'begin',
      "insert into items values (6000, 'x')",
      'drop table items',
      'select 1',
      'commit',
    ];
    const result = await postgres.psql(through.port, commands, tls());
    assert.match(result.stderr, /DROP TABLE is not allowed.*current transaction is aborted/s);
    assert.equal(result.stdout, 'BEGIN\nINSERT 0 1\nROLLBACK\n');
  });

  test('read-only access is enforced by the server too: a function cannot write', async () => {
    const sql = 'create function sneaky() returns int language sql as $$ delete from items returning 1 $$';
    await postgres.psql(postgres.port, [sql]);
    await using through = await proxy({ effects: ['read'], readOnly: true });
    const result = await postgres.psql(
      through.port,
      ['select sneaky()', 'select count(*) from items'],
      tls(),
    );
    assert.match(result.stderr, /cannot execute DELETE in a read-only transaction/);
    assert.equal(result.stdout, '1000\n');
  });

  const escapes: [string, string][] = [
    ['SET', 'set default_transaction_read_only = off'],
    ['quoted names', 'set "Default_Transaction_Read_Only" = off'],
    ['SET TRANSACTION', 'set transaction read write'],
    ['BEGIN', 'begin read write'],
    ['session characteristics', 'set session characteristics as transaction read write'],
    ['a function', "select set_config('transaction_read_only', 'off', false)"],
    ['a CTE', 'with gone as (delete from items returning 1) select * from gone'],
    ['EXPLAIN ANALYZE', 'explain analyze delete from items'],
    ['SELECT INTO', 'select * into stolen from items'],
    ['a file', "copy items to '/tmp/openshell-stolen'"],
    ['a program', "copy items to program 'cat'"],
    ['DO', 'do $$ begin delete from items; end $$'],
  ];
  for (const [way, statement] of escapes) {
    test(`read-only access cannot be left by ${way}`, async () => {
      await using through = await proxy({ effects: ['read'], readOnly: true });
      const result = await postgres.psql(through.port, [statement], tls());
      assert.match(result.stderr, /ERROR: {2}OpenShell: /);
      assert.equal(through.refused.length, 1);
    });
  }

  for (const options of [
    '-c default_transaction_read_only=off',
    '--default-transaction-read-only=off',
    '-f i',
    '-c role=x',
  ]) {
    test(`the options ${options} are refused at the start`, async () => {
      await using through = await proxy({ effects: ['read'], readOnly: true });
      const result = await postgres.psql(through.port, ['select 1'], { ...tls(), PGOPTIONS: options });
      assert.match(result.stderr, /FATAL: {2}OpenShell: /);
    });
  }

  test('COPY goes in both directions', async () => {
    await using through = await proxy();
    const copied = await postgres.psql(through.port, ['copy items to stdout'], tls());
    assert.equal(copied.stdout.split('\n').length, 1001);
    const commands = [
      'create temp table t (n int)',
      "\\copy t from program 'seq 5000'",
      'select count(*) from t',
    ];
    assert.equal(
      (await postgres.psql(through.port, commands, tls())).stdout,
      'CREATE TABLE\nCOPY 5000\n5000\n',
    );
  });

  test('a large result comes through whole', async () => {
    await using through = await proxy();
    const sql = "select n, repeat('x', 1000) from generate_series(1, 20000) n";
    const result = await postgres.run(
      'psql',
      through.port,
      ['-X', '-At', '-o', '/dev/null', '-c', sql, '-c', '\\echo done'],
      tls(),
    );
    assert.deepEqual([result.code, result.stderr], [0, '']);
    await through.idle();
    assert.ok(through.results[0]!.in > 20_000_000);
  });

  test('SQL prepared statements are decided by what they hold', async () => {
    await using through = await proxy({ effects: ['read'] });
    const commands = ['prepare good (int) as select name from items where id = $1', 'execute good(7)'];
    const bad = 'prepare bad as delete from items';
    const result = await postgres.psql(through.port, [...commands, bad], tls());
    assert.equal(result.stdout, 'PREPARE\nitem 7\n');
    assert.deepEqual(through.refused, ['DELETE']);
  });

  for (const mode of ['simple', 'extended', 'prepared']) {
    for (const slowly of [false, true]) {
      test(`pgbench speaks ${mode} through it, decisions ${slowly ? 'later' : 'at once'}`, async () => {
        await using through = await proxy({ slowly });
        const words = ['-n', '-M', mode, '-c', '2', '-t', '10', '-b', 'simple-update'];
        const result = await postgres.run('pgbench', through.port, words, tls());
        assert.match(result.stdout, /number of transactions actually processed: 20\/20/);
        assert.deepEqual(through.refused, []);
      });
    }
  }

  test('Ctrl-C cancels the statement, and only that', async () => {
    await using through = await proxy();
    const running = through.recorded();
    const sleep = ['-X', '-At', '-c', 'select pg_sleep(60)', '-c', 'select 1'];
    const result = await postgres.run('psql', through.port, sleep, tls(), async (child) => {
      await running;
      child.kill('SIGINT');
    });
    assert.match(result.stderr, /canceling statement due to user request/);
  });

  test('TLS without a request needs the ALPN name, and then is as good', async () => {
    await using through = await proxy();
    const hello = { port: through.port, host: '127.0.0.1', servername: 'localhost', ca: sandbox.authority };
    const packet = startupPacket(new Map(Object.entries({ user: 'admin', database: 'postgres' })), 0);
    const direct = tlsConnect({ ...hello, ALPNProtocols: ['postgresql'] });
    await once(direct, 'secureConnect');
    const client = new WirePeer(direct);
    client.send(packet);
    assert.equal((await client.until('Z')).at(-1)?.type, 'Z');
    client.send(message('X'));
    await client.ended();
    const nameless = tlsConnect(hello);
    await once(nameless, 'secureConnect');
    const [error] = await new WirePeer(nameless).until('E');
    assert.match(error!.bytes.toString(), /needs the ALPN protocol/);
    nameless.destroy();
    direct.destroy();
  });

  test('a server without TLS is not used by a client that asks for it', async () => {
    const server = createServer((socket) =>
      socket.on('error', () => {}).once('data', () => socket.write('N')),
    );
    await once(server.listen(0, '127.0.0.1'), 'listening');
    await using through = await proxy({ serverPort: (server.address() as AddressInfo).port });
    const result = await postgres.psql(through.port, ['select 1'], tls());
    assert.match(result.stderr, /localhost offers no TLS.*HINT/s);
    server.close();
  });

  test('pg_dump works over a read-only connection', async () => {
    await using through = await proxy({ effects: ['read', 'other'], readOnly: true });
    const result = await postgres.run('pg_dump', through.port, ['-t', 'items'], tls());
    assert.equal(result.code, 0, result.stderr);
    assert.match(result.stdout, /item 1000/);
  });
});
