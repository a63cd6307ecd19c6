import assert from 'node:assert/strict';
import { test } from 'node:test';
import { limitsWith } from '../limits.ts';
import { backendDestination, backendOf } from './backend.ts';

const of = (baseUrl: string) => backendOf({ name: 'a', baseUrl });

test('a base URL without a path gets the usual one; a path stands in its place', () => {
  const cases: [baseUrl: string, authority: string, basePath: string, port: number][] = [
    ['https://api.openai.com', 'api.openai.com', '/v1', 443],
    ['https://api.openai.com/v1/', 'api.openai.com', '/v1', 443],
    ['https://API.example.com:8443/v1beta/openai', 'api.example.com:8443', '/v1beta/openai', 8443],
    ['http://[::1]:11434', '[::1]:11434', '/v1', 11_434],
  ];
  for (const [baseUrl, authority, basePath, port] of cases) {
    const backend = of(baseUrl);
    assert.deepEqual([backend.authority, backend.basePath, backend.port], [authority, basePath, port]);
  }
});

test('a base URL that cannot be meant is refused without showing what it holds', () => {
  for (const baseUrl of [
    '',
    'file:///etc',
    'http://example.com',
    'https://a:secret@b.com',
    'https://a.com/#x',
  ])
    assert.throws(
      () => of(baseUrl),
      (error: Error & { code?: string }) =>
        error.code === 'bad_inference_route' && !error.message.includes('secret'),
    );
});

const plan = (baseUrl: string, addresses: readonly string[]) =>
  backendDestination(of(baseUrl), {
    resolver: { lookup: async () => addresses },
    overrides: [],
    limits: limitsWith(),
  }).plan();

test('any address will do for https, since the operator has named the backend', async () => {
  const found = await plan('https://models.internal', ['10.0.0.1', '127.0.0.1']);
  assert.ok(found.kind === 'plan' && found.overridden && found.targets.length === 2);
});

test('plain http stays on this machine, whatever the name resolves to', async () => {
  assert.equal((await plan('http://localhost', ['127.0.0.1', '::1'])).kind, 'plan');
  assert.equal((await plan('http://localhost', ['127.0.0.1', '192.0.2.1'])).kind, 'refused');
});
