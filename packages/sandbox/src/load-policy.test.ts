import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { OpenShellError } from '@openshell/base';
import { loadPolicy, resolveBinaryPath } from './load-policy.ts';

const directory = mkdtempSync(join(tmpdir(), 'openshell-policy-'));
after(() => rmSync(directory, { recursive: true }));

const load = (text: string) => {
  const file = join(directory, 'policy.yaml');
  writeFileSync(file, text);
  return loadPolicy({ file });
};

const ENDPOINT = (more: string): string =>
  `version: 1\nnetwork_policies:\n  a:\n    endpoints: [{host: a.test, port: 443${more}}]\n    binaries: [{path: /usr/bin/curl}]\n`;

describe('loading a policy', () => {
  test('without a file gives no network, and only paths that exist', () => {
    const policy = loadPolicy(undefined);
    assert.equal(policy.networkPolicies.length, 0);
    for (const path of [...policy.filesystem.readOnly, ...policy.filesystem.readWrite])
      assert.ok(existsSync(path), path);
  });

  test('gives what the file says', () => {
    const policy = load(ENDPOINT(''));
    assert.deepEqual(
      policy.networkPolicies.map(({ key }) => key),
      ['a'],
    );
  });

  const refused: readonly [what: string, text: string, code: string, message: RegExp][] = [
    ['is no YAML', 'version: [', 'policy_invalid', /policy\.yaml/],
    [
      'has a field that does not exist',
      'version: 1\nnetwork_polices: {}\n',
      'policy_invalid',
      /network_polices/,
    ],
  ];
  for (const [what, text, code, message] of refused) {
    test(`refuses one that ${what}`, () => {
      assert.throws(
        () => load(text),
        (error) => error instanceof OpenShellError && error.code === code && message.test(error.message),
      );
    });
  }

  test('takes one that looks into requests', () => {
    const { networkPolicies } = load(ENDPOINT(', protocol: rest, access: read-only'));
    assert.equal(networkPolicies[0]?.endpoints[0]?.access, 'read-only');
  });

  test('says which file cannot be read', () => {
    const file = join(directory, 'missing.yaml');
    assert.throws(
      () => loadPolicy({ file }),
      (error) =>
        error instanceof OpenShellError && error.code === 'policy_unreadable' && error.message.includes(file),
    );
  });

  test('follows a binary’s links where there are some', () => {
    assert.equal(resolveBinaryPath(process.execPath), process.execPath);
    assert.equal(resolveBinaryPath('/no/such/binary'), undefined);
  });
});
