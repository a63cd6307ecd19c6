import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { type EnvironmentOptions, sandboxEnvironment } from './environment.ts';

const environment = (options: Partial<EnvironmentOptions>): Record<string, string> =>
  sandboxEnvironment({ caller: {}, given: [], placeholders: {}, user: 'sandbox', ...options });

describe('the command’s environment', () => {
  test('takes from the caller how to show things and where programs are, and nothing else', () => {
    const caller = {
      PATH: '/opt/bin',
      TERM: 'xterm',
      LC_ALL: 'C',
      LANG: 'de',
      HOME: '/root',
      AWS_SECRET: 's',
      SSH_AUTH_SOCK: '/x',
      LD_PRELOAD: '/y',
    };
    const found = environment({ caller });
    assert.deepEqual([found.PATH, found.TERM, found.LC_ALL, found.LANG], ['/opt/bin', 'xterm', 'C', 'de']);
    for (const name of ['AWS_SECRET', 'SSH_AUTH_SOCK', 'LD_PRELOAD']) assert.ok(!(name in found), name);
    assert.notEqual(found.HOME, '/root');
  });

  test('has a PATH also when the caller has none', () =>
    assert.match(environment({}).PATH ?? '', /\/usr\/bin/));

  test('names the proxy in every form that programs know, and keeps loopback off it', () => {
    const found = environment({ caller: { HTTPS_PROXY: 'http://corporate:1', NO_PROXY: '*' } });
    const names = ['HTTP_PROXY', 'HTTPS_PROXY', 'ALL_PROXY'].flatMap((name) => [name, name.toLowerCase()]);
    assert.equal(new Set(names.map((name) => found[name])).size, 1);
    assert.match(found.HTTP_PROXY ?? '', /^http:\/\/127\.0\.0\.1:\d+$/);
    assert.equal(found.NODE_USE_ENV_PROXY, '1');
    assert.equal(found.NO_PROXY, found.no_proxy);
    assert.doesNotMatch(found.NO_PROXY ?? '', /\*/);
  });

  test('names certificate authorities only when there are some besides the system’s', () => {
    assert.ok(!('SSL_CERT_FILE' in environment({})));
    const found = environment({ caBundle: '/bundle.pem', extraCa: '/extra.pem' });
    assert.deepEqual(
      [found.SSL_CERT_FILE, found.CURL_CA_BUNDLE, found.NODE_EXTRA_CA_CERTS],
      ['/bundle.pem', '/bundle.pem', '/extra.pem'],
    );
  });

  test('has placeholders for credentials, whose values cannot be given by name too', () => {
    const placeholders = { TOKEN: 'openshell:resolve:env:TOKEN' };
    assert.equal(environment({ placeholders, caller: { TOKEN: 'secret' } }).TOKEN, placeholders.TOKEN);
    assert.throws(
      () => environment({ placeholders, given: [{ name: 'TOKEN', value: 'secret' }] }),
      (error: Error) => /--env too/.test(error.message) && !/secret/.test(error.message),
    );
  });

  test('has the last word from the caller’s --env', () => {
    const found = environment({
      given: [
        { name: 'HOME', value: '/h' },
        { name: 'HTTP_PROXY', value: '' },
        { name: 'X', value: 'a=b' },
      ],
    });
    assert.deepEqual([found.HOME, found.HTTP_PROXY, found.X], ['/h', '', 'a=b']);
  });
});
