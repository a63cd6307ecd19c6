import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { inspect } from 'node:util';
import { OpenShellError } from '@openshell/base';
import { NoProxy } from './no-proxy.ts';
import { UpstreamProxy } from './upstream-proxy.ts';

describe('destinations that are kept from the upstream proxy', () => {
  const cases: readonly (readonly [
    list: string,
    host: string,
    port: number,
    addresses: string[],
    direct: boolean,
  ])[] = [
    ['', 'example.com', 443, ['192.0.2.1'], false],
    ['*', 'example.com', 443, ['192.0.2.1'], true],
    ['example.com', 'example.com', 443, [], true],
    ['example.com', 'api.example.com', 443, [], true],
    ['example.com', 'badexample.com', 443, [], false],
    ['example.com', 'example.com.evil.test', 443, [], false],
    ['EXAMPLE.com', 'example.com', 443, [], true],
    ['.example.com', 'example.com', 443, [], false],
    ['.example.com', 'a.b.example.com', 443, [], true],
    ['*.example.com', 'example.com', 443, [], false],
    ['*.example.com', 'api.example.com', 443, [], true],
    ['example.com:8443', 'example.com', 8443, [], true],
    ['example.com:8443', 'example.com', 443, [], false],
    ['*:22', 'example.com', 22, [], true],
    ['*:22', 'example.com', 443, [], false],
    ['10.0.0.0/8', '10.1.2.3', 443, ['10.1.2.3'], true],
    ['10.0.0.0/8', 'in.example.com', 443, ['10.1.2.3', '10.4.5.6'], true],
    ['10.0.0.0/8', 'in.example.com', 443, ['10.1.2.3', '192.0.2.1'], false],
    ['10.0.0.0/8', 'in.example.com', 443, [], false],
    ['10.0.0.0/8:443', '10.1.2.3', 443, ['10.1.2.3'], true],
    ['192.0.2.1', '192.0.2.1', 80, ['192.0.2.1'], true],
    ['192.0.2.1:81', '192.0.2.1', 80, ['192.0.2.1'], false],
    ['2001:db8::/32', '2001:db8::1', 443, ['2001:db8::1'], true],
    ['[2001:db8::1]:443', '2001:db8::1', 443, ['2001:db8::1'], true],
    ['[2001:db8::1]:80', '2001:db8::1', 443, ['2001:db8::1'], false],
    ['a.test, b.test  c.test', 'c.test', 443, [], true],
  ];
  for (const [list, host, port, addresses, direct] of cases) {
    test(`${JSON.stringify(list)} ${direct ? 'covers' : 'leaves'} ${host}:${port} at ${addresses.join()}`, () => {
      const targets = addresses.map((address) => ({ address, port }));
      assert.equal(new NoProxy(list).covers(host, port, targets), direct);
    });
  }
  for (const list of [
    'a b:0',
    'example.com:99999',
    'a/b',
    '[example.com]:1',
    '10.0.0.0/99',
    'a..b',
    'x:y:z',
  ]) {
    test(`${JSON.stringify(list)} is refused`, () => {
      assert.throws(
        () => new NoProxy(list),
        (error) => error instanceof OpenShellError && error.code === 'bad_no_proxy',
      );
    });
  }
});

describe('the address of the upstream proxy', () => {
  const SECRET = 'hunter2';
  const good: readonly (readonly [string, string | undefined, string, string | undefined])[] = [
    ['http://proxy.test:3128', undefined, 'proxy.test:3128', undefined],
    ['http://proxy.test', undefined, 'proxy.test:80', undefined],
    ['http://[2001:db8::1]:3128/', undefined, '[2001:db8::1]:3128', undefined],
    [`http://me:${SECRET}@proxy.test:1`, undefined, 'proxy.test:1', `me:${SECRET}`],
    [`http://me:a%3Ab@proxy.test:1`, undefined, 'proxy.test:1', 'me:a:b'],
    ['http://proxy.test:1', `me:${SECRET}\n`, 'proxy.test:1', `me:${SECRET}`],
  ];
  for (const [url, auth, shown, credentials] of good) {
    test(`${url} is understood, and no print of it shows a password`, () => {
      const proxy = new UpstreamProxy({ url, ...(auth !== undefined && { auth }) });
      assert.equal(String(proxy), shown);
      const request = proxy.connectRequest('2001:db8::2', 443).toString('latin1');
      assert.match(request, /^CONNECT \[2001:db8::2\]:443 HTTP\/1\.1\r\nHost: \[2001:db8::2\]:443\r\n/);
      const sent = /Proxy-Authorization: Basic (.*)\r\n/.exec(request)?.[1];
      assert.equal(sent && Buffer.from(sent, 'base64').toString(), credentials);
      for (const text of [inspect(proxy, { showHidden: true, depth: 9 }), JSON.stringify(proxy)]) {
        assert.ok(!text.includes(SECRET) && !text.includes('Basic'));
      }
    });
  }

  const bad: readonly (readonly [string, string?])[] = [
    ['https://proxy.test:3128'],
    ['socks5://proxy.test:1080'],
    [`http://me:${SECRET}@proxy.test:1/path`],
    [`http://me:${SECRET}%ff@proxy.test:1`],
    [`http://me:${SECRET}%0aX-Injected:1@proxy.test:1`],
    [`me:${SECRET}@proxy.test`],
    ['http://proxy.test:1', SECRET],
    ['http://proxy.test:1', `me:${SECRET}\r\nX-Injected: 1`],
  ];
  for (const [index, [url, auth]] of bad.entries()) {
    test(`a wrong one (${index + 1}) is refused without its password in the message`, () => {
      assert.throws(
        () => new UpstreamProxy({ url, ...(auth !== undefined && { auth }) }),
        (error) =>
          error instanceof OpenShellError &&
          error.code === 'bad_upstream_proxy' &&
          !inspect(error).includes(SECRET),
      );
    });
  }
});
