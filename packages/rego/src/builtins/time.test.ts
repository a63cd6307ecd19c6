import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { format } from '../value/index.ts';
import { callText } from './calling.ts';
import { dateOf, daysOf } from './time/civil.ts';

const shown = (name: string, ...args: readonly string[]): string => format(callText(name, ...args)!);

/** 29 February 2020, noon. */
const LEAP = '1582977600123456789';

describe('times', () => {
  const cases: readonly (readonly [string, readonly string[], string])[] = [
    ['time.now_ns', [], '1704067200000000000'],
    ['time.format', [LEAP], '"2020-02-29T12:00:00.123456789Z"'],
    ['time.format', [`[${LEAP}, "Europe/Berlin"]`], '"2020-02-29T13:00:00.123456789+01:00"'],
    ['time.format', [`[${LEAP}, "America/New_York", "RFC1123"]`], '"Sat, 29 Feb 2020 07:00:00 EST"'],
    ['time.format', [`[${LEAP}, "", "Jan _2 06 3:04PM .000 002"]`], '"Feb 29 20 12:00PM .123 060"'],
    ['time.parse_ns', ['"RFC1123Z"', '"Mon, 02 Jan 2006 15:04:05 -0700"'], '1136239445000000000'],
    ['time.parse_ns', ['"2006-01-02"', '"1970-01-02"'], '86400000000000'],
    ['time.parse_rfc3339_ns', ['"1677-09-21T00:12:43.145224192-00:00"'], '-9223372036854775808'],
    ['time.parse_duration_ns', ['"1h30m1.5s"'], '5401500000000'],
    ['time.parse_duration_ns', ['"-1us"'], '-1000'],
    ['time.date', ['[1517814000000000000, "America/Los_Angeles"]'], '[2018, 2, 4]'],
    ['time.clock', ['[1517832000000000000, "America/New_York"]'], '[7, 0, 0]'],
    ['time.weekday', [LEAP], '"Saturday"'],
    ['time.weekday', ['-86400000000000'], '"Wednesday"'],
    ['time.add_date', [LEAP, '1', '0', '0'], '1614600000123456789'],
    ['time.diff', ['1506606464000000000', '1606606464000000000'], '[3, 2, 0, 9, 46, 40]'],
  ];
  for (const [name, args, expected] of cases) {
    test(`${name}(${args.join(', ')}) is ${expected}`, () => {
      assert.equal(shown(name, ...args), expected);
    });
  }

  const failures: readonly (readonly [string, readonly string[], RegExp])[] = [
    ['time.parse_ns', ['"2006-01-02"', '"2015-02-29"'], /day out of range$/],
    ['time.parse_ns', ['"2006-01-02"', '"2015-13-01"'], /month out of range$/],
    ['time.parse_ns', ['"2006-01-02"', '"2015-01-01x"'], /extra text: "x"$/],
    ['time.parse_ns', ['"2006-01-02"', '"nope"'], /cannot parse "nope" as "2006"$/],
    ['time.parse_rfc3339_ns', ['"2262-04-11T23:47:16.854775808-00:00"'], /^time outside of valid range$/],
    ['time.add_date', ['0', '2262', '1', '1'], /^time outside of valid range$/],
    ['time.add_date', ['0', '999999999999', '1', '1'], /^time outside of valid range$/],
    ['time.date', ['1e30'], /^timestamp too big$/],
    ['time.date', ['[0, "No/Where"]'], /^unknown time zone No\/Where$/],
    ['time.parse_duration_ns', ['"3x"'], /^time: unknown unit "x" in duration "3x"$/],
    ['time.parse_duration_ns', ['"3"'], /^time: missing unit in duration "3"$/],
    ['time.parse_duration_ns', ['""'], /^time: invalid duration ""$/],
  ];
  for (const [name, args, message] of failures) {
    test(`${name}(${args.join(', ')}) fails with ${message.source}`, () => {
      assert.throws(() => callText(name, ...args), { message });
    });
  }

  test('days and dates are each the other way round', () => {
    fc.assert(
      fc.property(fc.integer({ min: -1_000_000, max: 1_000_000 }), (days) => {
        const date = dateOf(days);
        assert.equal(daysOf(date), days);
        const utc = new Date(days * 86_400_000);
        assert.deepEqual(date, {
          year: utc.getUTCFullYear(),
          month: utc.getUTCMonth() + 1,
          day: utc.getUTCDate(),
        });
      }),
    );
  });
});
