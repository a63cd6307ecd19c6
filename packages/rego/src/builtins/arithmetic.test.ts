import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { fromJson, numberText, type RegoNumber, RegoSet } from '../value/index.ts';
import { call, callText, callWith, testContext } from './calling.ts';

const textOf = (name: string, ...args: readonly string[]): string =>
  numberText(callText(name, ...args) as RegoNumber);

describe('arithmetic', () => {
  const cases: readonly (readonly [string, readonly string[], string])[] = [
    ['plus', ['1', '2'], '3'],
    ['plus', ['0.1', '0.2'], '0.3'],
    ['plus', ['49649733057', '1'], '49649733058'],
    ['plus', ['9007199254740992', '1'], '9007199254740993'],
    ['plus', ['1180591620717411303424', '1'], '1180591620717411303425'],
    ['minus', ['1', '2.5'], '-1.5'],
    ['mul', ['123456789123456789', '987654321987654321'], '121932631356500531347203169112635269'],
    ['mul', ['1.1', '1.1'], '1.21'],
    ['div', ['1', '3'], '0.33333333333333333334'],
    ['div', ['6', '3'], '2'],
    ['div', ['1e109', '1e100'], '1000000000'],
    ['plus', ['1234567.5', '0'], '1.2345675e+06'],
    ['rem', ['-7', '4'], '-3'],
    ['rem', ['10', '18446744073709551616'], '10'],
    ['round', ['2.5'], '3'],
    ['round', ['-2.5'], '-3'],
    ['ceil', ['-1.99999'], '-1'],
    ['ceil', ['2222.2222222222'], '2223'],
    ['floor', ['-1.001'], '-2'],
    ['floor', ['1e3'], '1000'],
    ['abs', ['-12345678901234567890.5'], '12345678901234567890.5'],
  ];
  for (const [name, args, expected] of cases) {
    test(`${name}(${args.join(', ')}) is ${expected}`, () => {
      assert.equal(textOf(name, ...args), expected);
    });
  }

  const failures: readonly (readonly [string, readonly string[], RegExp])[] = [
    ['div', ['1', '0'], /^divide by zero$/],
    ['div', ['1', '0.0'], /^divide by zero$/],
    ['rem', ['1', '0'], /^modulo by zero$/],
    ['rem', ['1.1', '1'], /^modulo on floating-point number$/],
    ['plus', ['"a"', '1'], /^operand 1 must be number but got string$/],
    ['minus', ['null', '1'], /^operand 1 must be one of \{number, set\} but got null$/],
    ['plus', ['1e999999', '0.5'], /too large/],
  ];
  for (const [name, args, message] of failures) {
    test(`${name}(${args.join(', ')}) fails with ${message.source}`, () => {
      assert.throws(() => callText(name, ...args), { message });
    });
  }

  test('minus of sets is their difference, and a set and a number do not mix', () => {
    const context = testContext();
    const difference = callWith(context, 'minus', [new RegoSet([1, 2, 3]), new RegoSet([2])]);
    assert.deepEqual([...(difference as RegoSet)], [1, 3]);
    assert.throws(() => callWith(context, 'minus', [new RegoSet([1]), 1]), {
      message: 'operand 2 must be set but got number',
    });
  });

  test('sums of integers of any size are exact', () => {
    fc.assert(
      fc.property(fc.bigInt(), fc.bigInt(), (a, b) => {
        const sum = callWith(testContext(), 'plus', [fromJson(a), fromJson(b)]) as RegoNumber;
        assert.equal(BigInt(numberText(sum)), a + b);
      }),
    );
  });

  test('a fraction comes out of computing with zero as the number it was', () => {
    fc.assert(
      fc.property(fc.double({ noNaN: true, noDefaultInfinity: true, min: -1e15, max: 1e15 }), (double) => {
        const sum = callWith(testContext(), 'plus', [fromJson(double), 0]) as RegoNumber;
        assert.equal(Number(numberText(sum)), double + 0);
      }),
    );
  });
});

describe('bits', () => {
  test('shifts are not lossy, and go the right way for negative numbers', () => {
    assert.equal(textOf('bits.lsh', '9223372036854775807', '1'), '18446744073709551614');
    assert.equal(call('bits.rsh', -8, 1), -4);
    assert.equal(call('bits.negate', 42), -43);
    assert.equal(call('bits.xor', 42, 3), 41);
  });

  test('a shift that would fill the memory is refused', () => {
    assert.throws(() => callText('bits.lsh', '1', '99999999999'), { message: /^shift by more than/ });
    assert.throws(() => call('bits.lsh', 7, -1), {
      message: 'operand 2 must be an unsigned integer number but got a negative integer',
    });
    assert.throws(() => call('bits.lsh', 7.2, 1), {
      message: 'operand 1 must be integer number but got floating-point number',
    });
  });
});

describe('numbers', () => {
  test('ranges run both ways, in steps', () => {
    assert.deepEqual(call('numbers.range', 2, -1), [2, 1, 0, -1]);
    assert.deepEqual(call('numbers.range_step', 0, 10, 4), [0, 4, 8]);
    assert.throws(() => call('numbers.range_step', 0, 10, -2), {
      message: 'step must be a positive integer',
    });
  });

  test('a range that is too long is refused before it is made', () => {
    assert.throws(() => callText('numbers.range', '0', '1e18'), { message: /larger than the limit/ });
  });

  test('to_number reads what Go reads', () => {
    assert.equal(call('to_number', '-42.0'), -42);
    assert.equal(call('to_number', '0x1p-2'), 0.25);
    assert.equal(call('to_number', '.5'), 0.5);
    assert.equal(call('to_number', null), 0);
    for (const text of ['nan', '-Inf', 'Infinity', '1e999', 'broken', '', '1_000']) {
      assert.throws(() => call('to_number', text), { name: /Error$/ }, text);
    }
  });

  test('random numbers are below their bound and the same twice in an evaluation', () => {
    const context = testContext();
    const first = callWith(context, 'rand.intn', ['x', 10]) as number;
    assert.ok(first >= 0 && first < 10);
    assert.equal(callWith(context, 'rand.intn', ['x', 10]), first);
    assert.equal(callWith(context, 'rand.intn', ['x', 0]), 0);
  });
});
