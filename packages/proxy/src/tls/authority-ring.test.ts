import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { generateKeyPairSync, X509Certificate } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { inspect } from 'node:util';
import { OpenShellError } from '@openshell/base';
import type { RotationStep } from '@openshell/control';
import { SigningAuthority } from './authority.ts';
import { AuthorityKeys } from './authority-keys.ts';
import { AuthorityRing } from './authority-ring.ts';
import { publicKeyInfo } from './certificate.ts';

const DAY_MS = 86_400_000;
const START = Date.now();
const { publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const spki = publicKeyInfo(publicKey);
const scratch = mkdtempSync(join(tmpdir(), 'authority-ring-'));
after(() => rmSync(scratch, { recursive: true }));
const at = (name: string): string => join(scratch, name);
const openssl = (...args: string[]): string =>
  execFileSync('openssl', args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });

/** A clock that stands still until it is told otherwise. */
class TestClock {
  wall = START;
  past = 0;
  readonly now = (): number => this.wall;
  readonly elapsed = (): number => this.past;
  pass(ms: number): void {
    this.wall += ms;
    this.past += ms;
  }
}

const roles = (ring: AuthorityRing): string =>
  ring
    .status()
    .certificates.map(({ role }) => role)
    .join(' ');

const signer = (ring: AuthorityRing): string => ring.status().certificates[0]!.fingerprint;

/** Whether a client that trusts this bundle believes what the ring shows now. */
function believes(bundlePem: string, ring: AuthorityRing, now = Date.now()): boolean {
  const { chainPem } = ring.issuer().issue('a.example', spki, now);
  writeFileSync(at('bundle.pem'), bundlePem);
  writeFileSync(at('chain.pem'), chainPem);
  const options = [
    '-attime',
    `${Math.floor(now / 1000)}`,
    '-x509_strict',
    '-purpose',
    'sslserver',
    '-verify_hostname',
    'a.example',
  ];
  try {
    openssl(
      'verify',
      ...options,
      '-CAfile',
      at('bundle.pem'),
      '-untrusted',
      at('chain.pem'),
      at('chain.pem'),
    );
    return true;
  } catch {
    return false;
  }
}

const codeOf = (act: () => unknown): string => {
  try {
    act();
  } catch (error) {
    if (error instanceof OpenShellError) return error.code;
    throw error;
  }
  return 'nothing thrown';
};

const P256 = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1'];

/** A root as an operator makes it with openssl. */
function operators(file: string, name: string, ...extra: string[]): SigningAuthority {
  const files = ['-keyout', at(`${file}.key`), '-out', at(`${file}.pem`)];
  const usage = ['-addext', 'keyUsage=critical,keyCertSign'];
  openssl(
    'req',
    '-x509',
    '-nodes',
    ...P256,
    '-days',
    '2',
    ...usage,
    '-subj',
    `/CN=${name}`,
    ...extra,
    ...files,
  );
  return SigningAuthority.load(
    readFileSync(at(`${file}.pem`), 'utf8'),
    readFileSync(at(`${file}.key`), 'utf8'),
  );
}

describe('a rotation', () => {
  test('is believed at each step by clients of the bundle before, of that of the step, and of no stranger', () => {
    const ring = AuthorityRing.inMemory();
    const stranger = SigningAuthority.create().certificatePem;
    const first = ring.bundlePem;
    const steps: readonly (readonly [RotationStep, string])[] = [
      ['prepare', 'signing next'],
      ['activate', 'signing previous'],
      ['retire', 'signing'],
    ];
    let before = first;
    for (const [step, expected] of steps) {
      const { bundlePem } = ring.rotate(step);
      assert.equal(roles(ring), expected);
      assert.equal(bundlePem.match(/BEGIN/g)?.length, expected.split(' ').length);
      assert.deepEqual(
        [before, bundlePem, stranger].map((bundle) => believes(bundle, ring)),
        [true, true, false],
        step,
      );
      // One that never learned of the successor is served as long as the old one vouches for it.
      assert.equal(believes(first, ring), step !== 'retire', step);
      before = bundlePem;
    }
    assert.equal(before.includes(first), false);
  });

  test('can be gone through again and again, and says of each certificate what it is', () => {
    const ring = AuthorityRing.inMemory();
    for (let i = 0; i < 3; i++)
      for (const step of ['prepare', 'activate', 'retire'] as const) ring.rotate(step);
    const { role, pem, fingerprint, notBefore, notAfter } = ring.status().certificates[0]!;
    const certificate = new X509Certificate(pem);
    assert.equal(role, 'signing');
    assert.equal(fingerprint, certificate.fingerprint256.replaceAll(':', '').toLowerCase());
    assert.deepEqual(
      [notBefore, notAfter],
      [certificate.validFromDate.getTime(), certificate.validToDate.getTime()],
    );
  });

  const wrong: readonly (readonly [RotationStep[], RotationStep, string])[] = [
    [[], 'activate', '"prepare"'],
    [[], 'retire', '"prepare"'],
    [['prepare'], 'prepare', '"activate"'],
    [['prepare'], 'retire', '"activate"'],
    [['prepare', 'activate'], 'prepare', '"retire"'],
    [['prepare', 'activate'], 'activate', '"retire"'],
  ];
  for (const [done, step, possible] of wrong) {
    test(`refuses "${step}" after ${done.join(', ') || 'nothing'} and names what is possible`, () => {
      const ring = AuthorityRing.inMemory();
      for (const earlier of done) ring.rotate(earlier);
      const before = ring.status();
      assert.throws(
        () => ring.rotate(step),
        (error: OpenShellError) =>
          error.code === 'rotation_order' && error.remedy!.includes(`now: ${possible}.`),
      );
      assert.deepEqual(ring.status(), before);
    });
  }

  test('tells its listeners until they have enough', () => {
    const ring = AuthorityRing.inMemory();
    const heard: string[] = [];
    const stop = [
      ring.onChange(() => heard.push(roles(ring))),
      ring.onNotice(({ kind, severity }) => heard.push(`${kind} ${severity}`)),
    ];
    ring.rotate('prepare');
    ring.rotate('activate');
    for (const end of stop) end();
    ring.rotate('retire');
    assert.deepEqual(heard, ['signing next', 'prepared info', 'signing previous', 'activated info']);
  });
});

describe('an authority in memory', () => {
  test('has a successor that is prepared in time, signs after an overlap, and is believed by old clients', () => {
    const clock = new TestClock();
    const ring = AuthorityRing.inMemory(clock);
    const first = ring.bundlePem;
    clock.pass(240 * DAY_MS);
    assert.equal(roles(ring), 'signing');
    clock.pass(5 * DAY_MS);
    assert.equal(roles(ring), 'signing next');
    clock.pass(29 * DAY_MS);
    assert.equal(roles(ring), 'signing next');
    const issuer = ring.issuer();
    clock.pass(2 * DAY_MS);
    assert.notEqual(ring.issuer(), issuer);
    assert.equal(roles(ring), 'signing previous');
    assert.ok(believes(first, ring, clock.wall));
    assert.equal(
      codeOf(() => ring.rotate('prepare')),
      'rotation_order',
    );
    clock.pass(300 * DAY_MS);
    assert.equal(roles(ring), 'signing next previous');
  });

  test('that expires while the machine sleeps is followed by the successor that clients know already', () => {
    const clock = new TestClock();
    const ring = AuthorityRing.inMemory(clock);
    clock.pass(250 * DAY_MS);
    assert.equal(roles(ring), 'signing next');
    clock.wall += 120 * DAY_MS;
    assert.equal(roles(ring), 'signing previous');
  });

  test('is neither replaced nor lost by a clock that jumps far ahead, back, and before the beginning', () => {
    const clock = new TestClock();
    const ring = AuthorityRing.inMemory(clock);
    const notices: string[] = [];
    ring.onNotice(({ kind }) => notices.push(kind));
    const before = ring.status();
    for (const jump of [900 * DAY_MS, -900 * DAY_MS, -20_000 * DAY_MS, 20_000 * DAY_MS]) {
      clock.wall += jump;
      assert.deepEqual(ring.status(), before);
    }
    assert.ok(believes(before.bundlePem, ring));
    assert.deepEqual(notices, ['expired']);
    assert.throws(() => ring.issuer().issue('a.example', spki, START + 900 * DAY_MS), {
      code: 'authority_expired',
    });
  });

  test('is not succeeded early by one that a wrong clock made', () => {
    const clock = new TestClock();
    const ring = AuthorityRing.inMemory(clock);
    const own = signer(ring);
    clock.wall += 300 * DAY_MS;
    assert.equal(roles(ring), 'signing next');
    clock.wall -= 300 * DAY_MS;
    clock.pass(60 * DAY_MS);
    assert.equal(signer(ring), own);
    clock.pass(240 * DAY_MS);
    assert.notEqual(signer(ring), own);
  });
});

describe("an operator's authority", () => {
  const one = operators('one', 'one');
  const two = operators('two', 'two');

  test('is followed by a new pair after the overlap, and clients of the old one are served until it is retired', () => {
    const clock = new TestClock();
    const ring = AuthorityRing.ofOperator(one, clock);
    ring.offer(one, 1000);
    assert.equal(roles(ring), 'signing');
    ring.offer(two, 1000);
    clock.pass(500);
    ring.offer(two, 1000);
    assert.equal(roles(ring), 'signing next');
    clock.pass(500);
    assert.equal(signer(ring), two.fingerprint);
    assert.ok(believes(one.certificatePem, ring) && believes(two.certificatePem, ring));
    ring.rotate('retire');
    assert.equal(ring.bundlePem, two.certificatePem);
    assert.equal(believes(one.certificatePem, ring), false);
  });

  test('is followed at once without an overlap; put back while it is previous, it is not in the bundle twice', () => {
    const ring = AuthorityRing.ofOperator(one);
    ring.offer(two, 0);
    assert.equal(roles(ring), 'signing previous');
    ring.offer(one, 60_000);
    assert.deepEqual(
      [roles(ring), ring.bundlePem],
      ['signing next', two.certificatePem + one.certificatePem],
    );
    ring.offer(two, 60_000);
    assert.equal(ring.bundlePem, two.certificatePem);
    ring.offer(one, 60_000);
    assert.deepEqual(
      ring.rotate('activate').certificates.map(({ role }) => role),
      ['signing', 'previous'],
    );
  });

  test('is not prepared by a controller, which is told where a new one comes from', () => {
    const ring = AuthorityRing.ofOperator(one);
    assert.throws(
      () => ring.rotate('prepare'),
      (error: OpenShellError) => error.code === 'rotation_order' && /operator/.test(error.remedy!),
    );
  });

  test('that may have no authority below it vouches for nobody; clients that know both are served', () => {
    const narrow = operators('narrow', 'narrow', '-addext', 'basicConstraints=critical,CA:TRUE,pathlen:0');
    const ring = AuthorityRing.ofOperator(narrow);
    ring.offer(two, 0);
    assert.equal(believes(narrow.certificatePem, ring), false);
    assert.ok(believes(ring.bundlePem, ring));
  });

  test('may have the name of the one before it where their keys can be told apart, and is refused where not', () => {
    const again = operators('again', 'one');
    const ring = AuthorityRing.ofOperator(one);
    ring.offer(again, 0);
    for (const bundle of [one.certificatePem, again.certificatePem, ring.bundlePem])
      assert.ok(believes(bundle, ring));
    const nameless = operators('nameless', 'one', '-addext', 'subjectKeyIdentifier=none');
    const before = ring.status();
    assert.throws(() => ring.offer(nameless, 0), { code: 'authority_invalid' });
    assert.deepEqual(ring.status(), before);
  });

  test('is warned about before its end, once, and not when its successor is there', () => {
    const clock = new TestClock();
    const ring = AuthorityRing.ofOperator(one, clock);
    const notices: string[] = [];
    ring.onNotice(({ kind, message }) => {
      notices.push(kind);
      assert.ok(message.includes(one.fingerprint.slice(0, 16)) && !message.includes('PRIVATE'));
    });
    clock.pass(1.5 * DAY_MS);
    ring.check();
    assert.deepEqual(notices, []);
    clock.pass(0.4 * DAY_MS);
    ring.check();
    ring.check();
    clock.pass(DAY_MS);
    ring.check();
    ring.check();
    assert.deepEqual(notices, ['expiring', 'expired']);
  });
});

describe('the keys of a ring', () => {
  test('make another process sign with the same authority, and follow each step', () => {
    const ring = AuthorityRing.inMemory();
    const worker = AuthorityRing.shared(AuthorityKeys.from(ring.export().reveal()));
    const steps = ['prepare', 'activate', 'retire'] as const;
    for (const step of steps) {
      const first = ring.bundlePem;
      assert.deepEqual(worker.status(), ring.status());
      ring.rotate(step);
      const issuer = worker.issuer();
      worker.adopt(AuthorityKeys.from(ring.export().reveal()));
      assert.notEqual(worker.issuer(), issuer);
      assert.equal(believes(first, worker), true);
    }
    assert.deepEqual(worker.status(), ring.status());
    for (const step of steps)
      assert.equal(
        codeOf(() => worker.rotate(step)),
        'rotation_order',
      );
  });

  test('show nothing of themselves, and of a broken text neither', () => {
    const keys = AuthorityRing.inMemory().export();
    for (const text of [inspect(keys, { depth: 9, showHidden: true }), JSON.stringify({ keys }), `${keys}`])
      assert.doesNotMatch(text, /PRIVATE|CERTIFICATE/);
    const ring = AuthorityRing.inMemory();
    const before = ring.status();
    for (const text of [
      '',
      '{}',
      '{"signing":{"certificatePem":"x","keyPem":"my-secret"}}',
      keys.reveal().slice(0, -9),
    ])
      assert.throws(
        () => ring.adopt(AuthorityKeys.from(text)),
        (error: OpenShellError) =>
          error.code === 'authority_invalid' && !/my-secret|PRIVATE/.test(inspect(error)),
      );
    assert.deepEqual(ring.status(), before);
  });
});
