import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { type ProgramOptions, parseCommandLine } from './options.ts';
import { parseResolveRule } from './resolve-rule.ts';
import { GROUPS } from './table.ts';
import { usage } from './usage.ts';

describe('a resolve rule', () => {
  const good: [string, object][] = [
    ['a.example=127.0.0.1', { name: 'a.example', address: '127.0.0.1' }],
    ['A.Example.:80=127.0.0.1:81', { name: 'a.example', port: 80, address: '127.0.0.1', toPort: 81 }],
    ['a.example=[::1]:81', { name: 'a.example', address: '::1', toPort: 81 }],
    ['a.example:1=[::1]', { name: 'a.example', port: 1, address: '::1' }],
  ];
  for (const [text, rule] of good) test(text, () => assert.deepEqual(parseResolveRule(text), rule));

  for (const text of [
    'a.example',
    '=1.2.3.4',
    'a.example=',
    '1.2.3.4=1.2.3.4',
    'a.example=::1',
    '*.example=::1',
    'a:0=1.2.3.4',
    'a=1.2.3.4:70000',
  ]) {
    test(`${text} is refused`, () => assert.throws(() => parseResolveRule(text), { code: 'usage' }));
  }
});

const optionsOf = (text: string): ProgramOptions => {
  const line = parseCommandLine(text.split(' '));
  assert.ok(line.kind === 'serve');
  return line.options;
};

describe('the command line', () => {
  test('help is wanted before anything is missed', () => {
    assert.deepEqual(parseCommandLine(['--help']), { kind: 'help' });
    assert.deepEqual(parseCommandLine(['-h', '--policy', 'x']), { kind: 'help' });
    assert.deepEqual(parseCommandLine(['--version']), { kind: 'version' });
  });

  test('the help has every option, in lines that fit a terminal', () => {
    const text = usage();
    for (const { rows } of GROUPS)
      for (const [name, { alias }] of Object.entries(rows)) {
        assert.match(text, new RegExp(`^  --${name}\\b`, 'm'));
        if (alias !== undefined) assert.match(text, new RegExp(`--${alias}\\b`));
      }
    assert.deepEqual(
      text.split('\n').filter((line) => line.length > 120),
      [],
    );
  });

  const listens: readonly (readonly [string, object])[] = [
    ['127.0.0.1:3128', { kind: 'address', host: '127.0.0.1', port: 3128 }],
    ['[::1]:3128', { kind: 'address', host: '::1', port: 3128 }],
    [':3128', { kind: 'address', host: '::', port: 3128 }],
    ['fd:proxy', { kind: 'descriptor', name: 'proxy' }],
    ['fd:3', { kind: 'descriptor', name: '3' }],
  ];
  for (const [text, word] of listens)
    test(`listens at ${text}`, () => assert.deepEqual(optionsOf(`--listen ${text}`).listen, [word]));

  for (const text of [
    'here:80',
    '::1:80',
    '127.0.0.1',
    '127.0.0.1:70000',
    '[127.0.0.1',
    'fd:',
    'fd:a:b',
    ':x',
  ])
    test(`does not listen at ${text}`, () =>
      assert.throws(() => optionsOf(`--listen ${text}`), { code: 'usage', message: /--listen/ }));

  test('without a policy everything is denied to one tenant, unless a controller is to say who there is', () => {
    const one = optionsOf('--listen :1');
    assert.deepEqual([one.files, one.tenant, one.denyAll], [{ kind: 'none' }, 'openshell-proxy', false]);
    assert.equal(optionsOf('--listen :1 --control unix:/run/c').tenant, undefined);
    assert.equal(optionsOf('--listen :1 --control unix:/run/c --tenant build').tenant, 'build');
    assert.equal(optionsOf('--tenants t.yaml').tenant, undefined);
  });

  test('has the other name of an option too', () => {
    for (const name of ['routes', 'inference-routes'])
      assert.deepEqual(optionsOf(`--listen :1 --policy p --${name} r`).files, {
        kind: 'policy',
        policy: 'p',
        credentials: undefined,
        routes: 'r',
      });
  });

  test('controllers come by a socket of this machine, or with certificates', () => {
    const { control } = optionsOf(
      '--control unix:/run/c --control-uid 5 --control 10.0.0.1:99 --control-cert c --control-key k --control-client-ca a --control-client gw --control-token-file t',
    );
    assert.deepEqual(control, {
      where: [
        { kind: 'unix', path: '/run/c', uids: [5] },
        {
          kind: 'tcp',
          host: '10.0.0.1',
          port: 99,
          tls: { certificate: 'c', key: 'k', clientCa: 'a' },
          clients: ['gw'],
        },
      ],
      tokenFile: 't',
      sources: 'pushed',
    });
  });

  const wrong: readonly (readonly [string, RegExp])[] = [
    ['', /--listen ADDRESS:PORT is missing/],
    ['--policy p', /--policy means nothing without --listen/],
    ['--listen :1 --credentials c', /--credentials means nothing without --policy/],
    ['--listen :1 --policy p --policy q', /--policy is given twice/],
    ['--listen :1 --policy p --routes a --inference-routes b', /--routes is given twice/],
    ['--listen :1 --policy p --tenants t', /--policy and --tenants exclude each other/],
    ['--listen :1 --identity none --tenants t', /--identity and --tenants exclude each other/],
    ['--listen :1 --policy p --deny-all', /--deny-all and --policy exclude each other/],
    ['--listen :1 --identity magic', /--identity magic is not known/],
    ['--listen :1 --verbose', /--verbose/],
    ['--listen :1 extra', /extra/],
    ['--listen :1 --ca-cert c', /--ca-cert and --ca-key go together/],
    ['--listen :1 --ca-dir d --ca-cert c --ca-key k', /--ca-dir and --ca-cert exclude each other/],
    ['--listen :1 --ca-overlap 5', /--ca-overlap means nothing without --ca-cert or --ca-dir/],
    [
      '--control 127.0.0.1:1',
      /--control 127.0.0.1:1 needs --control-cert, --control-key and --control-client-ca/,
    ],
    ['--listen :1 --control-token-file t', /--control-token-file means nothing without --control/],
    ['--control unix:/c --control-uid root', /--control-uid root: not the number of a user/],
    ['--control unix:', /there is no path/],
    [
      '--link :1 --link-cert c --link-key k --link-client-ca a',
      /--link means nothing without --tenants or --control/,
    ],
    ['--tenants t --link :1', /--link means nothing without --link-cert/],
    ['--listen :1 --workers 0', /--workers 0: not a whole number from 1 to 64/],
    ['--listen :1 --drain-timeout 1.5', /--drain-timeout 1.5: not a whole number/],
    ['--listen :1 --log-format xml', /--log-format xml is not known/],
    ['--listen :1 --otlp-headers-file f', /--otlp-headers-file means nothing without --otlp-endpoint/],
    ['--listen :1 --resolve a=b', /--resolve a=b: .* no address/],
    ['--listen :1 --upstream-proxy http://user:hidden@proxy:1', /--upstream-proxy: this is not the address/],
    ['--listen :1 --upstream-no-proxy a.example', /no proxy is given that it could be about/],
  ];
  for (const [text, message] of wrong)
    test(`"${text}" is refused with the options named`, () =>
      assert.throws(
        () => parseCommandLine(text === '' ? [] : text.split(' ')),
        (thrown: Error & { code?: string }) => {
          assert.equal(thrown.code, 'usage');
          assert.match(thrown.message, message);
          assert.doesNotMatch(thrown.message, /hidden/);
          return true;
        },
      ));
});
