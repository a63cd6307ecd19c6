import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { BackwardAssembler } from './bpf.ts';
import { runFilter } from './interpreter.ts';

test('a chain that is longer than the one-byte jumps still takes every number to its own end', () => {
  fc.assert(
    fc.property(
      fc.uniqueArray(fc.nat(5000), { minLength: 1, maxLength: 900 }),
      fc.nat(5000),
      (values, asked) => {
        const assembler = new BackwardAssembler();
        const stranger = assembler.return(7);
        const member = assembler.return(8);
        const chain = values.reduceRight(
          (next, value) => assembler.branch('equal', value, member, next),
          stranger,
        );
        assembler.load(0, chain);
        const { action } = runFilter(assembler.toBytes(), { number: asked, arch: 0, args: [] });
        return action === (values.includes(asked) ? 8 : 7);
      },
    ),
    { numRuns: 100 },
  );
});

test('near returns are shared and far ones are placed again', () => {
  const assembler = new BackwardAssembler();
  const first = assembler.return(1);
  assert.equal(assembler.return(1), first);
  for (let value = 2; value < 300; value++) assembler.return(value);
  assert.notEqual(assembler.return(1), first);
});

test('comparison is unsigned', () => {
  const assembler = new BackwardAssembler();
  const low = assembler.return(1);
  const high = assembler.return(2);
  assembler.load(0, assembler.branch('greater_or_equal', 0x80000000, high, low));
  const program = assembler.toBytes();
  assert.equal(runFilter(program, { number: 0xffffffff, arch: 0, args: [] }).action, 2);
  assert.equal(runFilter(program, { number: 0x7fffffff, arch: 0, args: [] }).action, 1);
});
