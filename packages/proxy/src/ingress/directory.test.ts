import assert from 'node:assert/strict';
import { hash } from 'node:crypto';
import { describe, test } from 'node:test';
import { sandboxId } from '@openshell/base';
import type { Recognition } from '@openshell/control';
import { field } from '../http/request-head.ts';
import { type SaidCredentials, saidBy } from './credentials.ts';
import { type Recognisable, TenantDirectory } from './directory.ts';

const tenant = (id: string): Recognisable => ({ id: sandboxId(id), adopt: () => {} });
const source = (network: string): Recognition => ({ kind: 'source', network });
const user = (username: string, password = 'secret'): Recognition => ({
  kind: 'credentials',
  username,
  passwordSha256: hash('sha256', password),
});

function whose(directory: TenantDirectory, address: string, said?: SaidCredentials): string {
  const recognised = directory.recognise(address, said);
  if (recognised.kind === 'owner') return recognised.owner.id;
  return recognised.kind === 'nobody' ? recognised.why : recognised.kind;
}

describe('a directory of tenants', () => {
  test('knows networks, the smallest first, in every form that an address comes in', () => {
    const directory = new TenantDirectory();
    directory.add(tenant('wide'), [source('10.0.0.0/8'), source('2001:db8::/32')]);
    directory.add(tenant('narrow'), [source('10.1.0.0/16'), source('2001:db8:1::/48')]);
    directory.add(tenant('host'), [source('10.1.2.3'), source('::ffff:192.0.2.0/120')]);
    const cases: [string, string][] = [
      ['10.9.9.9', 'wide'],
      ['10.1.9.9', 'narrow'],
      ['10.1.2.3', 'host'],
      ['::ffff:10.1.2.3', 'host'],
      ['192.0.2.77', 'host'],
      ['192.0.3.1', 'source_unknown'],
      ['2001:db8:1::9', 'narrow'],
      ['2001:db8:2::9', 'wide'],
      ['2001:db8:2::9%eth0', 'wide'],
      ['2001:db9::1', 'source_unknown'],
      ['no address', 'source_unknown'],
    ];
    for (const [address, expected] of cases) assert.equal(whose(directory, address), expected, address);
  });

  test('forgets a tenant whole, and only once', () => {
    const directory = new TenantDirectory();
    const forget = directory.add(tenant('a'), [source('10.0.0.0/8'), user('a')]);
    assert.equal(whose(directory, '192.0.2.1'), 'read');
    forget();
    assert.equal(whose(directory, '10.0.0.1'), 'source_unknown');
    directory.add(tenant('b'), [source('10.0.0.0/8'), user('a')]);
    forget();
    assert.equal(whose(directory, '10.0.0.1'), 'b');
  });

  const conflicts: [string, Recognition[]][] = [
    ['a network', [source('10.0.0.0/8')]],
    ['a network in another spelling', [source('10.7.0.0/8')]],
    ['a mapped network', [source('::ffff:10.0.0.0/104')]],
    ['everybody', [source('0.0.0.0/0')]],
    ['a user name', [user('a', 'another password')]],
    ['one of many things', [source('10.1.0.0/16'), user('b'), user('a')]],
  ];
  for (const [what, recognitions] of conflicts)
    test(`does not give ${what} to two tenants, and then nothing to the second`, () => {
      const directory = new TenantDirectory();
      directory.add(tenant('first'), [source('10.0.0.0/8'), source('0.0.0.0/0'), user('a')]);
      assert.throws(() => directory.add(tenant('second'), recognitions), { code: 'recognition_taken' });
      assert.equal(whose(directory, '10.1.0.1'), 'first');
      const said = { kind: 'given', username: 'b', password: 'secret' } as const;
      assert.equal(whose(directory, '192.0.2.1', said), 'credentials_wrong');
    });

  test('does not give one user name two passwords', () => {
    const twice = [user('a', 'x'), user('a', 'y')];
    assert.throws(() => new TenantDirectory().add(tenant('a'), twice), { code: 'recognition_taken' });
  });

  const invalid: [string, Recognition][] = [
    ['no network', source('10.0.0.0/33')],
    ['a name in the place of a network', source('example.com')],
    ['an empty user name', user('')],
    ['a user name with a colon', user('a:b')],
    ['a user name with a line', user('a\nb')],
    ['a user name that SOCKS5 has no room for', user('ü'.repeat(128))],
    ['a password in clear', { kind: 'credentials', username: 'a', passwordSha256: 'secret' }],
  ];
  for (const [what, recognition] of invalid)
    test(`refuses ${what}, without showing a password`, () => {
      assert.throws(
        () => new TenantDirectory().add(tenant('a'), [recognition]),
        (error: Error & { code?: string }) =>
          error.code === 'tenant_invalid' && !error.message.includes('secret'),
      );
    });

  const base64 = (text: string): string => Buffer.from(text).toString('base64');
  const fields: [string[], string][] = [
    [[], 'credentials_missing'],
    [[`Basic ${base64('a:secret')}`], 'a'],
    [[`bAsIc   ${base64('a:secret')}`], 'a'],
    [[`Basic ${base64('b:se:cr:et')}`], 'b'],
    [[`Basic ${base64('ü:ö')}`], 'c'],
    [[`Basic ${base64('a:secre')}`], 'credentials_wrong'],
    [[`Basic ${base64('A:secret')}`], 'credentials_wrong'],
    [[`Basic ${base64('nobody:secret')}`], 'credentials_wrong'],
    [[`Basic ${base64('a')}`], 'credentials_wrong'],
    [[`Basic ${base64('a:secret')}!`], 'credentials_wrong'],
    [['Basic'], 'credentials_wrong'],
    [['Bearer abc'], 'credentials_wrong'],
    [[`Basic ${base64('a:secret')}`, `Basic ${base64('a:secret')}`], 'credentials_wrong'],
  ];
  for (const [values, expected] of fields)
    test(`takes Proxy-Authorization ${JSON.stringify(values)} for ${expected}`, () => {
      const directory = new TenantDirectory();
      directory.add(tenant('a'), [user('a')]);
      directory.add(tenant('b'), [user('b', 'se:cr:et')]);
      directory.add(tenant('c'), [user('ü', 'ö')]);
      const head = { fields: values.map((value) => field('Proxy-Authorization', value)) };
      assert.equal(whose(directory, '192.0.2.1', saidBy(head)), expected);
    });
});
