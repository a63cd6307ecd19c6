import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { formatFinding } from '@openshell/policy';
import { parseTenants } from './tenants-file.ts';

const HASH = 'ab'.repeat(32);

const problemsOf = (text: string): readonly string[] => {
  const result = parseTenants(text, 'tenants.yaml', '/etc/proxy');
  return result.ok ? [] : result.problems.map(formatFinding);
};

describe('a file of tenants', () => {
  test('says who is recognised by what, with files relative to itself', () => {
    const result = parseTenants(
      `tenants:
  - id: build
    identity: none
    policy: build.yaml
    credentials: ../secrets/build.yaml
    recognised_by:
      - { listen: ":3129" }
      - { username: build, password_sha256: ${HASH} }
      - { source: 10.1.0.0/16 }
    limits: { connections: 10, held_bytes: 100, events_per_second: 5 }
  - id: node-1
    policy: /srv/node.yaml
    recognised_by: [{ certificate: "spiffe://example/node-1" }]
  - id: mixed
    recognised_by: [{ certificate: node-1.example }, { source: 10.1.2.0/24 }]
`,
      'tenants.yaml',
      '/etc/proxy',
    );
    assert.ok(result.ok);
    const [build, node, mixed] = result.tenants;
    assert.deepEqual(build, {
      id: 'build',
      recognitions: [
        { kind: 'listener', host: '::', port: 3129 },
        { kind: 'credentials', username: 'build', passwordSha256: HASH },
        { kind: 'source', network: '10.1.0.0/16' },
      ],
      programs: 'any',
      policy: '/etc/proxy/build.yaml',
      credentials: '/etc/secrets/build.yaml',
      routes: undefined,
      limits: { connections: 10, heldBytes: 100, eventsPerSecond: 5 },
    });
    assert.deepEqual([node?.programs, node?.policy], ['told-apart', '/srv/node.yaml']);
    // Where one way brings no evidence, policy may not count on any.
    assert.deepEqual([mixed?.programs, mixed?.policy], ['unnamed', undefined]);
  });

  const one = (recognition: string, rest = ''): string =>
    `tenants:\n  - id: a\n    recognised_by: [${recognition}]\n${rest}`;
  const wrong: readonly [what: string, text: string, expected: RegExp][] = [
    ['an unknown key', 'tenants: []\nothers: 1\n', /^tenants\.yaml:2:1: /],
    ['no way to be recognised', 'tenants:\n  - id: a\n', /tenants\.yaml:2:5: .*recognised_by/],
    ['two ways in one entry', one('{ listen: ":1", source: "10.0.0.0/8" }'), /:3:21: .*Several ways/],
    ['an entry that says nothing', one('{}'), /:3:21: .*says nothing/],
    ['no hash', one('{ username: a }'), /:3:21: .*go together/],
    [
      'a password in the place of its hash',
      one('{ username: a, password_sha256: hunter2 }'),
      /:3:53: .*no SHA-256/,
    ],
    ['a colon in a user name', one(`{ username: "a:b", password_sha256: ${HASH} }`), /:3:33: .*user name/],
    ['a name in the place of an address', one('{ listen: "localhost:1" }'), /:3:31: .*no address/],
    ['a bad range', one('{ source: 10.0.0.0/33 }'), /:3:31: .*no range/],
    [
      'a bad name',
      'tenants: [{ id: "../a", recognised_by: [{ listen: ":1" }] }]\n',
      /:1:17: .*cannot be the name/,
    ],
    [
      'two of one name',
      `${one('{ listen: ":1" }')}  - id: a\n    recognised_by: [{ listen: ":2" }]\n`,
      /:4:9: .*another tenant "a"/,
    ],
    [
      'two of one address',
      `${one('{ source: "10.0.0.1/8" }')}  - id: b\n    recognised_by: [{ source: "10.0.0.0/8" }]\n`,
      /^tenants\.yaml:.*(Tenant "a" is recognised by the same source|no range)/,
    ],
    [
      'credentials without a policy',
      one('{ listen: ":1" }', '    credentials: c.yaml\n'),
      /:4:5: .*no policy/,
    ],
  ];
  for (const [what, text, expected] of wrong)
    test(`with ${what} is refused at its place`, () => {
      const problems = problemsOf(text);
      assert.equal(problems.length, 1, problems.join('\n'));
      assert.match(problems[0]!, expected);
      assert.doesNotMatch(problems[0]!, /hunter2/);
    });

  test('with several mistakes says all of them', () => {
    assert.equal(problemsOf('tenants:\n  - { id: "", recognised_by: [{ source: x }] }\n  - 5\n').length, 3);
  });
});
