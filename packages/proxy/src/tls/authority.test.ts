import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { generateKeyPairSync, X509Certificate } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { inspect } from 'node:util';
import { OpenShellError } from '@openshell/base';
import { limitsWith } from '../limits.ts';
import { identityFor } from '../test-support/identities.ts';
import { SigningAuthority } from './authority.ts';
import { AuthorityRing } from './authority-ring.ts';
import { publicKeyInfo } from './certificate.ts';
import { LeafCache } from './leaf-cache.ts';

const DAY_MS = 86_400_000;
const scratch = mkdtempSync(join(tmpdir(), 'authority-'));
after(() => rmSync(scratch, { recursive: true }));
const at = (name: string): string => join(scratch, name);
const openssl = (...args: string[]): string =>
  execFileSync('openssl', args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });

const authority = SigningAuthority.create();
const { publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const spki = publicKeyInfo(publicKey);
const leafOf = (host: string, from = authority): X509Certificate =>
  new X509Certificate(from.issueLeaf(host, spki).chainPem);
const codeOf = (act: () => unknown): string => {
  try {
    act();
  } catch (error) {
    if (error instanceof OpenShellError) return error.code;
    throw error;
  }
  return 'nothing thrown';
};

describe('the authority', () => {
  const own = new X509Certificate(authority.certificatePem);

  test('may sign servers and its successor, is backdated a little and ends', () => {
    writeFileSync(at('ca.pem'), authority.certificatePem);
    const text = openssl('x509', '-in', at('ca.pem'), '-noout', '-text');
    assert.match(text, /Subject: O ?= ?OpenShell, CN ?= ?OpenShell Sandbox CA/);
    assert.match(text, /Basic Constraints: critical\s+CA:TRUE, pathlen:1/);
    assert.match(text, /Key Usage: critical\s+Certificate Sign, CRL Sign/);
    assert.match(text, /Subject Key Identifier/);
    assert.ok(own.validFromDate.getTime() < Date.now());
    assert.ok(own.validToDate.getTime() - Date.now() <= 366 * DAY_MS);
  });

  test('is another one each time', () => {
    const other = new X509Certificate(SigningAuthority.create().certificatePem);
    assert.notEqual(other.serialNumber, own.serialNumber);
    assert.notEqual(other.subject, own.subject);
    assert.notEqual(other.publicKey.equals(own.publicKey), true);
  });

  test('shows nothing of its key however it is printed', () => {
    for (const text of [inspect(authority, { depth: 9, showHidden: true }), JSON.stringify(authority)]) {
      assert.doesNotMatch(text, /PRIVATE|KeyObject/);
    }
  });
});

describe('a leaf certificate', () => {
  const hosts: readonly (readonly [string, RegExp])[] = [
    ['api.example.com', /DNS:api\.example\.com/],
    ['xn--bcher-kva.example', /DNS:xn--bcher-kva\.example/],
    ['192.0.2.7', /IP Address:192\.0\.2\.7/],
    ['2001:db8::1', /IP Address:2001:DB8:0:0:0:0:0:1/],
    [`${'a'.repeat(60)}.${'b'.repeat(60)}.example`, /Alternative Name: critical\s+DNS:a{60}\.b{60}\.example/],
  ];
  for (const [host, name] of hosts) {
    test(`for ${host} is one that openssl verifies, for this host and no other`, () => {
      writeFileSync(at('ca.pem'), authority.certificatePem);
      writeFileSync(at('leaf.pem'), leafOf(host).toString());
      const option = /^[0-9.]+$|:/.test(host) ? '-verify_ip' : '-verify_hostname';
      const verify = ['verify', '-x509_strict', '-purpose', 'sslserver', '-CAfile', at('ca.pem')];
      assert.match(openssl(...verify, option, host, at('leaf.pem')), /: OK/);
      assert.throws(() => openssl(...verify, '-verify_hostname', 'elsewhere.example', at('leaf.pem')));
      const text = openssl('x509', '-in', at('leaf.pem'), '-noout', '-text');
      assert.match(text, name);
      assert.match(text, /TLS Web Server Authentication/);
      assert.match(text, /Authority Key Identifier/);
    });
  }

  test('is no authority, and lives neither before nor longer than the one that signed it', () => {
    const leaf = leafOf('a.example');
    assert.equal(leaf.ca, false);
    assert.ok(leaf.validFromDate >= authority.notBefore);
    const late = authority.notAfter.getTime() - DAY_MS;
    assert.deepEqual(authority.issueLeaf('a.example', spki, late).notAfter, authority.notAfter);
    assert.equal(
      codeOf(() => authority.issueLeaf('a.example', spki, late + DAY_MS)),
      'authority_expired',
    );
  });
});

describe("an operator's authority", () => {
  const make = (name: string, kind: string[], ...extra: string[]): [string, string] => {
    const files = ['-keyout', at(`${name}.key`), '-out', at(`${name}.pem`)];
    openssl(
      'req',
      '-x509',
      '-nodes',
      ...kind,
      '-days',
      '2',
      '-addext',
      'keyUsage=critical,keyCertSign',
      '-subj',
      `/CN=${name}`,
      ...files,
      ...extra,
    );
    return [readFileSync(at(`${name}.pem`), 'utf8'), readFileSync(at(`${name}.key`), 'utf8')];
  };
  const P256 = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1'];
  const P384 = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:secp384r1'];
  const RSA = ['-newkey', 'rsa:2048'];
  const kinds: readonly (readonly [string, string[]])[] = [
    ['ec256', P256],
    ['ec384', P384],
    ['rsa2048', RSA],
  ];
  for (const [name, kind] of kinds) {
    test(`with a key of kind ${name} signs leaves that verify, whatever text its name is encoded in`, () => {
      const loaded = SigningAuthority.load(...make(name, kind));
      writeFileSync(at('leaf.pem'), leafOf('a.example', loaded).toString());
      assert.match(openssl('verify', '-x509_strict', '-CAfile', at(`${name}.pem`), at('leaf.pem')), /: OK/);
    });
  }

  test('that is an intermediate goes along with each leaf', () => {
    const root = SigningAuthority.load(...make('root', P256));
    // Made with the root's key as issuer by openssl, since ours signs no authorities.
    openssl(
      'req',
      '-new',
      '-nodes',
      ...P256,
      '-subj',
      '/CN=mid',
      '-keyout',
      at('mid.key'),
      '-out',
      at('mid.csr'),
    );
    writeFileSync(
      at('mid.ext'),
      'basicConstraints=critical,CA:TRUE,pathlen:0\nkeyUsage=critical,keyCertSign\n',
    );
    const signing = [
      '-CA',
      at('root.pem'),
      '-CAkey',
      at('root.key'),
      '-CAcreateserial',
      '-extfile',
      at('mid.ext'),
    ];
    openssl('x509', '-req', '-in', at('mid.csr'), '-days', '1', ...signing, '-out', at('mid.pem'));
    const chain = readFileSync(at('mid.pem'), 'utf8') + root.certificatePem;
    const mid = SigningAuthority.load(chain, readFileSync(at('mid.key'), 'utf8'));
    const { chainPem } = mid.issueLeaf('a.example', spki);
    assert.equal(chainPem.match(/BEGIN/g)?.length, 2);
    writeFileSync(at('chain.pem'), chainPem);
    const args = ['-CAfile', at('root.pem'), '-untrusted', at('chain.pem'), at('chain.pem')];
    assert.match(openssl('verify', ...args), /: OK/);
  });

  test('is refused where it could not work, without a word of its key', () => {
    const [cert, key] = make('own', P256);
    const leaf = identityFor(authority, 'a.example');
    const [edCert, edKey] = make('ed', ['-newkey', 'ed25519']);
    const refused: readonly (readonly [string, () => unknown, string])[] = [
      ['another key', () => SigningAuthority.load(cert, leaf.key), 'authority_invalid'],
      ['no key', () => SigningAuthority.load(cert, 'secret text'), 'authority_invalid'],
      ["a server's", () => SigningAuthority.load(leaf.cert, leaf.key), 'authority_invalid'],
      [
        'a kind of key that we do not sign with',
        () => SigningAuthority.load(edCert, edKey),
        'authority_invalid',
      ],
      ['expired', () => SigningAuthority.load(cert, key, Date.now() + 3 * DAY_MS), 'authority_invalid'],
      ['not valid yet', () => SigningAuthority.load(cert, key, Date.now() - 3 * DAY_MS), 'authority_invalid'],
      ['no certificate', () => SigningAuthority.load('', key), 'certificate_invalid'],
      ['a broken one', () => SigningAuthority.load(cert.replace(/M/g, 'N'), key), 'certificate_invalid'],
    ];
    for (const [what, act, code] of refused) assert.equal(codeOf(act), code, what);
    assert.throws(
      () => SigningAuthority.load(cert, 'secret text'),
      (error: Error) => !inspect(error).includes('secret text'),
    );
  });
});

describe('the cache of leaves', () => {
  test('keeps one context a host, forgets the least recently used, and renews before the end', () => {
    let now = Date.now();
    const cache = new LeafCache(
      AuthorityRing.ofOperator(authority),
      limitsWith({ leafCertificates: 2 }),
      () => now,
    );
    const a = cache.contextFor('a.example');
    assert.notEqual(cache.contextFor('b.example'), a);
    assert.equal(cache.contextFor('a.example'), a);
    cache.contextFor('c.example');
    assert.equal(cache.size, 2);
    assert.equal(cache.contextFor('a.example'), a);
    now += 30 * DAY_MS - 1000;
    assert.notEqual(cache.contextFor('a.example'), a);
    now += 366 * DAY_MS;
    assert.equal(
      codeOf(() => cache.contextFor('a.example')),
      'authority_expired',
    );
  });

  test('makes a certificate anew after the clock has jumped so that the old one is not valid, and one in each place', () => {
    const start = Date.now();
    let now = start + 60 * DAY_MS;
    const cache = new LeafCache(AuthorityRing.ofOperator(authority), limitsWith(), () => now);
    const ahead = cache.contextFor('a.example');
    now -= DAY_MS;
    assert.equal(cache.contextFor('a.example'), ahead);
    now = start;
    const back = cache.contextFor('a.example');
    assert.notEqual(back, ahead);
    now = 0;
    const before = cache.contextFor('a.example');
    assert.notEqual(before, back);
    assert.equal(cache.contextFor('a.example'), before);
  });

  test('covers the clocks of clients that are right where that of the proxy stands in another century', () => {
    const { notBefore, notAfter } = authority.issueLeaf('a.example', spki, 0);
    assert.ok(notBefore.getTime() < Date.now() && notAfter.getTime() > Date.now() + DAY_MS);
  });
});
