import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { ResolveRule } from '@openshell/sandbox';
import { expectError } from '../test/expect-error.ts';
import { orderResolveRules, parseResolveRule } from './resolve-rule.ts';

describe('a rule about where a name lives', () => {
  const cases: readonly [text: string, rule: ResolveRule][] = [
    ['api.test=127.0.0.1', { name: 'api.test', address: '127.0.0.1' }],
    ['api.test:443=127.0.0.1', { name: 'api.test', port: 443, address: '127.0.0.1' }],
    ['api.test=127.0.0.1:8443', { name: 'api.test', address: '127.0.0.1', toPort: 8443 }],
    ['API.Test.:443=[::1]:8443', { name: 'api.test', port: 443, address: '::1', toPort: 8443 }],
    ['localhost=[2001:DB8:0:0::0001]', { name: 'localhost', address: '2001:db8::1' }],
    ['_db._tcp.x=10.0.0.1', { name: '_db._tcp.x', address: '10.0.0.1' }],
    ['xn--bcher-kva.test=10.0.0.1', { name: 'xn--bcher-kva.test', address: '10.0.0.1' }],
    ['a:1=1.2.3.4:65535', { name: 'a', port: 1, address: '1.2.3.4', toPort: 65535 }],
  ];
  for (const [text, rule] of cases) {
    test(`is read: ${text}`, () => assert.deepEqual(parseResolveRule(text, '--resolve'), rule));
  }

  const mistakes: readonly [text: string, message: RegExp][] = [
    ['api.test', /--resolve: 'api.test': there is no =\nWrite NAME/],
    ['=1.2.3.4', /the name is missing/],
    [':443=1.2.3.4', /the name is missing/],
    ['api.test=', /the address is missing/],
    ['api.test=other.test', /'other.test' is not an address/],
    ['api.test=127.1', /'127.1' is not an address/],
    ['api.test=0x7f000001', /is not an address/],
    ['api.test=010.0.0.1', /is not an address/],
    ['api.test=::1', /an IPv6 address stands in brackets/],
    ['api.test=[::1', /is not an address/],
    ['api.test=[]', /'' is not an IPv6 address/],
    ['api.test=[127.0.0.1]', /is not an IPv6 address/],
    ['api.test=[fe80::1%eth0]', /'fe80::1%eth0' is not an IPv6 address/],
    ['api.test=[::1]8443', /is not an address/],
    ['api.test=[::1]:', /'' is not a port/],
    ['api.test:0=1.2.3.4', /'0' is not a port \(1 to 65535\)/],
    ['api.test:65536=1.2.3.4', /'65536' is not a port/],
    ['api.test:+1=1.2.3.4', /'\+1' is not a port/],
    ['api.test:https=1.2.3.4', /'https' is not a port/],
    ['api.test=1.2.3.4:99999', /'99999' is not a port/],
    ['1.2.3.4=1.2.3.4', /stands a name, not an address/],
    ['[::1]=1.2.3.4', /stands a name, not an address/],
    ['*.test=1.2.3.4', /not for a pattern/],
    ['a..test=1.2.3.4', /'a..test' is not a host name/],
    ['127.1=1.2.3.4', /is not a host name/],
    ['a.0x7f=1.2.3.4', /is not a host name/],
    ['-a.test=1.2.3.4', /is not a host name/],
    ['a b=1.2.3.4', /is not a host name/],
    ['bücher.test=1.2.3.4', /is not a host name/],
    [`${'a'.repeat(64)}.test=1.2.3.4`, /is not a host name/],
    [`${'a.'.repeat(127)}a=1.2.3.4`, /is not a host name/],
  ];
  for (const [text, message] of mistakes) {
    test(`is refused: ${text.slice(0, 40)}`, () =>
      expectError(() => parseResolveRule(text, '--resolve'), message));
  }
});

describe('the order of the rules', () => {
  const rule = (text: string): ResolveRule => parseResolveRule(text, '');

  test('has the command line first, and in each source the rules with a port', () => {
    const ordered = orderResolveRules(
      [rule('a=1.1.1.1'), rule('a:443=2.2.2.2')],
      [rule('a=3.3.3.3'), rule('a:80=4.4.4.4')],
    );
    assert.deepEqual(
      ordered.map(({ address }) => address),
      ['2.2.2.2', '1.1.1.1', '4.4.4.4', '3.3.3.3'],
    );
  });

  test('refuses two rules for the same name and port of one source', () => {
    expectError(
      () => orderResolveRules([rule('a:1=1.1.1.1'), rule('A.:1=1.1.1.2')], []),
      /--resolve: there are two rules for a:1/,
    );
    expectError(() => orderResolveRules([], [rule('a=1.1.1.1'), rule('a=1.1.1.1')]), /two rules for a\n/);
  });
});
