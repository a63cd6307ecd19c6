import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatFinding } from '@openshell/policy';
import { parseRoutes } from './route-file.ts';

const FULL = `routes:
  - name: nvidia
    models: ["meta/llama-*", mixtral]
    protocols: [openai_chat_completions, model_discovery]
    base_url: https://integrate.api.nvidia.com/v1
    model: meta/llama-3
    auth: { kind: bearer, env: NVIDIA_API_KEY }
    headers: { X-Team: agents }
    limits: { connect_ms: 1, head_ms: 2, total_ms: 3, chunk_ms: 4, request_bytes: 5, response_bytes: 6 }
  - name: local
    models: ["*"]
    protocols: [openai_chat_completions]
    base_url: http://127.0.0.1:11434
    auth: { kind: none }
`;

test('a file is read as it is meant', () => {
  const result = parseRoutes(FULL);
  assert.deepEqual(result.ok && result.routes, [
    {
      name: 'nvidia',
      models: ['meta/llama-*', 'mixtral'],
      protocols: ['openai_chat_completions', 'model_discovery'],
      baseUrl: 'https://integrate.api.nvidia.com/v1',
      model: 'meta/llama-3',
      auth: { kind: 'bearer', credential: { kind: 'env', variable: 'NVIDIA_API_KEY' } },
      headers: { 'X-Team': 'agents' },
      limits: {
        connectTime: 1,
        headTime: 2,
        totalTime: 3,
        chunkTime: 4,
        requestBytes: 5,
        responseBytes: 6,
      },
    },
    {
      name: 'local',
      models: ['*'],
      protocols: ['openai_chat_completions'],
      baseUrl: 'http://127.0.0.1:11434',
      auth: { kind: 'none' },
    },
  ]);
});

test('JSON is read as well', () => {
  const route = {
    name: 'a',
    models: ['m'],
    protocols: ['anthropic_messages'],
    base_url: 'https://a.com',
    auth: { kind: 'x-api-key', file: '/k' },
  };
  const result = parseRoutes(JSON.stringify({ routes: [route] }));
  assert.deepEqual(result.ok && result.routes[0]?.auth, {
    kind: 'x-api-key',
    credential: { kind: 'file', path: '/k' },
  });
});

test('what is wrong is told with its line and column', () => {
  const base = {
    models: '[m]',
    protocols: '[openai_responses]',
    base_url: 'https://a.com',
    auth: '{ kind: none }',
  };
  const cases: [changes: Record<string, string>, finding: RegExp][] = [
    [{ protocols: '[openai_chat_completion]' }, /^r\.yaml:4:17: routes\[0\]\.protocols\[0\]: .*Did you mean/],
    [{ models: '[]' }, /:3:\d+: routes\[0\]\.models/],
    [{ models: '["[a"]' }, /:3:\d+: routes\[0\]\.models\[0\]/],
    [{ base_url: 'ftp://a.com' }, /:5:\d+: routes\[0\]\.base_url: .*no http or https URL/],
    [{ base_url: 'http://a.com' }, /read the key/],
    [{ base_url: 'https://u:p@a.com' }, /holds credentials/],
    [{ base_url: 'https://a.com/?key=1' }, /a query/],
    [{ auth: '{ kind: bearer }' }, /0 sources of the key/],
    [{ auth: '{ kind: bearer, env: A, file: /b }' }, /2 sources of the key/],
    [{ auth: '{ kind: bearer, env: A, header: B }' }, /"header" goes with/],
    [{ auth: '{ kind: header, env: A }' }, /"header" goes with/],
    [{ auth: '{ kind: header, env: A, header: host }' }, /cannot carry a key/],
    [{ auth: '{ kind: none, env: A }' }, /"kind" is "none"/],
    [
      { headers: '{ Authorization: x }' },
      /:7:16: routes\[0\]\.headers\.Authorization: "Authorization" carries a key/,
    ],
    [{ headers: '{ Host: x }' }, /written by the proxy/],
    [{ headers: '{ "a b": x }' }, /no header field/],
    [{ limits: '{ connect_ms: 0 }' }, /limits\.connect_ms/],
    [{ url: 'x' }, /"url" is not a field/],
  ];
  for (const [changes, finding] of cases) {
    const fields = Object.entries({ ...base, ...changes }).map(([name, value]) => `    ${name}: ${value}\n`);
    const result = parseRoutes(`routes:\n  - name: a\n${fields.join('')}`, 'r.yaml');
    assert.equal(result.ok, false, JSON.stringify(changes));
    const texts = result.ok ? [] : result.problems.map(formatFinding);
    assert.ok(
      texts.some((text) => finding.test(text)),
      texts.join('\n'),
    );
  }
});

test('files that are none are refused', () => {
  for (const text of [
    '',
    'routes: []',
    'routes:',
    '[]',
    'routes: [1]',
    'routes: [',
    FULL.replace('local', 'nvidia'),
  ])
    assert.equal(parseRoutes(text).ok, false, text);
});
