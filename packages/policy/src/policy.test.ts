import assert from 'node:assert/strict';
import { readdir, readFile } from 'node:fs/promises';
import { describe, test } from 'node:test';
import { withBaseline } from './baseline.ts';
import { defaultPolicy } from './default-policy.ts';
import { diffPolicy } from './diff.ts';
import { inspectedParts } from './inspection.ts';
import { parsePolicy } from './parse.ts';
import { EVERY_CONSTRUCT } from './testing/every-construct.ts';
import { policyFrom } from './testing/policies.ts';

describe('the example policies', async () => {
  const folder = new URL('../../../examples/policies/', import.meta.url);
  const files = (await readdir(folder)).filter((name) => name.endsWith('.yaml'));

  test('are several', () => assert.ok(files.length >= 4));
  for (const file of files) {
    test(`${file} loads without notices`, async () => {
      const result = parsePolicy(await readFile(new URL(file, folder), 'utf8'), { file });
      assert.deepEqual(result.ok ? result.notices : result.problems, []);
    });
  }
});

describe('what makes requests be inspected', () => {
  const endpoint = (fields: string) =>
    `version: 1\nnetwork_policies: { a: { endpoints: [{ host: a.com, port: 443, ${fields} }], binaries: [{ path: /x }] } }`;
  const CASES: readonly (readonly [fields: string, ...needed: string[]])[] = [
    ['tls: skip'],
    ['protocol: tcp'],
    ['allowed_ips: [10.1.0.0/16]'],
    ['allow_uninspected_credentials: true'],
    ['path: "**"'],
    ['path: /a', 'protocol', 'path'],
    ['protocol: rest, access: full', 'protocol'],
    [
      'protocol: rest, access: full, path: /a, websocket_credential_rewrite: true',
      'protocol',
      'path',
      'websocket_credential_rewrite',
    ],
    [
      'protocol: rest, access: full, request_body_credential_rewrite: true',
      'protocol',
      'request_body_credential_rewrite',
    ],
    ['credential_binding: { provider: x }', 'protocol', 'credential_binding'],
    ['credential_signing: sigv4, signing_service: s3', 'protocol', 'credential_signing'],
  ];
  for (const [fields, ...needed] of CASES) {
    test(`{ ${fields} }: ${needed.join(', ') || 'nothing'}`, () => {
      const paths = inspectedParts(policyFrom(endpoint(fields))).map(({ path }) => path);
      assert.deepEqual(
        paths,
        needed.map((field) => `network_policies.a.endpoints[0].${field}`),
      );
    });
  }

  test('is named with its place in the file', () => {
    const result = parsePolicy(EVERY_CONSTRUCT);
    assert.ok(result.ok);
    const needs = inspectedParts(result.policy, result.source);
    const lines = EVERY_CONSTRUCT.split('\n');
    for (const { path, line, column, reason } of needs) {
      assert.ok(line && column && reason, path);
      if (path.endsWith('.protocol'))
        assert.match(lines[line - 1]!.slice(column - 1), /^(rest|graphql|websocket|mcp|JSON-RPC)$/);
    }
    assert.ok(needs.some(({ path }) => path === 'network_middlewares.redact'));
  });
});

describe('fields about requests without a protocol', () => {
  const read = (fields: string) =>
    parsePolicy(
      `version: 1\nnetwork_policies: { a: { endpoints: [{ host: a.com, port: 443, ${fields} }], binaries: [{ path: /x }] } }`,
    );
  const CASES: readonly (readonly [fields: string, protocol: string])[] = [
    ['path: "**"', ''],
    ['path: /a', 'rest'],
    ['credential_binding: { provider: x }', 'rest'],
    ['credential_binding: { provider: x }, allow_uninspected_credentials: true', ''],
    ['credential_signing: sigv4, signing_service: s3', 'rest'],
  ];
  for (const [fields, protocol] of CASES) {
    test(`{ ${fields} } is read as "${protocol}"`, () => {
      const result = read(fields);
      assert.ok(result.ok);
      const endpoint = result.policy.networkPolicies[0]!.endpoints[0]!;
      assert.deepEqual([endpoint.protocol, endpoint.access], protocol ? [protocol, 'full'] : ['', undefined]);
      assert.deepEqual(
        result.notices.map(({ code }) => code),
        protocol ? ['inspected_by_need'] : [],
      );
    });
  }
  test('have nothing to audit', () => assert.equal(read('path: /a, enforcement: audit').ok, false));
  test('cannot be seen inside TLS that is never opened', () =>
    assert.equal(read('path: /a, tls: skip').ok, false));
});

describe('the baseline', () => {
  const everything = () => true;
  const only =
    (...paths: readonly string[]) =>
    (path: string) =>
      paths.includes(path);

  test('adds what exists and nothing else', () => {
    const bare = policyFrom('version: 1\nfilesystem_policy: {}');
    assert.deepEqual(withBaseline(bare, () => false).filesystem, bare.filesystem);
    const { readOnly, readWrite } = withBaseline(bare, only('/usr', '/lib64', '/tmp')).filesystem;
    assert.deepEqual([readOnly, readWrite], [['/lib64', '/usr'], ['/tmp']]);
  });

  test('never makes writable what the policy gives read-only', () => {
    const careful = policyFrom('version: 1\nfilesystem_policy: { read_only: [/tmp, /dev/nvidiactl] }');
    const { readWrite } = withBaseline(careful, everything).filesystem;
    assert.ok(!readWrite.includes('/tmp') && !readWrite.includes('/dev/nvidiactl'));
  });

  test('keeps what the policy makes writable', () => {
    const wide = policyFrom('version: 1\nfilesystem_policy: { read_write: [/usr] }');
    const { readOnly, readWrite } = withBaseline(wide, everything).filesystem;
    assert.ok(readWrite.includes('/usr') && !readOnly.includes('/usr'));
  });

  test('makes /proc writable only where there is a GPU', () => {
    const devices = ['/dev/nvidiactl', '/dev/nvidia0', '/dev/nvidia7'];
    const gpu = withBaseline(defaultPolicy, only('/proc', ...devices)).filesystem;
    assert.ok(gpu.readWrite.includes('/proc') && !gpu.readOnly.includes('/proc'));
    for (const device of devices) assert.ok(gpu.readWrite.includes(device));
    assert.ok(
      !withBaseline(defaultPolicy, only('/proc', '/dev/nvidia0')).filesystem.readWrite.includes('/proc'),
    );
  });

  test('changes neither the policy nor, a second time, anything', () => {
    const before = JSON.stringify(defaultPolicy);
    const once = withBaseline(defaultPolicy, everything);
    assert.equal(JSON.stringify(defaultPolicy), before);
    assert.deepEqual(withBaseline(once, everything), once);
  });
});

describe('the difference of two policies', () => {
  const base = 'version: 1\nnetwork_policies:\n  a: { endpoints: [{ host: a.com, port: 443 }] }\n  b: {}\n';
  const diff = (after: string) => diffPolicy(policyFrom(base), policyFrom(after));
  const NOTHING = { static: [], added: [], removed: [], changed: [], middlewares: false };

  test('is empty for the same policy', () => assert.deepEqual(diff(`# x\n${base}`), NOTHING));
  test('names network policies that came, went and changed', () => {
    const after = base.replace('443', '444').replace('b: {}', 'c: {}');
    assert.deepEqual(diff(after), { ...NOTHING, added: ['c'], removed: ['b'], changed: ['a'] });
  });
  test('names static parts that changed, which a reload cannot apply', () => {
    const after = `${base}landlock: { compatibility: best_effort }\nfilesystem_policy: {}\nprocess: { run_as_user: sandbox }\n`;
    assert.deepEqual(diff(after).static, ['filesystem', 'landlock', 'process']);
  });
  test('tells of middlewares', () => {
    assert.ok(
      diff(`${base}network_middlewares: { m: { middleware: x, endpoints: { include: [a.com] } } }`)
        .middlewares,
    );
  });
});
