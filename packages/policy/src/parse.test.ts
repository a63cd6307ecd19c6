import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { defaultPolicy } from './default-policy.ts';
import { policyHash } from './hash.ts';
import { POLICY_LIMITS } from './limits.ts';
import { parsePolicy } from './parse.ts';
import type { Policy } from './policy.ts';
import type { Notice, Problem } from './problem.ts';
import { POLICY_SCHEMA } from './schema/policy-schema.ts';
import { EVERY_CONSTRUCT } from './testing/every-construct.ts';
import { policyFrom } from './testing/policies.ts';

const problemsOf = (text: string): readonly Problem[] => {
  const result = parsePolicy(text, { file: 'p.yaml' });
  return result.ok ? [] : result.problems;
};

const noticesOf = (text: string): readonly Notice[] => {
  const result = parsePolicy(text);
  assert.ok(result.ok);
  return result.notices;
};

const place = ({ code, path, line, column }: Problem): string => `${code} ${path} ${line}:${column}`;

describe('the text of a policy', () => {
  const CASES: readonly (readonly [name: string, text: string, problems: readonly string[]])[] = [
    ['an empty file', '', ['empty_file  1:1']],
    ['only a comment', '# nothing\n', ['empty_file  1:1']],
    ['two documents', 'version: 1\n---\nversion: 1\n', ['yaml_documents  2:1']],
    ['a directive', '%YAML 1.1\n---\nversion: 1\n', ['yaml_directive  1:1']],
    ['an anchor', 'version: &v 1', ['yaml_anchor version 1:13']],
    ['an alias', 'version: 1\nprocess: *p', ['yaml_alias process 2:10']],
    ['a tag', 'version: !!int 1', ['yaml_tag version 1:16']],
    ['a merge key', 'version: 1\n<<: {}', ['unknown_field ["<<"] 2:1']],
    ['a repeated key', 'version: 1\nversion: 1', ['duplicate_key version 2:1']],
    ['a key that is a list', 'version: 1\n? [a]\n: b', ['bad_key  2:3']],
    ['an open bracket', 'version: [', ['yaml_syntax  1:11']],
    ['a list', '- version: 1', ['wrong_type  1:1']],
    ['a scalar', 'version', ['wrong_type  1:1']],
    ['no version', 'process: {}', ['missing_field version 1:1']],
    ['another version', 'version: 2', ['out_of_range version 1:10']],
    ['a version in quotes', 'version: "1"', ['wrong_type version 1:10']],
    ['a fraction', 'version: 1.5', ['wrong_type version 1:10']],
    ['an unknown field', 'version: 1\nlandlok: {}', ['unknown_field landlok 2:1']],
    [
      'a field of the prototype',
      'version: 1\nconstructor: {}\n__proto__: {}',
      ['unknown_field constructor 2:1', 'unknown_field __proto__ 3:1'],
    ],
    ['a list for a mapping', 'version: 1\nprocess: []', ['wrong_type process 2:10']],
    [
      'a text for a list',
      'version: 1\nfilesystem_policy: { read_only: /usr }',
      ['wrong_type filesystem_policy.read_only 2:33'],
    ],
    [
      'a number for a text',
      'version: 1\nprocess: { run_as_user: 1500 }',
      ['wrong_type process.run_as_user 2:25'],
    ],
    [
      'a text for a boolean',
      'version: 1\nfilesystem_policy: { include_workdir: yes }',
      ['wrong_type filesystem_policy.include_workdir 2:39'],
    ],
    [
      'an unknown word',
      'version: 1\nlandlock: { compatibility: besteffort }',
      ['not_allowed_value landlock.compatibility 2:28'],
    ],
    [
      'a control character',
      'version: 1\nfilesystem_policy: { read_only: ["/a\\nb"] }',
      ['control_character filesystem_policy.read_only[0] 2:34'],
    ],
    [
      'a path that is too long',
      `version: 1\nfilesystem_policy: { read_only: ["/${'ä'.repeat(2048)}"] }`,
      ['too_long filesystem_policy.read_only[0] 2:34'],
    ],
    [
      'a key that needs quotes in paths',
      'version: 1\nnetwork_policies: { a.b: { x: 1 } }',
      ['unknown_field network_policies["a.b"].x 2:28'],
    ],
    [
      'columns after wide characters',
      'version: 1\nprocess: { run_as_user: "ä", x: 1 }',
      ['bad_process_identity process.run_as_user 2:25', 'unknown_field process.x 2:30'],
    ],
  ];
  for (const [name, text, expected] of CASES) {
    test(`${name} is reported at its place`, () => assert.deepEqual(problemsOf(text).map(place), expected));
  }

  test('every problem says what is wrong, what to do, and in which file', () => {
    for (const [, text] of CASES) {
      for (const problem of problemsOf(text)) {
        assert.equal(problem.file, 'p.yaml');
        assert.match(problem.message, /[.?]$/);
        assert.match(problem.fix, /[.?]$/);
      }
    }
  });

  test('an unknown field suggests the nearest known one', () => {
    assert.match(problemsOf('version: 1\nnetwrok-policies: {}')[0]!.fix, /"network_policies"/);
    assert.match(problemsOf('version: 1\nzzz: {}')[0]!.fix, /^Known here: version, /);
  });

  test('all problems are reported, in the order of the file, and not more than the limit', () => {
    const two = problemsOf('version: 2\nprocess: { run_as_user: root }\nx: 1');
    assert.deepEqual(
      two.map(({ line }) => line),
      [1, 2, 3],
    );
    const many = problemsOf(
      `version: 1\n${Array.from({ length: 500 }, (_, index) => `x${index}: 1`).join('\n')}`,
    );
    assert.equal(many.length, POLICY_LIMITS.findings);
  });

  test('a file above the limit is not even parsed', () => {
    assert.deepEqual(problemsOf(`version: 1\n#${'x'.repeat(POLICY_LIMITS.fileBytes)}`).map(place), [
      'file_too_large  1:1',
    ]);
  });

  test('deep nesting is refused, however deep', () => {
    for (const depth of [POLICY_LIMITS.depth + 5, 5_000, 50_000]) {
      assert.ok(
        problemsOf(`version: 1\nnetwork_policies: ${'['.repeat(depth)}${']'.repeat(depth)}`).some(
          ({ code }) => code === 'too_deep',
        ),
      );
    }
  });

  test('aliases cannot be used to build a bomb', () => {
    const levels = Array.from(
      { length: 20 },
      (_, index) => `a${index + 1}: &a${index + 1} [*a${index}, *a${index}]`,
    );
    const codes = new Set(problemsOf(['a0: &a0 [x, x]', ...levels].join('\n')).map(({ code }) => code));
    assert.ok(codes.has('yaml_anchor') && codes.has('yaml_alias'));
  });

  test('nothing written counts as an empty mapping or list', () => {
    assert.equal(
      policyFrom('version: 1\nnetwork_policies:\nnetwork_middlewares:\n').networkPolicies.length,
      0,
    );
    assert.deepEqual(policyFrom('version: 1\nfilesystem_policy:\n  read_only:\n').filesystem.readOnly, []);
  });

  test('any text whatever gives a policy or problems', () => {
    const word = fc.constantFrom(
      'version: 1\n',
      'network_policies:',
      '  a:',
      ' endpoints: ',
      '[',
      ']',
      '{',
      '}',
      '- ',
      '\n',
      '"',
      '&a',
      '*a',
      '!!x',
      '#',
      ': ',
      'host',
      '?',
      '|',
      '%',
    );
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.array(word).map((words) => words.join('')),
        ),
        (text) => {
          const result = parsePolicy(text);
          assert.ok(result.ok || result.problems.length > 0);
        },
      ),
      { numRuns: 500 },
    );
  });

  test('any data whatever in any field gives a policy or problems', () => {
    const fields = ['network_policies', 'filesystem_policy', 'landlock', 'process', 'network_middlewares'];
    fc.assert(
      fc.property(fc.constantFrom(...fields), fc.jsonValue(), (field, value) => {
        const result = parsePolicy(JSON.stringify({ version: 1, [field]: value }));
        assert.ok(result.ok || result.problems.length > 0);
      }),
    );
  });
});

describe('an endpoint', () => {
  const word = fc.constantFrom(
    '',
    '*',
    '**',
    '/**',
    '/{a',
    '[',
    'a.com',
    '*.a.com',
    '10.1.0.0/16',
    '127.0.0.1',
    'GET',
    'tools/*',
    'tools/call',
  );
  const known = fc.constantFrom(
    'tcp',
    'rest',
    'websocket',
    'graphql',
    'json-rpc',
    'mcp',
    'sql',
    'skip',
    'full',
    'sigv4',
    'query',
    'audit',
  );
  const scalar = fc.oneof(word, known, fc.boolean(), fc.integer({ min: -1, max: 70_000 }), fc.constant(null));
  const fieldNames = [
    'method',
    'path',
    'query',
    'operation_type',
    'fields',
    'tool',
    'params',
    'command',
    'any',
    'glob',
    'name',
    'max_body_bytes',
  ];
  const shallow = fc.oneof(
    scalar,
    fc.array(scalar, { maxLength: 2 }),
    fc.dictionary(fc.constantFrom(...fieldNames), scalar, { maxKeys: 3 }),
  );
  const rule = fc.dictionary(fc.constantFrom(...fieldNames), shallow, { maxKeys: 3 });
  const value = fc.oneof(
    shallow,
    fc.array(rule, { maxLength: 2 }),
    fc.array(fc.record({ allow: rule }), { maxLength: 2 }),
  );
  const endpointNames = Object.keys(
    POLICY_SCHEMA.fields.network_policies.type.of.fields.endpoints.type.of.fields,
  );
  const endpoint = fc.dictionary(fc.constantFrom(...endpointNames), value, { maxKeys: 6 });

  test('with any values in its fields gives a policy or problems with places', () => {
    fc.assert(
      fc.property(fc.array(endpoint, { maxLength: 3 }), known, (endpoints, protocol) => {
        const typical = endpoints.map((one) => ({ host: 'a.com', port: 443, protocol, ...one }));
        const text = JSON.stringify({
          version: 1,
          network_policies: { a: { endpoints: typical, binaries: [{ path: '/x' }] } },
        });
        for (const problem of problemsOf(text))
          assert.ok(problem.line === 1 && problem.column && problem.code && problem.fix);
      }),
      { numRuns: 1500 },
    );
  });
});

describe('a policy', () => {
  test('that exercises every construct of the existing system loads', () => {
    const result = parsePolicy(EVERY_CONSTRUCT);
    assert.deepEqual(result.ok ? [] : result.problems, []);
    assert.ok(result.ok);
    assert.deepEqual(
      result.notices.map(({ code, path }) => `${code} ${path}`),
      ['enforcement_default network_policies.bucket.endpoints[0]'],
    );
    assert.equal(result.policy.networkPolicies.length, 8);
  });

  test('with nothing but a version is the default policy', () => {
    assert.deepEqual(policyFrom('version: 1'), defaultPolicy);
  });

  test('is frozen through and through', () => {
    const isFrozen = (value: unknown): boolean =>
      typeof value !== 'object' ||
      value === null ||
      (Object.isFrozen(value) && Object.values(value).every(isFrozen));
    assert.ok(isFrozen(policyFrom(EVERY_CONSTRUCT)));
    assert.ok(isFrozen(defaultPolicy));
  });

  test('is normalised: hosts, ports, paths, blocks and binaries', () => {
    const policy = policyFrom(`
version: 1
filesystem_policy: { read_only: [/usr/, //etc//x/./y, /usr] }
network_policies:
  a:
    endpoints: [{ host: API.Example.com., ports: [443, 80, 443], allowed_ips: ["10.1.2.3/8", 10.0.0.0/8], tls: auto }]
    binaries: [{ path: /b }, { path: /a }, { path: /b }]
`);
    assert.deepEqual(policy.filesystem.readOnly, ['/etc/x/y', '/usr']);
    const [network] = policy.networkPolicies;
    assert.deepEqual(network?.binaries, ['/a', '/b']);
    const [endpoint] = network!.endpoints;
    assert.equal(endpoint?.host, 'api.example.com');
    assert.deepEqual(endpoint?.ports, [80, 443]);
    assert.deepEqual(endpoint?.allowedIps, ['10.0.0.0/8']);
  });

  test('keeps the places of its keys and values', () => {
    const result = parsePolicy('version: 1\nnetwork_policies:\n  a: { name: x }\n');
    assert.ok(result.ok);
    assert.deepEqual(result.source.locate(['network_policies', 'a', 'name']), { line: 3, column: 14 });
    assert.deepEqual(result.source.locate(['network_policies', 'a', 'name'], 'key'), { line: 3, column: 8 });
    assert.deepEqual(result.source.locate(['network_policies', 'a', 'endpoints', 3]), { line: 3, column: 6 });
  });
});

describe('notices', () => {
  const endpoint = (fields: string) =>
    `version: 1\nnetwork_policies: { a: { endpoints: [{ ${fields} }], binaries: [{ path: /x }] } }`;
  const CASES: readonly (readonly [code: string, text: string])[] = [
    ['enforcement_default', endpoint('host: a.com, port: 443, protocol: rest, access: full')],
    ['enforcement_unused', endpoint('host: a.com, port: 443, enforcement: audit')],
    ['deprecated_value', endpoint('host: a.com, port: 443, tls: terminate')],
    ['deprecated_value', endpoint('host: a.com, port: 443, tls: passthrough')],
    ['unreachable_host', endpoint('host: 127.0.0.1, port: 443')],
    ['unreachable_host', endpoint('host: "::ffff:10.0.0.1", port: 443')],
    ['broad_address_block', endpoint('host: a.com, port: 443, allowed_ips: [10.0.0.0/8]')],
    ['deprecated_field', 'version: 1\nnetwork_policies: { a: { binaries: [{ path: /x, harness: true }] } }'],
    ['no_binaries', 'version: 1\nnetwork_policies: { a: { endpoints: [{ host: a.com, port: 1 }] } }'],
    ['reserved_key', 'version: 1\nnetwork_policies: { _provider_x: {} }'],
    ['landlock_default', 'version: 1\nfilesystem_policy: {}'],
    [
      'host_sockets',
      'version: 1\nlandlock: { compatibility: best_effort }\nfilesystem_policy: { read_only: [/run/docker.sock] }',
    ],
    [
      'host_sockets',
      'version: 1\nlandlock: { compatibility: best_effort }\nfilesystem_policy: { read_write: [/var] }',
    ],
    [
      'host_sockets',
      'version: 1\nlandlock: { compatibility: best_effort }\nfilesystem_policy: { read_only: [/] }',
    ],
  ];
  for (const [code, text] of CASES) {
    test(`${code}: ${text.split('\n').at(-1)}`, () =>
      assert.deepEqual(
        noticesOf(text).map((notice) => notice.code),
        [code],
      ));
  }

  test('a plain policy has none', () => {
    assert.deepEqual(noticesOf(endpoint('host: a.com, port: 443')), []);
    assert.deepEqual(
      noticesOf(
        'version: 1\nlandlock: { compatibility: best_effort }\nfilesystem_policy: { read_only: [/running, /usr] }',
      ),
      [],
    );
  });
});

describe('the hash', () => {
  const hashOf = (text: string) => policyHash(policyFrom(text));
  const base = 'version: 1\nnetwork_policies:\n  a: { endpoints: [{ host: a.com, port: 443 }] }\n  b: {}\n';

  test('is 64 hex digits', () => assert.match(hashOf(base), /^[0-9a-f]{64}$/));

  const SAME: readonly (readonly [string, string])[] = [
    [
      'the order of keys',
      'network_policies:\n  b: {}\n  a: { endpoints: [{ port: 443, host: a.com }] }\nversion: 1\n',
    ],
    [
      'formatting and comments',
      '# x\nversion: 1\nnetwork_policies: {a: {endpoints: [{"host": \'a.com\', port: 0x1bb}]}, b: {}}',
    ],
    ['defaults that are written out', `${base}network_middlewares: {}\nprocess: { run_as_user: "" }\n`],
    ['one way or the other to write one port', base.replace('port: 443', 'ports: [443]')],
  ];
  for (const [name, text] of SAME)
    test(`does not depend on ${name}`, () => assert.equal(hashOf(text), hashOf(base)));

  test('differs for every difference in meaning', () => {
    const others = [
      base.replace('443', '444'),
      base.replace('a.com', 'b.com'),
      base.replace('b: {}', 'c: {}'),
      'version: 1',
    ];
    assert.equal(new Set([base, ...others].map(hashOf)).size, others.length + 1);
  });

  test('is the same for a policy that went through JSON', () => {
    const policy = policyFrom(EVERY_CONSTRUCT);
    assert.equal(policyHash(JSON.parse(JSON.stringify(policy)) as Policy), policyHash(policy));
  });
});
