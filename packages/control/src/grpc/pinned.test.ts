import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { status } from '@grpc/grpc-js';
import { loadFileDescriptorSetFromBuffer } from '@grpc/proto-loader';
import { A, policyFor, spec } from '../testing/index.ts';
import { pinnedBytes } from './test-support/descriptor-facts.ts';
import { RawClient } from './test-support/raw-client.ts';
import { servedProxy } from './test-support/served-proxy.ts';

const PROTOCOL_1 = loadFileDescriptorSetFromBuffer(pinnedBytes(1), {
  keepCase: true,
  longs: Number,
  oneofs: true,
});

const HELLO = { name: 'old', protocol: { min: 1, max: 1 }, role: 'controller' };

/** As the messages of version 1 have it. */
const tenant = {
  id: A,
  identity: 'not-required',
  recognitions: spec(A).recognitions.map((recognition) =>
    recognition.kind === 'credentials'
      ? {
          credentials: {
            username: recognition.username,
            password_sha256: recognition.passwordSha256,
          },
        }
      : {},
  ),
};
const { name, text } = policyFor('docs.example');

describe('a controller of protocol 1, from its descriptor alone', () => {
  test('says hello, registers, applies, reads status and events, asks', async () => {
    await using served = await servedProxy();
    using client = new RawClient(served.path, PROTOCOL_1);
    const hello = await client.connect(HELLO);
    assert.equal(hello.protocol, 1);
    assert.deepEqual(hello.range, { min: 1, max: 2 });

    const { report } = await client.call('RegisterTenant', { tenant });
    assert.equal((report as { id: string }).id, A);
    const { applied } = await client.call('Apply', { tenant: A, policy: { text: { name, text } } });
    const { installed } = applied as { installed: { generation: number; hash: string } };
    assert.equal(installed.generation, 1);

    const { refused } = await client.call('Apply', {
      tenant: A,
      policy: { text: { name, text: `${text}\nversoin: 1\n` } },
    });
    const { code, problems } = refused as { code: string; problems: { line: number; name: string }[] };
    assert.equal(code, 'generation_refused');
    assert.ok(problems[0]?.line === 7 && problems[0].name === name, JSON.stringify(problems));

    const status = await client.call('GetStatus', {});
    assert.equal(status.state, 'ready');
    await served.proxy.provoke(A);
    const after = { instance: hello.instance, sequence: 0 };
    const events = await Array.fromAsync(client.follow('FollowEvents', { after, denials_only: true }));
    const [{ event }] = events as [{ event: { tenant: string; ocsf_json: Buffer } }];
    assert.equal(event.tenant, A);
    assert.equal(JSON.parse(`${event.ocsf_json}`).metadata.tenant_uid, A);

    const question = { tenant: A, host: 'docs.example', port: 443 };
    assert.equal((await client.call('Explain', question)).allowed, true);
    const { authority } = await client.call('GetAuthority', {});
    assert.equal((authority as { certificates: unknown[] }).certificates.length, 1);
    await client.call('RemoveTenant', { id: A });
    await client.call('EndSession', {});
    assert.equal(served.proxy.desk.controller, undefined);
  });

  test('is told who took over', async () => {
    await using served = await servedProxy();
    using first = new RawClient(served.path, PROTOCOL_1);
    using second = new RawClient(served.path, PROTOCOL_1);
    const messages = first.follow('Connect', HELLO)[Symbol.asyncIterator]();
    await messages.next();
    await second.connect({ ...HELLO, name: 'new', take_over: true });
    const { value } = await messages.next();
    assert.deepEqual(value.end.taken_over, { by: 'new' });
    assert.equal((await messages.next()).done, true);
  });

  test('that speaks no common version is told both ranges', async () => {
    await using served = await servedProxy();
    using client = new RawClient(served.path, PROTOCOL_1);
    await assert.rejects(
      client.connect({ ...HELLO, protocol: { min: 3, max: 4 } }),
      (error: { code: number; details: string }) =>
        error.code === 9 && /version 1 to 2\b.* 3 to 4\b/.test(error.details),
    );
  });

  test('that brings no token is told so in a status that it understands', async () => {
    await using served = await servedProxy({ tokenFile: '/nonexistent' });
    using client = new RawClient(served.path, PROTOCOL_1);
    await assert.rejects(
      client.connect(HELLO),
      (error: { code: number; details: string }) =>
        error.code === status.UNAUTHENTICATED && /needs its token/.test(error.details),
    );
  });
});
