import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { Socket } from 'node:net';
import { describe, test } from 'node:test';
import type { HttpEvent } from '@openshell/audit';
import { generation } from '@openshell/base';
import { compilePolicy, defaultPolicy, LearningEngine, LearningRecord } from '@openshell/policy';
import { NO_CREDENTIALS } from '../tenant/settings.ts';
import { Fixture, type FixtureOptions } from '../test-support/fixture.ts';

interface World {
  readonly fixture: Fixture;
  readonly record: LearningRecord;
}

async function learning(options: Partial<FixtureOptions> = {}): Promise<World> {
  const record = new LearningRecord();
  const engine = new LearningEngine(compilePolicy(defaultPolicy, generation(1)), record);
  const settings = { engine, credentials: NO_CREDENTIALS };
  return { fixture: await Fixture.start({ allow: [], ...options, settings }), record };
}

/** A tunnel to a name that no policy has, up to the proxy's answer. */
async function tunnel(fixture: Fixture, authority: string): Promise<Socket> {
  const client = await fixture.client();
  client.write(`CONNECT ${authority} HTTP/1.1\r\nHost: ${authority}\r\n\r\n`);
  const [answer] = (await once(client, 'data')) as [Buffer];
  assert.match(answer.toString(), /^HTTP\/1\.1 200 /);
  return client;
}

async function nextText(socket: Socket): Promise<string> {
  const [bytes] = (await once(socket, 'data')) as [Buffer];
  return bytes.toString();
}

describe('a learning proxy', () => {
  test('passes on a protocol that it cannot read', async () => {
    const { fixture, record } = await learning();
    await using _ = fixture;
    await fixture.origin('ssh.example.net', (socket) => socket.pipe(socket));
    const client = await tunnel(fixture, 'ssh.example.net:22');
    client.write('SSH-2.0-x\r\n');
    assert.equal(await nextText(client), 'SSH-2.0-x\r\n');
    client.destroy();
    assert.deepEqual(
      record.denials.map(({ stage, host, port }) => [stage, host, port]),
      [['connect', 'ssh.example.net', 22]],
    );
  });

  test('lets a server speak first', async () => {
    const { fixture } = await learning({ limits: { peekTime: 20 } });
    await using _ = fixture;
    await fixture.origin('mail.example.net', (socket) => socket.write('220 ready\r\n'));
    const client = await tunnel(fixture, 'mail.example.net:25');
    assert.equal(await nextText(client), '220 ready\r\n');
    client.destroy();
  });

  test('reads requests, lets them through, and reports them as watched', async () => {
    const { fixture, record } = await learning();
    await using _ = fixture;
    await fixture.origin('web.example.net', (socket) =>
      socket.once('data', () => socket.end('HTTP/1.1 204 No Content\r\n\r\n')),
    );
    const client = await tunnel(fixture, 'web.example.net:80');
    client.write('GET /a?token=hunter2 HTTP/1.1\r\nHost: web.example.net\r\n\r\n');
    assert.match(await nextText(client), /^HTTP\/1\.1 204 /);
    client.destroy();
    const [event] = fixture.sink.events.filter((event): event is HttpEvent => event.class_uid === 4002);
    assert.deepEqual([event?.action, event?.http_request.url.path], ['Observed', '/a']);
    assert.ok(!JSON.stringify([fixture.sink.events, record.denials]).includes('hunter2'));
    const { method, path } = record.denials.find(({ stage }) => stage === 'request') ?? {};
    assert.deepEqual([method, path], ['GET', '/a']);
  });

  for (const address of ['10.1.2.3', '169.254.169.254', '127.0.0.1']) {
    test(`leads nobody to ${address}, whatever the name`, async () => {
      const { fixture } = await learning({ resolver: { lookup: async () => [address] } });
      await using _ = fixture;
      const client = await tunnel(fixture, 'inner.example.net:80');
      client.write('GET / HTTP/1.1\r\nHost: inner.example.net\r\n\r\n');
      assert.match(await nextText(client), /ssrf_denied/);
      client.destroy();
      assert.deepEqual(
        fixture.refusals.map(({ code }) => code),
        ['ssrf_denied'],
      );
    });
  }
});
