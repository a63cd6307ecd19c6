import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { parseMessage, statusOf } from '../../../packages/proxy/src/test-support/wire.ts';
import { HOSTILE_RESPONSES } from './responses.ts';
import { Rig } from './rig.ts';

const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nnext';
const request = (method: string, path: string): string =>
  `${method} ${path} HTTP/1.1\r\nHost: api.example\r\n\r\n`;
/** For the client only, and only from the origin that it asked. */
const OWN = ['x-mine', 'keep-alive', 'upgrade', 'connection', 'set-cookie'];

for (const wayIn of ['a tunnel', 'intercepted TLS'] as const) {
  describe(`hostile responses over ${wayIn}`, () => {
    let rig: Rig;
    before(async () => {
      rig = await Rig.start(wayIn);
    });
    after(() => rig[Symbol.asyncDispose]());

    for (const { name, bytes, ends, method = 'GET', gets } of HOSTILE_RESPONSES) {
      test(name, async () => {
        rig.reset();
        rig.answer = ({ start }) => (start.includes('/open/next') ? OK : bytes);
        rig.ends = ends === true || gets === 'cut' || gets[0] === 502;
        const client = await rig.client();
        // The second request is there before the first is answered: what is behind the first answer must not become its own.
        client.send(request(method, '/open/a') + (gets === 'cut' ? '' : request('GET', '/open/next')));
        if (gets === 'cut') {
          await client.closed();
          const parsed = parseMessage(client.text, { kind: 'response', method, ended: false });
          assert.equal(parsed.kind, 'more', client.text.slice(0, 300));
          return;
        }
        const first = await client.response(method);
        assert.equal(statusOf(first), gets[0]);
        if (gets[0] !== 502) assert.equal(first.body, gets[1]);
        else assert.match(JSON.parse(first.body).error, /^upstream_/);
        for (const [field] of first.fields) assert.ok(!OWN.includes(field), field);
        assert.equal((await client.response()).body, 'next');
        assert.equal(client.text, '');
        client.socket.destroy();
      });
    }
  });
}

test('what an origin says before it is asked answers nobody', async () => {
  await using rig = await Rig.start('a tunnel');
  rig.greeting = 'HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil';
  const client = await rig.client();
  client.send(request('GET', '/open/a'));
  const answer = await client.response();
  // Whether it comes before or after the request is a race that the origin decides; it is an answer to no other request.
  assert.ok([200, 502].includes(statusOf(answer)));
  if (statusOf(answer) === 200) assert.match(answer.body, /^(?:ok|evil)$/);
  rig.greeting = '';
  client.send(request('GET', '/open/b'));
  assert.equal((await client.response()).body, 'ok');
});
