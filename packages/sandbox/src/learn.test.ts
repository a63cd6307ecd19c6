import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import { sandboxId } from '@openshell/base';
import { defaultPolicy, type Intent, type Policy, parsePolicy } from '@openshell/policy';
import { Learning } from './learn.ts';

const intent = (host: string, port = 443): Intent => ({
  sandbox: sandboxId('box'),
  adapter: 'connect',
  host,
  port,
  evidence: {
    kind: 'process',
    pid: 1,
    executable: { path: '/usr/bin/curl', sha256: '', pinned: true },
    ancestors: [],
    argv: [],
  },
});

function folder(t: TestContext): string {
  const path = mkdtempSync(join(tmpdir(), 'openshell-learn-'));
  t.after(() => rmSync(path, { recursive: true }));
  return path;
}

const parsed = (file: string): Policy => {
  const result = parsePolicy(readFileSync(file, 'utf8'));
  return result.ok ? result.policy : assert.fail(JSON.stringify(result.problems));
};

const hosts = (file: string): string[] =>
  parsed(file)
    .networkPolicies.flatMap(({ endpoints }) => endpoints)
    .map(({ host }) => host)
    .sort();

const BASE = `# Mine.
version: 1
network_policies:
  api: { endpoints: [{ host: api.example.com, port: 443 }], binaries: [{ path: /usr/bin/curl }] } # keep
`;

describe('a learning run', () => {
  test('writes a policy that was not there, for its owner alone', (t) => {
    const file = join(folder(t), 'learned.yaml');
    const learning = new Learning({ file, exists: false }, undefined);
    learning.engine(defaultPolicy).authorizeConnect(intent('x.org'));
    assert.match(
      learning.finish(defaultPolicy).join('\n'),
      /learned 1 kinds? of access, written to .*learned\.yaml/,
    );
    assert.deepEqual(hosts(file), ['x.org']);
    assert.match(readFileSync(file, 'utf8'), /# asked for once/);
    assert.equal(statSync(file).mode & 0o777, 0o600);
  });

  test('adds to the policy of the run, whose text stays', (t) => {
    const file = join(folder(t), 'policy.yaml');
    writeFileSync(file, BASE);
    const policy = parsed(file);
    const learning = new Learning({ file, exists: true }, { file });
    learning.engine(policy).authorizeConnect(intent('x.org'));
    assert.match(learning.finish(policy).join('\n'), /added to/);
    assert.deepEqual(hosts(file), ['api.example.com', 'x.org']);
    assert.match(readFileSync(file, 'utf8'), /^# Mine\.[\s\S]*# keep/);
  });

  test('takes what --policy says along into a new file, and leaves the old one alone', (t) => {
    const directory = folder(t);
    const [base, file] = [join(directory, 'base.yaml'), join(directory, 'learned.yaml')];
    writeFileSync(base, BASE);
    const policy = parsed(base);
    const learning = new Learning({ file, exists: false }, { file: base });
    learning.engine(policy).authorizeConnect(intent('x.org'));
    learning.finish(policy);
    assert.deepEqual(hosts(file), ['api.example.com', 'x.org']);
    assert.equal(readFileSync(base, 'utf8'), BASE);
    assert.deepEqual(readdirSync(directory).sort(), ['base.yaml', 'learned.yaml']);
  });

  test('writes nothing where there was nothing to learn', (t) => {
    const file = join(folder(t), 'learned.yaml');
    const learning = new Learning({ file, exists: false }, undefined);
    assert.match(learning.finish(defaultPolicy).join('\n'), /learned nothing.*is not written/);
    assert.ok(!existsSync(file));
  });

  for (const code of ['ssrf_denied', 'resolve_failed']) {
    test(`does not learn a place that ended in ${code}, and says so`, (t) => {
      const file = join(folder(t), 'learned.yaml');
      const learning = new Learning({ file, exists: false }, undefined);
      const engine = learning.engine(defaultPolicy);
      for (const host of ['metadata.internal', 'x.org']) engine.authorizeConnect(intent(host));
      learning.refused({ code, binary: '/usr/bin/curl', host: 'metadata.internal', port: 443, reason: 'no' });
      learning.refused({
        code: 'upstream_unreachable',
        binary: '/usr/bin/curl',
        host: 'x.org',
        port: 443,
        reason: '',
      });
      const lines = learning.finish(defaultPolicy);
      assert.ok(lines.some((line) => line.startsWith('not learned: /usr/bin/curl -> metadata.internal:443')));
      assert.deepEqual(hosts(file), ['x.org']);
    });
  }

  test('says it, and what was learned, when the file cannot be written', (t) => {
    const file = join(folder(t), 'gone', 'learned.yaml');
    const learning = new Learning({ file, exists: false }, undefined);
    learning.engine(defaultPolicy).authorizeConnect(intent('x.org'));
    const lines = learning.finish(defaultPolicy);
    assert.ok(lines.some((line) => line.includes('could not be written')));
    assert.ok(lines.some((line) => line.includes('host: x.org')));
  });
});
