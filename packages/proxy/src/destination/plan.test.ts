import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { limitsWith } from '../limits.ts';
import { OwnListeners } from './own-listeners.ts';
import { type DestinationPlan, planDestination } from './plan.ts';

const OVERRIDES = [
  { name: 'placed.example', port: 80, address: '127.0.0.1', toPort: 8080 },
  { name: 'placed.example', address: '::1' },
];

const ANSWERS: Record<string, string[]> = {
  'public.example': ['93.184.216.34', '93.184.216.34', '2606:4700::1'],
  'private.example': ['10.1.2.3'],
  'mixed.example': ['93.184.216.34', '10.1.2.3'],
  'loop.example': ['127.0.0.1'],
  'mapped.example': ['::ffff:127.0.0.1'],
  'metadata.example': ['169.254.169.254'],
  'synthetic.example': ['198.18.0.1'],
  'none.example': [],
  'own.example': ['10.9.9.8', 'fd00::9'],
  'garbage.example': ['not an address'],
};

/** `10.9.9.9` is this machine, which listens at 3128. */
const own = new OwnListeners([3128], () => ['127.0.0.1', '10.9.9.9', 'fd00:0:0::9']);

const plan = (host: string, port = 443, exactHost = false): Promise<DestinationPlan> =>
  planDestination(
    {
      resolver: { lookup: async (name) => ANSWERS[name]! },
      overrides: OVERRIDES,
      limits: limitsWith({ addresses: 1 }),
      own,
    },
    { host, port, rule: { exactHost } },
  );

/** The addresses that are dialled, or the code of the refusal. */
const outcome = (result: DestinationPlan): string[] | string =>
  result.kind === 'plan' ? result.targets.map(({ address, port }) => `${address} ${port}`) : result.code;

describe('the plan of a destination', () => {
  const table: [string, number, boolean, string[] | string][] = [
    ['public.example', 443, false, ['93.184.216.34 443']],
    ['93.184.216.34', 443, false, ['93.184.216.34 443']],
    ['placed.example', 80, false, ['127.0.0.1 8080']],
    ['placed.example', 81, false, ['::1 81']],
    ['private.example', 443, false, 'ssrf_denied'],
    ['private.example', 443, true, ['10.1.2.3 443']],
    ['mixed.example', 443, false, 'ssrf_denied'],
    ['loop.example', 443, true, 'ssrf_denied'],
    ['127.0.0.1', 443, true, 'ssrf_denied'],
    ['::1', 443, true, 'ssrf_denied'],
    ['mapped.example', 443, true, 'ssrf_denied'],
    ['metadata.example', 443, true, 'ssrf_denied'],
    ['synthetic.example', 443, true, 'ssrf_denied'],
    ['garbage.example', 443, true, 'ssrf_denied'],
    ['none.example', 443, true, 'resolve_failed'],
    ['10.9.9.9', 443, true, ['10.9.9.9 443']],
    ['10.9.9.8', 3128, true, ['10.9.9.8 3128']],
    ['10.9.9.9', 3128, true, 'ssrf_denied'],
    ['own.example', 3128, true, 'ssrf_denied'],
  ];
  for (const [host, port, exact, expected] of table) {
    test(`${host}:${port}${exact ? ', declared exactly,' : ''} is ${expected}`, async () => {
      assert.deepEqual(outcome(await plan(host, port, exact)), expected);
    });
  }

  test('says whose word an address is', async () => {
    const [placed, found] = await Promise.all([plan('placed.example'), plan('public.example')]);
    assert.equal(placed.kind === 'plan' && placed.overridden, true);
    assert.equal(found.kind === 'plan' && found.overridden, false);
  });
});
