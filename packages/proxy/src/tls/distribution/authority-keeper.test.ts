import assert from 'node:assert/strict';
import {
  chmodSync,
  linkSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { identityFor } from '../../test-support/identities.ts';
import { SigningAuthority } from '../authority.ts';
import type { AuthorityNotice } from '../authority-notice.ts';
import { AuthorityKeeper, type AuthorityKeeperOptions } from './authority-keeper.ts';
import { type AuthorityOutput, parseManifestOutput } from './authority-output.ts';
import type { AuthoritySource } from './authority-source.ts';

const [one, two] = [SigningAuthority.create(), SigningAuthority.create()];
const DAY_MS = 86_400_000;

let scratch: string;
let notices: AuthorityNotice[];
const at = (...names: string[]): string => join(scratch, ...names);
const kinds = (): string[] => notices.map(({ kind }) => kind);

beforeEach(() => {
  scratch = mkdtempSync(join(tmpdir(), 'authority-keeper-'));
  notices = [];
});
afterEach(() => rmSync(scratch, { recursive: true }));

const start = (source: AuthoritySource, options: Partial<AuthorityKeeperOptions> = {}): AuthorityKeeper =>
  AuthorityKeeper.start({
    ...{ source, overlapMs: 0, outputs: [], report: (notice) => notices.push(notice) },
    ...options,
  });

interface Pair {
  readonly cert: string;
  readonly key: string;
}

const pairOf = (authority: SigningAuthority): Pair => ({
  cert: authority.certificatePem,
  key: authority.revealKey(),
});

function writePair({ cert, key }: Pair): AuthoritySource {
  writeFileSync(at('ca.pem'), cert);
  writeFileSync(at('ca.key'), key, { mode: 0o600 });
  return { kind: 'files', certificate: at('ca.pem'), key: at('ca.key') };
}

/** As the kubelet does it: a directory for each version, and the link `..data` that is replaced in one step. */
function mount(version: string, files: Readonly<Record<string, string>>): AuthoritySource {
  mkdirSync(at(version));
  for (const [name, text] of Object.entries(files)) {
    writeFileSync(at(version, name), text, { mode: 0o400 });
    if (lstatSync(at(name), { throwIfNoEntry: false }) === undefined)
      symlinkSync(join('..data', name), at(name));
  }
  symlinkSync(version, at('..data_tmp'));
  renameSync(at('..data_tmp'), at('..data'));
  return { kind: 'directory', path: scratch };
}

const bundle = (file: string): AuthorityOutput => ({ kind: 'bundle', file });

describe('a new pair in its files', () => {
  test('is in the bundle at once, wherever that is written, and signs after the overlap', () => {
    const outputs = [
      bundle(at('out.pem')),
      parseManifestOutput(`${at('out.json')}:team-a/trust`, 'Secret', 'x'),
    ];
    using keeper = start(writePair(pairOf(one)), { outputs, overlapMs: 60_000 });
    assert.equal(readFileSync(at('out.pem'), 'utf8'), one.certificatePem);
    writePair(pairOf(two));
    keeper.reload();
    keeper.reload();
    assert.deepEqual(kinds(), ['prepared']);
    const both = one.certificatePem + two.certificatePem;
    assert.equal(readFileSync(at('out.pem'), 'utf8'), both);
    assert.equal(statSync(at('out.pem')).mode & 0o777, 0o644);
    const { data, metadata, type } = JSON.parse(readFileSync(at('out.json'), 'utf8'));
    assert.equal(Buffer.from(data['ca.crt'], 'base64').toString(), both);
    assert.deepEqual([type, metadata.namespace, metadata.name], ['Opaque', 'team-a', 'trust']);
    keeper.ring().rotate('activate');
    keeper.ring().rotate('retire');
    assert.equal(readFileSync(at('out.pem'), 'utf8'), two.certificatePem);
    assert.deepEqual(
      readdirSync(scratch).sort(),
      ['ca.key', 'ca.pem', 'out.json', 'out.pem'],
      'nothing half-written is left',
    );
  });

  const expired = SigningAuthority.create(Date.now() - 400 * DAY_MS);
  const bad: readonly (readonly [string, Pair, RegExp])[] = [
    ['whose key has not arrived yet', { cert: two.certificatePem, key: one.revealKey() }, /does not belong/],
    ['that has expired', pairOf(expired), /expired/],
    ["that is a server's", identityFor(one, 'a.example'), /may not sign/],
    [
      'whose certificate is half-written',
      { ...pairOf(two), cert: two.certificatePem.slice(0, 300) },
      /no certificate|cut/,
    ],
    [
      'whose chain is half-written',
      { ...pairOf(two), cert: two.certificatePem + one.certificatePem.slice(0, 300) },
      /in the middle/,
    ],
    [
      'whose key is half-written',
      { ...pairOf(two), key: two.revealKey().slice(0, 99) },
      /key cannot be read/,
    ],
    ['that is empty', { cert: '', key: '' }, /no certificate/],
  ];
  for (const [what, pair, message] of bad) {
    test(`${what} is reported without a word of its key, and the last good one stays`, () => {
      using keeper = start(writePair(pairOf(one)));
      const before = keeper.ring().status();
      writePair(pair);
      keeper.reload();
      assert.deepEqual(keeper.ring().status(), before);
      assert.deepEqual(kinds(), ['refused']);
      assert.match(notices[0]!.message, message);
      assert.doesNotMatch(notices[0]!.message, /PRIVATE|M[CI]/);
      writePair(pairOf(two));
      keeper.reload();
      assert.equal(keeper.ring().status().certificates[0]!.fingerprint, two.fingerprint);
    });
    test(`${what} is refused at the start`, () => {
      assert.throws(() => start(writePair(pair)), { code: /^(authority|certificate)_invalid$/ });
    });
  }

  test('whose key everybody can read is reported', () => {
    const source = writePair(pairOf(one));
    chmodSync(at('ca.key'), 0o644);
    using keeper = start(source);
    assert.deepEqual(kinds(), ['exposed']);
    assert.deepEqual(keeper.watched, [at('ca.pem'), at('ca.key')]);
  });
});

describe('a mounted Secret', () => {
  test('is read as one version, with the certificates above it, and followed when it is swapped', () => {
    const files = (authority: SigningAuthority, others = ''): Record<string, string> => ({
      'tls.crt': authority.certificatePem,
      'tls.key': authority.revealKey(),
      'ca.crt': authority.certificatePem + others,
    });
    using keeper = start(mount('..1', files(one)));
    assert.equal(keeper.ring().bundlePem, one.certificatePem);
    mount('..2', files(two, one.certificatePem));
    rmSync(at('..1'), { recursive: true });
    keeper.reload();
    assert.equal(keeper.ring().bundlePem, two.certificatePem + one.certificatePem);
    assert.deepEqual(kinds(), ['prepared', 'activated']);
    mount('..3', { 'tls.crt': one.certificatePem });
    rmSync(at('..2'), { recursive: true });
    keeper.reload();
    assert.deepEqual(kinds().slice(2), ['refused']);
    assert.match(notices.at(-1)!.message, /tls\.key.*ENOENT/s);
  });
});

describe('an authority in memory', () => {
  test('is made when it is asked for, unless it is published somewhere', () => {
    using lazy = start({ kind: 'memory' });
    lazy.reload();
    assert.deepEqual(lazy.watched, []);
    using keeper = start({ kind: 'memory' }, { outputs: [bundle(at('out.pem'))] });
    assert.equal(readFileSync(at('out.pem'), 'utf8'), keeper.ring().bundlePem);
  });
});

describe('the bundle', () => {
  test('is replaced as a whole: who has the old file open reads the old text, and a link stays a link', () => {
    writeFileSync(at('real.pem'), 'old');
    linkSync(at('real.pem'), at('opened.pem'));
    symlinkSync('real.pem', at('out.pem'));
    using keeper = start({ kind: 'memory' }, { outputs: [bundle(at('out.pem'))] });
    assert.equal(readFileSync(at('opened.pem'), 'utf8'), 'old');
    assert.ok(lstatSync(at('out.pem')).isSymbolicLink());
    assert.equal(readFileSync(at('real.pem'), 'utf8'), keeper.ring().bundlePem);
    const { ino } = statSync(at('real.pem'));
    keeper.ring().rotate('prepare');
    assert.notEqual(statSync(at('real.pem')).ino, ino);
  });

  test('that cannot be written stops the start; later it is reported and the rotation goes on', () => {
    const outputs = [bundle(at('there', 'out.pem'))];
    assert.throws(() => start({ kind: 'memory' }, { outputs }), { code: 'authority_unwritable' });
    mkdirSync(at('there'));
    using keeper = start({ kind: 'memory' }, { outputs });
    rmSync(at('there'), { recursive: true });
    keeper.ring().rotate('prepare');
    assert.deepEqual(kinds(), ['unwritable', 'prepared']);
    mkdirSync(at('there'));
    const { bundlePem } = keeper.ring().rotate('activate');
    assert.equal(readFileSync(at('there', 'out.pem'), 'utf8'), bundlePem);
  });

  const targets: readonly (readonly [
    string,
    { file: string; name: string; namespace?: string } | undefined,
  ])[] = [
    ['/run/ca.json', { file: '/run/ca.json', name: 'openshell-proxy-ca' }],
    ['ca.json:default/my.ca', { file: 'ca.json', namespace: 'default', name: 'my.ca' }],
    ['C:d/ca.json', { file: 'C', namespace: 'd', name: 'ca.json' }],
    ['ca:x.json', { file: 'ca:x.json', name: 'openshell-proxy-ca' }],
    ['ca.json:Default/ca', undefined],
    ['ca.json:a.b/ca', undefined],
    [`ca.json:a/${'x'.repeat(254)}`, undefined],
    [':a/b', undefined],
    ['', undefined],
  ];
  for (const [text, expected] of targets) {
    test(`for Kubernetes, written ${JSON.stringify(text.slice(0, 30))}, ${expected ? 'has a name' : 'is refused'}`, () => {
      const read = () => parseManifestOutput(text, 'ConfigMap', 'ca-configmap-out');
      if (expected === undefined) {
        assert.throws(read, { code: 'usage' });
        return;
      }
      const { file, name, namespace } = expected;
      assert.deepEqual(read(), { kind: 'manifest', file, target: { object: 'ConfigMap', name, namespace } });
    });
  }
});
