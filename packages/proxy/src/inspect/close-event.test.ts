import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Fixture } from '../test-support/fixture.ts';
import {
  apiPolicy,
  HOST,
  inspecting,
  plainClient,
  ScriptedOrigin,
  secureClient,
} from '../test-support/inspected.ts';
import { Wire } from '../test-support/wire.ts';

const FULL = 'protocol: rest, access: full';
const ANSWER = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';

async function ask(client: Wire, origin: ScriptedOrigin): Promise<void> {
  client.send(`PUT / HTTP/1.1\r\nHost: ${HOST}\r\nContent-Length: 3\r\n\r\nabc`);
  const upstream = await origin.connection();
  await upstream.request();
  upstream.send(ANSWER);
  await client.response();
}

interface Case {
  readonly name: string;
  readonly origin: 'start' | 'startSecure';
  readonly use: (fixture: Fixture, origin: ScriptedOrigin) => Promise<void>;
  readonly reason?: RegExp;
}

const cases: readonly Case[] = [
  {
    name: 'by its client',
    origin: 'start',
    use: async (fixture, origin) => {
      const client = await plainClient(fixture);
      await ask(client, origin);
      client.socket.end();
    },
  },
  {
    name: 'by its client, in TLS',
    origin: 'startSecure',
    use: async (fixture, origin) => {
      const client = await secureClient(fixture);
      await ask(client, origin);
      client.socket.end();
    },
  },
  {
    name: 'by a new policy',
    origin: 'start',
    use: async (fixture, origin) => {
      const client = await plainClient(fixture);
      await ask(client, origin);
      fixture.tenant.apply(apiPolicy(FULL, 2, 'other.example'));
      await client.closed();
      client.socket.end();
    },
    reason: /^generation 2: /,
  },
  {
    name: 'because it speaks neither TLS nor HTTP',
    origin: 'start',
    use: async (fixture) => {
      const client = await plainClient(fixture);
      client.send('\0\0\0\0\r\n\r\n');
      await client.closed();
    },
  },
  {
    name: 'within the handshake of TLS',
    origin: 'start',
    use: async (fixture) => {
      const client = new Wire(await fixture.tunnel(`${HOST}:443`));
      // A ClientHello of one byte.
      client.send(Buffer.from([22, 3, 1, 0, 5, 1, 0, 0, 1, 3]));
      await client.closed();
      client.socket.end();
    },
  },
];

describe('an inspected connection that ends', () => {
  for (const { name, origin, use, reason } of cases)
    test(`${name} is said to have been closed as it was said to have been opened: once`, async () => {
      await using fixture = await inspecting(FULL);
      await use(fixture, await ScriptedOrigin[origin](fixture));
      await fixture.tenant.idle();
      const events = fixture.sink.events.filter(({ class_uid }) => class_uid === 4001) as unknown as Shown[];
      const named = (activity: string): Shown[] =>
        events.filter(({ activity_name }) => activity_name === activity);
      const [[opened, ...more], [closed, ...others]] = [named('Open'), named('Close')];
      assert.deepEqual([more, others], [[], []]);
      if (opened === undefined) assert.equal(closed, undefined);
      else {
        assert.equal(closed?.metadata.correlation_uid, opened.metadata.correlation_uid);
        assert.ok(closed!.traffic.bytes_out >= 8);
        assert.match(closed!.status_detail ?? '', reason ?? /^$/);
        assert.equal(fixture.sink.events.at(-1), closed, 'it comes last');
      }
      // What requests moved is counted once.
      const { bytesOut, bytesIn } = fixture.tenant.status().counters;
      assert.ok(bytesOut <= 3 && bytesIn <= 2);
    });
});

interface Shown {
  readonly activity_name: string;
  readonly metadata: { readonly correlation_uid: string };
  readonly traffic: { readonly bytes_in: number; readonly bytes_out: number };
  readonly status_detail?: string;
}
