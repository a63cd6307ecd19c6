import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sandboxId } from '@openshell/base';
import { type ExplainAnswer, type ExplainQuery, PROTOCOL } from '@openshell/control';
import { hostOf } from './testing/host.ts';

const A = sandboxId('tenant-a');

const POLICY = `version: 1
network_policies:
  api:
    endpoints:
      - { host: api.test, port: 443, protocol: rest, access: read-only }
      - { host: raw.test, port: 22, protocol: tcp }
      - { host: 127.0.0.1, port: 443 }
    binaries: [{ path: /usr/bin/curl }]
`;

type Asked = Omit<ExplainQuery, 'tenant' | 'binaries'> & { readonly binaries?: readonly string[] };

const CASES: readonly [Asked, Partial<ExplainAnswer> & { readonly why?: RegExp }][] = [
  [
    { host: 'API.test.', port: 443 },
    { allowed: true, policy: 'api', inspected: true, generation: 1 },
  ],
  [
    { host: 'raw.test', port: 22 },
    { allowed: true, inspected: false },
  ],
  [
    { host: 'api.test', port: 80 },
    { allowed: false, code: 'endpoint_not_allowed', why: /api\.test:80/ },
  ],
  [
    { host: 'raw.test', port: 22, binaries: ['/bin/nc'] },
    { allowed: false, code: 'binary_not_allowed' },
  ],
  [{ host: 'raw.test', port: 22, binaries: ['/bin/sh', '/usr/bin/curl'] }, { allowed: true }],
  [
    { host: 'raw.test', port: 22, binaries: [] },
    { allowed: false, code: 'identity_unknown' },
  ],
  [
    { host: 'api.test', port: 443, request: { method: 'GET', target: '/a?b=c' } },
    { allowed: true, inspected: true },
  ],
  [
    { host: 'api.test', port: 443, request: { method: 'DELETE', target: '/a' } },
    { allowed: false, inspected: true, code: 'request_not_allowed' },
  ],
  [
    { host: '127.0.0.1', port: 443 },
    { allowed: false, code: 'ssrf_denied', why: /loopback/ },
  ],
  [
    { host: 'inference.local', port: 443 },
    { allowed: false, code: 'inference_not_configured' },
  ],
];

test('an attempt is explained by what is in force, as the proxy would decide it', async () => {
  await using fixture = await hostOf();
  const controller = { name: 'test', protocol: PROTOCOL, role: 'controller' } as const;
  await using session = await fixture.host.control({ sources: 'pushed', name: 'test' }).connect(controller);
  await session.registerTenant({
    id: A,
    recognitions: [{ kind: 'listener', host: '127.0.0.1', port: 0 }],
    identity: 'required',
  });
  const policy = { kind: 'text', name: 'policy.yaml', text: POLICY } as const;
  await session.apply({ tenant: A, parts: { policy }, mode: 'install' });
  for (const [asked, { why, ...expected }] of CASES) {
    const answer = await session.explain({ tenant: A, binaries: ['/usr/bin/curl'], ...asked });
    const what = JSON.stringify([asked, answer]);
    for (const [field, value] of Object.entries(expected))
      assert.deepEqual(answer[field as keyof ExplainAnswer], value, `${field} of ${what}`);
    if (why !== undefined) assert.match(answer.reason, why, what);
    if (!answer.allowed) assert.notEqual(answer.remedy, '', what);
  }
  for (const wrong of [{ host: 'https://api.test' }, { request: { method: 'GET', target: '/%zz' } }])
    await assert.rejects(
      session.explain({ tenant: A, host: 'api.test', port: 443, binaries: [], ...wrong }),
      { code: 'request_invalid' },
    );
});
