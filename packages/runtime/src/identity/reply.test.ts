import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { readWhoReply } from './reply.ts';

const hex = (text: string): string => Buffer.from(text).toString('hex');
const CURL = `7 2049 131 4096 10.000000001 11.5 ${hex('/usr/bin/curl')}`;
const SHELL = `2 2049 132 8192 12.0 13.0 ${hex('/usr/bin/da sh\n')}`;

describe('the launcher’s answer', () => {
  test('names each holder with its ancestors', () => {
    const reply = readWhoReply(`who 5 ok owner ${CURL} ${SHELL} owner ${SHELL}`);
    assert.ok(reply && 'owners' in reply);
    assert.deepEqual(
      reply.owners.map((chain) => chain.map(({ pid, exe }) => `${pid} ${exe}`)),
      [['7 /usr/bin/curl', '2 /usr/bin/da sh\n'], ['2 /usr/bin/da sh\n']],
    );
    assert.deepEqual(reply.owners[0]?.[0], {
      pid: 7,
      dev: 2049n,
      ino: 131n,
      size: 4096n,
      mtime: '10.000000001',
      ctime: '11.5',
      exe: '/usr/bin/curl',
    });
  });

  const problems: readonly [line: string, problem: string][] = [
    ['who 5 no gone', 'gone'],
    ['who 5 no many', 'many'],
    ['who 5 no', 'unreadable'],
    ['who 5', 'unreadable'],
    ['who 5 ok', 'none'],
    ['who 5 ok owner', 'none'],
    [`who 5 ok owner ${CURL} owner`, 'none'],
    ['who 5 ok owner 7 2049 131', 'unreadable'],
  ];
  for (const [line, problem] of problems) {
    test(`is a problem, never an identity: ${line.slice(0, 24)}`, () =>
      assert.deepEqual(readWhoReply(line), { id: 5, problem }));
  }

  for (const line of ['', 'ready 1 2 3', 'whoever 5 ok', 'who x ok', 'who 1.5 no gone']) {
    test(`is something else: '${line}'`, () => assert.equal(readWhoReply(line), undefined));
  }

  const word = fc.oneof(
    fc.constantFrom('who', 'ok', 'no', 'owner', '0', '1', '-1', '1e9', 'NaN', '', hex('/x')),
    fc.string(),
  );
  test('whatever it says, is read without an exception and gives no empty holder', () => {
    fc.assert(
      fc.property(fc.array(word, { maxLength: 24 }), (words) => {
        const reply = readWhoReply(['who', '1', 'ok', 'owner', ...words].join(' '));
        if (reply && 'owners' in reply) {
          assert.ok(reply.owners.length > 0);
          for (const chain of reply.owners) assert.ok(chain.length > 0);
        }
      }),
    );
  });
});
