import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { generation } from '@openshell/base';
import type { Evidence } from '../engine.ts';
import { intentFor, policyFrom, processEvidence } from '../testing/policies.ts';
import { type CompileOptions, compilePolicy } from './compile.ts';
import { explain } from './explain.ts';

const POLICY = `
version: 1
network_policies:
  git:
    name: z-git
    endpoints:
      - { host: github.com, port: 443 }
      - { host: "*.githubusercontent.com", ports: [443, 8443] }
    binaries: [{ path: /usr/bin/git }, { path: "/opt/tools/**" }]
  mirror:
    name: a-mirror
    endpoints: [{ host: "**.githubusercontent.com", port: 443 }, { host: raw.githubusercontent.com, port: 443 }]
    binaries: [{ path: /usr/bin/git }]
  lan:
    endpoints: [{ port: 9000, allowed_ips: ["10.1.0.0/16"], tls: skip }]
    binaries: [{ path: "/**" }]
  address:
    endpoints: [{ host: "[2001:DB8::0:1]", port: 80 }, { host: 192.168.0.9, port: 80 }]
    binaries: [{ path: /usr/bin/curl }]
  nobody:
    endpoints: [{ host: nobody.example.com, port: 443 }]
`;

const engineOf = (text: string, options?: CompileOptions) =>
  compilePolicy(policyFrom(text), generation(4), options);
const engine = engineOf(POLICY);
const UNKNOWN: Evidence = { kind: 'unknown', reason: 'the socket has gone' };

describe('the built-in engine', () => {
  const CASES: readonly (readonly [host: string, port: number, who: string | Evidence, answer: string])[] = [
    ['github.com', 443, '/usr/bin/git', 'z-git git[0]'],
    ['github.com', 443, '/opt/tools/a/b', 'z-git git[0]'],
    ['github.com', 443, '/opt/tools', 'binary_not_allowed'],
    ['github.com', 444, '/usr/bin/git', 'endpoint_not_allowed'],
    ['a.github.com', 443, '/usr/bin/git', 'endpoint_not_allowed'],
    ['github.com.evil.com', 443, '/usr/bin/git', 'endpoint_not_allowed'],
    ['github.com', 443, '/usr/bin/curl', 'binary_not_allowed'],
    ['github.com', 443, '/usr/bin/git/x', 'binary_not_allowed'],
    ['github.com', 443, processEvidence('/usr/bin/ssh', ['/bin/sh', '/usr/bin/git']), 'z-git git[0]'],
    ['github.com', 443, processEvidence('/usr/bin/ssh', ['/bin/sh']), 'binary_not_allowed'],
    ['github.com', 443, processEvidence('/tmp/evil', [], ['/usr/bin/git', 'clone']), 'binary_not_allowed'],
    ['github.com', 443, UNKNOWN, 'identity_unknown'],
    ['example.com', 443, UNKNOWN, 'endpoint_not_allowed'],
    ['x.githubusercontent.com', 443, '/usr/bin/git', 'a-mirror mirror[0]'],
    ['x.githubusercontent.com', 443, '/opt/tools/x', 'z-git git[1]'],
    ['x.githubusercontent.com', 8443, '/usr/bin/git', 'z-git git[1]'],
    ['x.y.githubusercontent.com', 443, '/usr/bin/git', 'a-mirror mirror[0]'],
    ['x.y.githubusercontent.com', 443, '/opt/tools/x', 'binary_not_allowed'],
    ['githubusercontent.com', 443, '/usr/bin/git', 'endpoint_not_allowed'],
    ['anything.example.com', 9000, '/x', 'lan lan[0]'],
    ['8.8.8.8', 9000, '/x', 'lan lan[0]'],
    ['2001:db8::1', 80, '/usr/bin/curl', 'address address[0]'],
    ['192.168.0.9', 80, '/usr/bin/curl', 'address address[1]'],
    ['192.168.0.8', 80, '/usr/bin/curl', 'endpoint_not_allowed'],
    ['nobody.example.com', 443, '/usr/bin/curl', 'binary_not_allowed'],
    ['', 443, '/usr/bin/git', 'endpoint_not_allowed'],
    ['constructor', 443, '/usr/bin/git', 'endpoint_not_allowed'],
  ];
  for (const [host, port, who, answer] of CASES) {
    const name =
      typeof who === 'string'
        ? who
        : who.kind === 'unknown'
          ? 'unknown'
          : `${who.executable.path} below ${who.ancestors.map(({ path }) => path)}`;
    test(`${host}:${port} by ${name}: ${answer}`, () => {
      const decision = engine.authorizeConnect(intentFor(host, port, who));
      const shown =
        decision.action === 'allow'
          ? `${decision.policy} ${decision.endpoint.policy}[${decision.endpoint.index}]`
          : decision.code;
      assert.equal(shown, answer);
      assert.equal(decision.generation, 4);
    });
  }

  test('says where to go and how to treat TLS', () => {
    const at = (host: string, port: number) => {
      const decision = engine.authorizeConnect(intentFor(host, port, '/usr/bin/git'));
      return decision.action === 'allow' ? [decision.destination, decision.tls] : [];
    };
    assert.deepEqual(at('github.com', 443), [{ exactHost: true }, 'auto']);
    assert.deepEqual(at('x.githubusercontent.com', 443), [{ exactHost: false }, 'auto']);
    assert.deepEqual(at('x.example.com', 9000), [{ exactHost: false, allowedIps: ['10.1.0.0/16'] }, 'skip']);
  });

  test('a host is exact when any matching endpoint names it, whichever policy is reported', () => {
    const decision = engine.authorizeConnect(intentFor('raw.githubusercontent.com', 443, '/usr/bin/git'));
    assert.ok(decision.action === 'allow');
    assert.deepEqual([decision.endpoint.index, decision.destination.exactHost], [0, true]);
  });

  test('but not when only an endpoint for other programs names it', () => {
    const decision = engine.authorizeConnect(intentFor('raw.githubusercontent.com', 443, '/opt/tools/x'));
    assert.ok(decision.action === 'allow' && decision.policy === 'z-git');
    assert.equal(decision.destination.exactHost, false);
  });

  test('without network policies everything is no_policy', () => {
    const decision = engineOf('version: 1').authorizeConnect(intentFor('github.com', 443, '/usr/bin/git'));
    assert.ok(decision.action === 'deny' && decision.code === 'no_policy');
  });

  test('a binary that is a link admits what it leads to; patterns are not resolved', () => {
    const links: Readonly<Record<string, string>> = {
      '/usr/bin/git': '/usr/lib/git-2/git',
      '/opt/tools/**': '/evil',
    };
    const resolving = engineOf(POLICY, { resolveBinaryPath: (path) => links[path] });
    const action = (path: string) => resolving.authorizeConnect(intentFor('github.com', 443, path)).action;
    assert.deepEqual(['/usr/bin/git', '/usr/lib/git-2/git', '/evil'].map(action), ['allow', 'allow', 'deny']);
  });

  test('without required identity unknown programs and policies without binaries are allowed, known programs still held to theirs', () => {
    const relaxed = engineOf(POLICY, { identity: 'not-required' });
    const action = (host: string, who: string | Evidence) =>
      relaxed.authorizeConnect(intentFor(host, 443, who)).action;
    assert.equal(action('github.com', UNKNOWN), 'allow');
    assert.equal(action('nobody.example.com', UNKNOWN), 'allow');
    assert.equal(action('nobody.example.com', '/usr/bin/curl'), 'allow');
    assert.equal(action('github.com', '/usr/bin/curl'), 'deny');
    assert.equal(action('example.com', UNKNOWN), 'deny');
  });
});

describe('what DNS and capture may offer', () => {
  const withoutLan = engineOf(POLICY.replace(/ {2}lan:[\s\S]*? {2}address:/, '  address:'));
  const NAMES: readonly (readonly [string, boolean])[] = [
    ['github.com', true],
    ['a.githubusercontent.com', true],
    ['a.b.githubusercontent.com', true],
    ['githubusercontent.com', false],
    ['example.com', false],
    ['nobody.example.com', false],
    ['192.168.0.9', false],
  ];
  for (const [name, could] of NAMES)
    test(`${name}: ${could}`, () => assert.equal(withoutLan.couldAllowName(name), could));

  test('an endpoint for any host could allow every name', () =>
    assert.ok(engine.couldAllowName('example.com')));

  const ADDRESSES: readonly (readonly [string, number, boolean])[] = [
    ['192.168.0.9', 80, true],
    ['192.168.0.9', 81, false],
    ['2001:db8:0::1', 80, true],
    ['10.1.2.3', 9000, true],
    ['10.2.2.3', 9000, false],
    ['10.1.2.3', 9001, false],
    ['github.com', 443, false],
    ['', 80, false],
  ];
  for (const [address, port, could] of ADDRESSES) {
    test(`${address}:${port}: ${could}`, () => assert.equal(engine.couldAllowAddress(address, port), could));
  }
});

describe('denials', () => {
  const denial = (host: string, port: number, who: string | Evidence) => {
    const decision = engine.authorizeConnect(intentFor(host, port, who));
    assert.ok(decision.action === 'deny');
    return decision;
  };

  test('name the policy that has the endpoint and the line that adds the program', () => {
    const { policy, reason, remedy } = denial('github.com', 443, '/usr/bin/curl');
    assert.equal(policy, 'z-git');
    assert.match(reason, /"z-git" allows github\.com:443, but not for \/usr\/bin\/curl/);
    assert.equal(remedy, 'Add to network_policies.git.binaries: - { path: /usr/bin/curl }');
  });

  test('the policy that they propose loads and allows exactly this', () => {
    const places = [
      ['db.example.com', 5432],
      ['2606:4700::1', 443],
      ['1.1.1.1', 53],
      ['1e3.example.com', 1],
      ['true', 1],
    ] as const;
    for (const [host, port] of places) {
      for (const program of ['/usr/bin/curl', '/opt/a b/{x}: #y*', '/opt/"q"\\', '/opt/[a]?,']) {
        const { remedy } = denial(host, port, program);
        const text = `version: 1\nnetwork_policies:\n  ${remedy.replace('Add to network_policies: ', '')}`;
        const proposed = engineOf(text);
        assert.equal(proposed.authorizeConnect(intentFor(host, port, program)).action, 'allow', text);
        assert.equal(proposed.authorizeConnect(intentFor(host, port + 1, program)).action, 'deny');
      }
    }
  });

  test('say why a program is not known', () =>
    assert.match(denial('github.com', 443, UNKNOWN).reason, /not known: the socket has gone/));
  test('write IPv6 addresses in brackets', () =>
    assert.match(denial('2606:4700::1', 443, '/x').reason, /\[2606:4700::1\]:443/));
});

describe('explanations', () => {
  const steps = (
    subject: Parameters<typeof explain>[0],
    host: string,
    port: number,
    who: string | Evidence,
  ) =>
    explain(subject, intentFor(host, port, who)).considered.map(
      ({ endpoint, step }) => `${step} ${endpoint.policy}[${endpoint.index}]`,
    );

  test('name every endpoint, the nearest first', () => {
    const all = steps(engine, 'x.githubusercontent.com', 443, '/opt/tools/x');
    assert.deepEqual(all.slice(0, 3), ['matched git[1]', 'binary mirror[0]', 'port lan[0]']);
    assert.equal(all.length, 8);
    assert.deepEqual(steps(policyFrom(POLICY), 'x.githubusercontent.com', 443, '/opt/tools/x'), all);
  });

  test('agree with the decision', () => {
    for (const host of ['github.com', 'nobody.example.com', 'example.com', 'raw.githubusercontent.com']) {
      for (const who of ['/usr/bin/git', '/x', UNKNOWN]) {
        const { decision, considered } = explain(engine, intentFor(host, 443, who));
        assert.equal(
          decision.action === 'allow',
          considered.some(({ step }) => step === 'matched'),
        );
      }
    }
  });

  test('give the program that matched, and what it was compared with', () => {
    const why = (who: Evidence | string) =>
      explain(engine, intentFor('github.com', 443, who)).considered[0]!.why;
    assert.match(why(processEvidence('/x', ['/usr/bin/git'])), /and \/usr\/bin\/git match/);
    assert.match(why('/x'), /none of \/x is among \/opt\/tools\/\*\*, \/usr\/bin\/git/);
    assert.match(why(UNKNOWN), /not known: the socket has gone/);
  });
});
