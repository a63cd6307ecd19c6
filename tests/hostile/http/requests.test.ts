import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { HOSTILE_REQUESTS } from './requests.ts';
import { lineOf, Rig, statusesOf, WAYS_IN } from './rig.ts';

for (const wayIn of WAYS_IN) {
  describe(`hostile requests over ${wayIn}`, () => {
    let rig: Rig;
    before(async () => {
      rig = await Rig.start(wayIn);
    });
    after(() => rig[Symbol.asyncDispose]());

    for (const { name, bytes, statuses, seen = [], inTunnel } of HOSTILE_REQUESTS) {
      if (inTunnel && wayIn !== 'a tunnel' && wayIn !== 'intercepted TLS') continue;
      test(name, async () => {
        rig.reset();
        const client = await rig.client();
        client.send(rig.bytesFor(bytes));
        // Some wait for more than was sent; nobody may wait for ever.
        await client.wait(
          () =>
            client.end !== undefined || statusesOf(client.text, false).length >= statuses.length
              ? true
              : undefined,
          'an answer or the end',
        );
        client.socket.end();
        await client.closed();
        assert.deepEqual(rig.violations, []);
        assert.deepEqual(rig.seen.map(lineOf), seen);
        const got = statusesOf(client.text, true);
        // A captured connection whose request cannot be read has no name that policy could allow.
        const nameless = wayIn === 'a captured connection' && seen.length === 0 && got[0] === 403;
        // In plain text, what does not begin like HTTP is of an unknown protocol, which has no answers.
        const unread = wayIn !== 'intercepted TLS' && wayIn !== 'the forward proxy' && got.length === 0;
        assert.deepEqual(got, nameless ? [403] : unread && seen.length === 0 ? [] : statuses);
        for (const { fields } of rig.seen) {
          const names = fields.map(([field]) => field);
          assert.deepEqual(
            fields.filter(([field]) => field === 'host').map(([, value]) => value),
            ['api.example'],
          );
          for (const own of ['upgrade', 'http2-settings', 'x-secret', 'te', 'expect', 'connection'])
            assert.ok(!names.includes(own), own);
        }
        client.socket.destroy();
      });
    }
  });
}
