import assert from 'node:assert/strict';
import { chmod, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { inspect } from 'node:util';
import { LIMITS } from '../limits.ts';
import { FileValue } from './file-value.ts';
import { isRefusal, type Refusal } from './injection.ts';
import { SecretValue } from './secret.ts';
import { SourcePool } from './source-pool.ts';
import type { CredentialSource } from './spec.ts';
import { storeOf } from './testing/store.ts';

const node = process.execPath;

function poolAt(clock: { now: number }, environment: Record<string, string> = {}): SourcePool {
  return new SourcePool({
    environment,
    now: () => clock.now,
    transport: () => Promise.reject(new Error('none')),
  });
}

async function textOf(pool: SourcePool, source: CredentialSource): Promise<string> {
  const value = await pool.source(source, 'TOKEN').get();
  assert.ok(!isRefusal(value), isRefusal(value) ? value.detail : '');
  return value.reveal();
}

async function refusalOf(pool: SourcePool, source: CredentialSource): Promise<Refusal> {
  const value = await pool.source(source, 'TOKEN').get();
  assert.ok(isRefusal(value));
  return value;
}

async function folder(): Promise<AsyncDisposable & { file(name: string): string }> {
  const path = await mkdtemp(join(tmpdir(), 'openshell-credentials-'));
  return {
    file: (name) => join(path, name),
    [Symbol.asyncDispose]: () => rm(path, { recursive: true }),
  };
}

test('a secret shows itself in no way but one', () => {
  const secret = new SecretValue('very-secret', 'TOKEN');
  for (const shown of [
    `${secret}`,
    JSON.stringify({ secret }),
    inspect(secret, { showHidden: true, depth: 9 }),
    inspect([secret]),
    Object.keys(secret).join(),
  ])
    assert.ok(!shown.includes('very-secret'), shown);
  assert.equal(secret.reveal(), 'very-secret');
  for (const bad of ['', 'a\rb', 'a\nb', 'a\0b', 'x'.repeat(LIMITS.credentialBytes.value + 1)])
    assert.throws(() => new SecretValue(bad, 'TOKEN'), { code: 'bad_secret' });
});

describe('a file', () => {
  test('is read without its last line break, and again when it changes', async () => {
    await using dir = await folder();
    const path = dir.file('token');
    await writeFile(path, 'first-value\n', { mode: 0o600 });
    const clock = { now: 0 };
    const pool = poolAt(clock);
    const source = { kind: 'file', path } as const;
    assert.equal(await textOf(pool, source), 'first-value');
    await writeFile(path, 'second-value');
    assert.equal(await textOf(pool, source), 'first-value');
    clock.now += LIMITS.credentialFileAge.value;
    assert.equal(await textOf(pool, source), 'second-value');
    const { known } = pool.source(source, 'TOKEN');
    assert.deepEqual(
      known.map((value) => value.reveal()),
      ['second-value', 'first-value'],
    );
  });

  test('that is gone, empty, too large, no file or holds two lines is no value, and says which file', async () => {
    await using dir = await folder();
    await writeFile(dir.file('empty'), '\n');
    await writeFile(dir.file('two'), 'one-secret\ntwo-secret\n');
    await writeFile(dir.file('large'), 'x'.repeat(LIMITS.credentialBytes.value + 1));
    for (const path of [
      dir.file('missing'),
      dir.file('empty'),
      dir.file('two'),
      dir.file('large'),
      '/dev/zero',
    ]) {
      const refusal = await refusalOf(poolAt({ now: 0 }), { kind: 'file', path });
      assert.equal(refusal.error, 'credential_unavailable');
      assert.ok(refusal.remedy.includes(path));
      assert.ok(!inspect(refusal).includes('-secret'));
    }
  });

  test('that others may read is used and noticed', async () => {
    await using dir = await folder();
    const path = dir.file('token');
    await writeFile(path, 'value-1', { mode: 0o600 });
    const spec = { name: 'TOKEN', source: { kind: 'file', path }, bindings: [{ host: 'a.test' }] } as const;
    assert.deepEqual(await storeOf([spec]).prepare(), []);
    await chmod(path, 0o644);
    assert.match((await storeOf([spec]).prepare())[0] ?? '', /mode 0644/);
    await rm(path);
    await assert.rejects(storeOf([spec]).prepare(), { code: 'credential_unavailable' });
  });

  test('is replaced as a whole, and is then the owner’s alone', async () => {
    await using dir = await folder();
    const path = dir.file('token');
    await writeFile(path, 'old-value', { mode: 0o644 });
    const file = new FileValue(path, 'TOKEN', () => 0);
    await file.get();
    await file.replace(new SecretValue('new-value', 'TOKEN'));
    assert.equal(await readFile(path, 'utf8'), 'new-value\n');
    assert.equal((await stat(path)).mode & 0o777, 0o600);
    const value = await file.get();
    assert.ok(!isRefusal(value) && value.reveal() === 'new-value');
  });
});

describe('a command', () => {
  const printing = (code: string): CredentialSource => ({
    kind: 'command',
    argv: [node, '-e', code],
    ttlSeconds: 60,
  });

  test('is run once for all who wait, and again when its time is over', async () => {
    const clock = { now: 0 };
    const pool = poolAt(clock);
    const source = printing('console.log(" value-" + process.pid + " ")');
    const values = await Promise.all([textOf(pool, source), textOf(pool, source)]);
    assert.match(values[0], /^value-\d+$/);
    assert.equal(values[1], values[0]);
    clock.now = 59_999;
    assert.equal(await textOf(pool, source), values[0]);
    clock.now = 60_000;
    assert.notEqual(await textOf(pool, source), values[0]);
  });

  for (const [name, source, detail] of [
    ['fails', printing('console.error("oops-secret"); process.exit(3)'), /ended with 3/],
    ['prints nothing', printing(''), /is empty/],
    ['prints two lines', printing('console.log("one-secret\\ntwo-secret")'), /line break/],
    ['prints too much', printing('process.stdout.write("x".repeat(200000))'), /too much/],
    ['does not exist', { kind: 'command', argv: ['/nowhere/program'] }, /could not be started/],
  ] as const) {
    test(`that ${name} is no value, and shows none of what it printed`, async () => {
      const refusal = await refusalOf(poolAt({ now: 0 }), source);
      assert.match(refusal.detail, detail);
      assert.ok(!inspect(refusal).includes('-secret'));
    });
  }

  test('that failed is not run again at once', async () => {
    await using dir = await folder();
    const log = dir.file('runs');
    const clock = { now: 0 };
    const pool = poolAt(clock);
    const source = printing(`require("fs").appendFileSync(${JSON.stringify(log)}, "x"); process.exit(1)`);
    await refusalOf(pool, source);
    await refusalOf(pool, source);
    assert.equal(await readFile(log, 'utf8'), 'x');
    clock.now += LIMITS.credentialRetryTime.value;
    await refusalOf(pool, source);
    assert.equal(await readFile(log, 'utf8'), 'xx');
  });
});

test('a source outlives the generation that described it, until none does', () => {
  const pool = poolAt({ now: 0 }, { A: 'value-1' });
  const spec = { kind: 'env', variable: 'A' } as const;
  const source = pool.source(spec, 'TOKEN');
  assert.equal(pool.source({ ...spec }, 'TOKEN'), source);
  pool.keepOnly([{ name: 'TOKEN', source: spec }]);
  assert.equal(pool.source(spec, 'TOKEN'), source);
  pool.keepOnly([]);
  assert.notEqual(pool.source(spec, 'TOKEN'), source);
});

test('in another environment a source is the same where its variables have the same values', () => {
  const pool = poolAt({ now: 0 });
  const token: CredentialSource = {
    kind: 'oauth2',
    grant: { type: 'refresh_token', refreshToken: { kind: 'env', variable: 'REFRESH' } },
    tokenUrl: 'https://issuer.test/token',
    clientId: 'me',
    clientSecret: { kind: 'env', variable: 'SECRET' },
  };
  const values = { REFRESH: 'r', SECRET: 's' };
  const first = pool.within(values).source(token, 'TOKEN');
  assert.equal(pool.within({ ...values, OTHER: 'o' }).source(token, 'TOKEN'), first);
  assert.notEqual(pool.within({ ...values, SECRET: 'new' }).source(token, 'TOKEN'), first);
  assert.notEqual(pool.within({ ...values, REFRESH: 'new' }).source(token, 'TOKEN'), first);
  assert.equal(pool.within(values).source(token, 'TOKEN'), first);
  pool.within({ ...values, SECRET: 'new' }).keepOnly([{ name: 'TOKEN', source: token }]);
  assert.notEqual(pool.within(values).source(token, 'TOKEN'), first);
});
