import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { parseCredentialOption } from './option.ts';
import type { CredentialSpec } from './spec.ts';
import { parseCredentialFile } from './spec-file.ts';

const ENV = { kind: 'env', variable: 'TOKEN' } as const;

describe('--credential', () => {
  for (const [text, source, bindings] of [
    ['TOKEN', ENV, []],
    ['TOKEN@api.github.com', ENV, [{ host: 'api.github.com' }]],
    ['TOKEN@*.github.com:8443', ENV, [{ host: '*.github.com', port: 8443 }]],
    ['TOKEN@api.github.com/repos/**', ENV, [{ host: 'api.github.com', path: '/repos/**' }]],
    ['TOKEN@[::1]:80/x@b.com', ENV, [{ host: '::1', port: 80, path: '/x' }, { host: 'b.com' }]],
    ['TOKEN=env:OTHER', { kind: 'env', variable: 'OTHER' }, []],
    ['TOKEN@a.com=file:/home/me@work/a=b', { kind: 'file', path: '/home/me@work/a=b' }, [{ host: 'a.com' }]],
    [
      'TOKEN@a.com=command:gh auth token',
      { kind: 'command', argv: ['gh', 'auth', 'token'] },
      [{ host: 'a.com' }],
    ],
  ] as const) {
    test(text, () => {
      assert.deepEqual(parseCredentialOption(text), { name: 'TOKEN', source, bindings });
    });
  }

  test('TOKEN@provider:work-aws', () => {
    const spec = parseCredentialOption('TOKEN@provider:work-aws');
    assert.deepEqual(spec, { name: 'TOKEN', source: ENV, bindings: [], provider: 'work-aws' });
  });

  for (const text of [
    '',
    '@a.com',
    'A-B',
    'TOKEN=ghp_secret',
    'TOKEN=',
    'TOKEN=file:',
    'TOKEN@',
    'TOKEN@a.com:x',
    'TOKEN@https://a.com',
  ]) {
    test(`"${text}" is refused, and a value is not repeated`, () => {
      assert.throws(
        () => parseCredentialOption(text),
        (error: Error & { code?: string; remedy?: string }) =>
          error.code === 'bad_credential_option' && !`${error.message}${error.remedy}`.includes('ghp_secret'),
      );
    });
  }
});

test('a credentials file says where values are and where they may go', () => {
  const file = `
credentials:
  - name: TOKEN
    bindings: [{ host: api.github.com, path: "/repos/**" }]
    prefix: ghp_
  - name: KEY
    file: /run/secrets/key
    provider: work
  - name: CLI
    command: [gh, auth, token]
    ttl_seconds: 60
    bindings: [{ host: 10.0.0.1, port: 8080, insecure: true }]
  - name: ACCESS
    oauth2:
      grant: refresh_token
      token_url: https://login.example.com/token
      client_id: me
      client_secret: { env: CLIENT_SECRET }
      client_auth: body
      refresh_token: { file: /run/secrets/refresh }
      scopes: [read]
      audience: api
`;
  const expected: CredentialSpec[] = [
    {
      name: 'TOKEN',
      source: ENV,
      bindings: [{ host: 'api.github.com', path: '/repos/**' }],
      prefix: 'ghp_',
    },
    { name: 'KEY', source: { kind: 'file', path: '/run/secrets/key' }, bindings: [], provider: 'work' },
    {
      name: 'CLI',
      source: { kind: 'command', argv: ['gh', 'auth', 'token'], ttlSeconds: 60 },
      bindings: [{ host: '10.0.0.1', port: 8080, insecure: true }],
    },
    {
      name: 'ACCESS',
      source: {
        kind: 'oauth2',
        grant: { type: 'refresh_token', refreshToken: { kind: 'file', path: '/run/secrets/refresh' } },
        tokenUrl: 'https://login.example.com/token',
        clientId: 'me',
        clientSecret: { kind: 'env', variable: 'CLIENT_SECRET' },
        clientAuth: 'body',
        scopes: ['read'],
        audience: 'api',
      },
      bindings: [],
    },
  ];
  assert.deepEqual(parseCredentialFile(file), expected);
});

describe('a credentials file is refused, with line and column', () => {
  for (const [name, file, message] of [
    ['empty', '', /^c\.yaml:1:1: .*empty/],
    ['an unknown field', 'credentials:\n  - name: A\n    valu: x\n', /^c\.yaml:3:5: credentials\[0\]/],
    ['no name', 'credentials:\n  - env: A\n', /^c\.yaml:2:5: credentials\[0\]/],
    ['two sources', 'credentials:\n  - name: A\n    env: B\n    file: /c\n', /^c\.yaml:2:5: .*More than one/],
    ['ttl without command', 'credentials:\n  - name: A\n    ttl_seconds: 5\n', /^c\.yaml:3:18: .*without/],
    [
      'a refresh grant without its token',
      'credentials:\n  - name: A\n    oauth2: { grant: refresh_token, token_url: "https://a", client_id: b }\n',
      /^c\.yaml:3:\d+: .*where the value comes from/,
    ],
    ['an anchor', 'credentials: &a\n  - name: A\n', /^c\.yaml:2:3: .*anchor/],
  ] as const) {
    test(name, () => {
      assert.throws(() => parseCredentialFile(file, 'c.yaml'), { code: 'credentials_invalid', message });
    });
  }
});
