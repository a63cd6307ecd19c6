import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { HOSTILE_REQUESTS } from './requests.ts';
import { lineOf, Rig, WAYS_IN } from './rig.ts';

/** Bytes that readers differ about. */
const PIECES = [
  '\r',
  '\n',
  '\r\n',
  '\r\n\r\n',
  ' ',
  '\t',
  '\0',
  ':',
  ',',
  ';',
  '0',
  '3',
  '%',
  '/',
  '..',
  '\x0b',
  '\x85',
  '\xa0',
].concat(
  ['chunked', 'Content-Length: 5\r\n', 'Transfer-Encoding: chunked\r\n', 'Host: evil.example\r\n'],
  ['GET /closed HTTP/1.1\r\nHost: api.example\r\n\r\n', '0\r\n\r\n'],
);

type Change =
  | { readonly kind: 'insert' | 'replace'; readonly at: number; readonly piece: string }
  | { readonly kind: 'remove'; readonly at: number; readonly length: number }
  | { readonly kind: 'repeat'; readonly at: number; readonly length: number };

const at = fc.double({ min: 0, max: 1, noNaN: true, maxExcluded: true });
const change: fc.Arbitrary<Change> = fc.oneof(
  fc.record({ kind: fc.constantFrom('insert', 'replace'), at, piece: fc.constantFrom(...PIECES) }),
  fc.record({ kind: fc.constantFrom('remove', 'repeat'), at, length: fc.integer({ min: 1, max: 40 }) }),
);

function changed(text: string, change: Change): string {
  const from = Math.floor(change.at * text.length);
  switch (change.kind) {
    case 'insert':
      return text.slice(0, from) + change.piece + text.slice(from);
    case 'replace':
      return text.slice(0, from) + change.piece + text.slice(from + change.piece.length);
    case 'remove':
      return text.slice(0, from) + text.slice(from + change.length);
    case 'repeat':
      return text.slice(0, from + change.length) + text.slice(from);
    default:
      return change satisfies never;
  }
}

const ALLOWED = /^(?:GET|POST) \/open(?:\/[^?]*)?(?:\?.*)?$/i;

describe('random changes of hostile requests', () => {
  for (const wayIn of WAYS_IN) {
    test(`reach the origin as whole allowed requests or not at all, over ${wayIn}`, async () => {
      await using rig = await Rig.start(wayIn);
      const cases = HOSTILE_REQUESTS.filter(({ bytes }) => bytes.length < 3000);
      await fc.assert(
        fc.asyncProperty(
          fc.constantFrom(...cases),
          fc.array(change, { minLength: 1, maxLength: 3 }),
          fc.array(at, { maxLength: 3 }),
          async ({ bytes }, changes, cuts) => {
            rig.reset();
            const text = changes.reduce(changed, rig.bytesFor(bytes));
            const client = await rig.client();
            let sent = 0;
            for (const end of cuts.map((cut) => Math.floor(cut * text.length)).sort((a, b) => a - b)) {
              client.send(text.slice(sent, end));
              sent = end;
              await new Promise(setImmediate);
            }
            client.send(text.slice(sent));
            client.socket.end();
            await client.closed();
            client.socket.destroy();
            assert.deepEqual(rig.violations, []);
            for (const request of rig.seen) {
              assert.match(lineOf(request), ALLOWED);
              const hosts = request.fields.filter(([name]) => name === 'host').map(([, value]) => value);
              assert.deepEqual(hosts, ['api.example']);
            }
          },
        ),
        { numRuns: 150 },
      );
    });
  }
});
