import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { GenerationParts, TextPart } from '../contract/generation.ts';
import { generationHash, textHash } from '../contract/generation-hash.ts';
import {
  A,
  B,
  CREDENTIALS,
  connect,
  FULL,
  install,
  type MakeSubject,
  policyFor,
  refused,
  SECRET,
  spec,
} from './contract-subject.ts';

const BROKEN_POLICY: TextPart = {
  kind: 'text',
  name: 'broken.yaml',
  text: `version: 1
network_policies:
  docs:
    endpoints:
      - { host: docs.example, port: 99999 }
      - { hots: docs.example, port: 443 }
`,
};
const BROKEN_CREDENTIALS: TextPart = { kind: 'text', name: 'keys.yaml', text: '\ncredentails: []\n' };
const BROKEN_ROUTES: TextPart = { kind: 'text', name: 'models.yaml', text: '\n\nruotes: []\n' };

const keep = (part: TextPart) => ({ kind: 'keep', hash: textHash(part.text) }) as const;

/** Applying, all or nothing. */
export function generationsContract(make: MakeSubject): void {
  test('a generation that was applied is in force, and is called by hashes that both sides compute', async () => {
    await using subject = await make();
    await using session = await connect(subject);
    await session.registerTenant(spec(A));
    const { installed, unchanged, mode } = await session.apply({ tenant: A, parts: FULL, mode: 'install' });
    assert.deepEqual({ unchanged, mode }, { unchanged: false, mode: 'install' });
    assert.equal(installed.tenant, A);
    assert.equal(installed.generation, 1);
    const { policy } = FULL as { policy: TextPart };
    const parts = {
      policy: textHash(policy.text),
      credentials: textHash(CREDENTIALS.text),
      secretsRevision: 'r1',
    };
    assert.deepEqual(installed.parts, parts);
    assert.equal(installed.hash, generationHash(parts));
    assert.match(installed.policyHash, /./);
    const { state, tenants } = await session.status();
    assert.equal(state, 'ready');
    assert.deepEqual(tenants[0]?.installed, installed);
  });

  test('the very same again changes nothing, and something else counts on', async () => {
    await using subject = await make();
    await using session = await connect(subject);
    await session.registerTenant(spec(A));
    const first = await session.apply(install(A));
    const same = await session.apply(install(A));
    assert.equal(same.unchanged, true);
    assert.deepEqual(same.installed, first.installed);
    const { installed, unchanged } = await session.apply(install(A, 'other.example'));
    assert.deepEqual([installed.generation, unchanged], [2, false]);
  });

  test('a generation with mistakes is refused with all of them, in every part, and the last good one stays', async () => {
    await using subject = await make();
    await using session = await connect(subject);
    await session.registerTenant(spec(A));
    const { installed } = await session.apply(install(A));
    const parts = { policy: BROKEN_POLICY, credentials: BROKEN_CREDENTIALS, routes: BROKEN_ROUTES };
    const { problems } = await refused(
      session.apply({ tenant: A, parts, mode: 'install' }),
      'generation_refused',
    );
    // A line may have more than one mistake: a key that is not known, and another that is missing.
    assert.deepEqual(
      [...new Set(problems.map(({ part, name, line }) => `${part} ${name}:${line}`))],
      ['policy broken.yaml:5', 'policy broken.yaml:6', 'credentials keys.yaml:2', 'routes models.yaml:3'],
    );
    assert.equal(problems[0]?.path, 'network_policies.docs.endpoints[0].port');
    assert.ok(problems.every(({ column, message }) => column !== undefined && column > 0 && message !== ''));
    assert.deepEqual((await session.status()).tenants[0]?.installed, installed);
  });

  test('a good policy beside bad credentials is not installed either', async () => {
    await using subject = await make();
    await using session = await connect(subject);
    await session.registerTenant(spec(A));
    const parts = { policy: policyFor('docs.example'), credentials: BROKEN_CREDENTIALS };
    await refused(session.apply({ tenant: A, parts, mode: 'install' }), 'generation_refused');
    assert.equal((await session.status()).tenants[0]?.installed, undefined);
  });

  test('a check finds what is wrong, says what would be, and changes nothing', async () => {
    await using subject = await make();
    await using session = await connect(subject);
    await session.registerTenant(spec(A));
    const { installed } = await session.apply({ ...install(A), mode: 'check' });
    assert.equal(installed.generation, 1);
    const bad = { tenant: A, parts: { policy: BROKEN_POLICY }, mode: 'check' } as const;
    assert.equal((await refused(session.apply(bad), 'generation_refused')).problems.length, 2);
    assert.equal((await session.status()).tenants[0]?.installed, undefined);
  });

  test('parts and secrets that are installed already need not be sent again', async () => {
    await using subject = await make();
    await using session = await connect(subject);
    await session.registerTenant(spec(A));
    await session.apply({ tenant: A, parts: FULL, mode: 'install' });
    const parts: GenerationParts = {
      policy: policyFor('other.example'),
      credentials: keep(CREDENTIALS),
      secrets: { kind: 'keep', revision: 'r1' },
    };
    const { installed } = await session.apply({ tenant: A, parts, mode: 'install' });
    assert.equal(installed.generation, 2);
    assert.equal(installed.parts.credentials, textHash(CREDENTIALS.text));
    const same = { ...parts, policy: keep(policyFor('other.example')) };
    assert.equal((await session.apply({ tenant: A, parts: same, mode: 'install' })).unchanged, true);
  });

  const unknown: Readonly<Record<string, Partial<GenerationParts>>> = {
    'a policy': { policy: keep(BROKEN_POLICY) },
    'credentials of another hash': { credentials: keep(BROKEN_CREDENTIALS) },
    'routes where there are none': { routes: keep(BROKEN_ROUTES) },
    'secrets of another revision': { secrets: { kind: 'keep', revision: 'r2' } },
  };
  test('what is to be kept and is not there is refused', async () => {
    await using subject = await make();
    await using session = await connect(subject);
    await session.registerTenant(spec(A));
    await session.registerTenant(spec(B));
    await session.apply({ tenant: A, parts: FULL, mode: 'install' });
    for (const part of Object.values(unknown))
      await refused(
        session.apply({ tenant: A, parts: { ...FULL, ...part }, mode: 'install' }),
        'part_unknown',
      );
    // Another tenant's parts are nobody else's.
    const stolen = { policy: policyFor('docs.example'), credentials: keep(CREDENTIALS) };
    await refused(session.apply({ tenant: B, parts: stolen, mode: 'install' }), 'part_unknown');
  });

  test('a generation is applied only upon the one that was expected', async () => {
    await using subject = await make();
    await using session = await connect(subject);
    await session.registerTenant(spec(A));
    const first = await session.apply({ ...install(A), expected: '' });
    const next = install(A, 'other.example');
    await refused(session.apply({ ...next, expected: '' }), 'generation_changed');
    await refused(session.apply({ ...next, expected: 'ab'.repeat(32) }), 'generation_changed');
    const { installed } = await session.apply({ ...next, expected: first.installed.hash });
    assert.equal(installed.generation, 2);
  });

  test('generations of one tenant that come at once are applied one after the other', async () => {
    await using subject = await make();
    await using session = await connect(subject);
    await session.registerTenant(spec(A));
    const applied = await Promise.all(
      ['a', 'b', 'c', 'd'].map((name) => session.apply(install(A, `${name}.example`))),
    );
    assert.deepEqual(applied.map(({ installed }) => installed.generation as number).sort(), [1, 2, 3, 4]);
    assert.equal((await session.status()).tenants[0]?.installed?.generation, 4);
  });

  test('no secret comes back, in an answer, a status or a refusal', async () => {
    await using subject = await make();
    await using session = await connect(subject);
    await session.registerTenant(spec(A));
    const applied = await session.apply({ tenant: A, parts: FULL, mode: 'install' });
    const { message, problems } = await refused(
      session.apply({ tenant: A, parts: { ...FULL, routes: BROKEN_ROUTES }, mode: 'install' }),
      'generation_refused',
    );
    const said = JSON.stringify([applied, await session.status(), message, problems]);
    assert.ok(!said.includes(SECRET));
  });
}
