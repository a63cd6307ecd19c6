import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { planUserForRoot, planUserForUser } from './user.ts';

const HOME = '/home/sandbox';
const lines = (bytes: Uint8Array | undefined): string[] =>
  Buffer.from(bytes ?? [])
    .toString()
    .trim()
    .split('\n');

describe('the workload’s user when root starts it', () => {
  const requests = [
    {},
    { user: '0', group: '0' },
    { user: 'root', group: 'root' },
    { user: 'no-such-user' },
    { user: '-1' },
    { user: '00' },
  ];
  for (const request of requests) {
    test(`is never root: ${JSON.stringify(request)}`, () => {
      const { user, passwd } = planUserForRoot(request, HOME);
      assert.ok(user.uid > 0 && user.gid > 0);
      assert.notEqual(user.name, 'root');
      assert.equal(lines(passwd).filter((line) => line.split(':')[2] === String(user.uid)).length, 1);
    });
  }

  test('has a name, a group and a home inside', () => {
    const { user, passwd, group } = planUserForRoot({}, HOME);
    assert.equal(user.name, 'sandbox');
    assert.ok(
      lines(passwd).some(
        (line) => line.startsWith(`sandbox:x:${user.uid}:${user.gid}:`) && line.includes(`:${HOME}:`),
      ),
    );
    assert.ok(lines(group).includes(`sandbox:x:${user.gid}:`));
    assert.ok(lines(passwd).some((line) => line.startsWith('root:')));
  });

  test('may be the one that the policy names', () => {
    const { user } = planUserForRoot({ user: '4242', group: '4343' }, HOME);
    assert.deepEqual([user.uid, user.gid], [4242, 4343]);
  });
});

test('an ordinary user stays who they are', () => {
  assert.deepEqual(planUserForUser(123_456, 7), { user: { uid: 123_456, gid: 7, name: '123456' } });
});
