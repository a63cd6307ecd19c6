import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { takeActivatedSockets } from './activation.ts';

describe('sockets that systemd hands over', () => {
  const cases: readonly [
    what: string,
    environment: Record<string, string>,
    expected: [string, number[]][],
  ][] = [
    ['none', {}, []],
    ['for another process', { LISTEN_PID: '6', LISTEN_FDS: '1' }, []],
    ['without a process', { LISTEN_FDS: '1' }, []],
    [
      'one without a name',
      { LISTEN_PID: '5', LISTEN_FDS: '1' },
      [
        ['3', [3]],
        ['unknown', [3]],
      ],
    ],
    [
      'several, some of one name',
      { LISTEN_PID: '5', LISTEN_FDS: '3', LISTEN_FDNAMES: 'proxy:status:proxy' },
      [
        ['3', [3]],
        ['proxy', [3, 5]],
        ['4', [4]],
        ['status', [4]],
        ['5', [5]],
      ],
    ],
  ];
  for (const [what, environment, expected] of cases)
    test(`${what} are found by name and number, and the variables are gone`, () => {
      const variables = { ...environment, HOME: '/' };
      assert.deepEqual([...takeActivatedSockets(variables, 5)].sort(), expected.sort());
      assert.deepEqual(variables, { HOME: '/' });
    });

  for (const count of ['', '-1', 'x', '99999'])
    test(`of the number ${JSON.stringify(count)} are refused`, () => {
      assert.throws(() => takeActivatedSockets({ LISTEN_PID: '5', LISTEN_FDS: count }, 5), {
        code: 'activation_invalid',
      });
    });
});
