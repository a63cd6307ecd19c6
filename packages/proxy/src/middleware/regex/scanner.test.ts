import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { builtInDetector } from './detectors.ts';
import { compilePattern } from './pattern.ts';
import { Scanner, ScannerIndex } from './scanner.ts';

const SOURCES = ['sk-[a-z]{4,}', 'ab?c{1,3}', 'b[ac]{2}', 'k:[a-c]{1,2};'];
const index = new ScannerIndex(
  SOURCES.map((source, at) => ({ name: `p${at}`, sequences: compilePattern(source) })),
);

test('however a text is cut into pieces, the same comes out', () => {
  const text = fc.array(fc.constantFrom('sk-', 'a', 'b', 'c', 'k:', ';', 's', 'z', '-'), { maxLength: 40 });
  const cuts = fc.array(fc.nat({ max: 60 }), { maxLength: 8 });
  fc.assert(
    fc.property(text, cuts, (words, places) => {
      const whole = Buffer.from(words.join(''));
      const scanner = new Scanner(index);
      const sorted = [
        0,
        ...places.map((place) => Math.min(place, whole.length)).sort((a, b) => a - b),
        whole.length,
      ];
      let out = '';
      for (let at = 1; at < sorted.length; at++)
        out += scanner.push(whole.subarray(sorted[at - 1], sorted[at]), false);
      out += scanner.push(Buffer.alloc(0), true);
      const single = new Scanner(index);
      assert.equal(out, single.push(whole, true).toString());
      assert.deepEqual(scanner.counts, single.counts);
    }),
  );
});

test('what cannot become a match goes on at once; what can is held back', () => {
  const scanner = new Scanner(new ScannerIndex([builtInDetector('sk_key')]));
  assert.equal(scanner.push(Buffer.from('data: hello\n\n'), false).toString(), 'data: hello\n\n');
  assert.equal(scanner.push(Buffer.from('task sk-abc'), false).toString(), 'task ');
  assert.equal(scanner.push(Buffer.from(' no'), false).toString(), 'sk-abc no');
});

test('a match without an end is replaced once, and dropped as it comes', () => {
  const scanner = new Scanner(new ScannerIndex([builtInDetector('sk_key')]));
  assert.equal(scanner.push(Buffer.from(`sk-${'a'.repeat(16)}`), false).toString(), '[REDACTED]');
  for (let i = 0; i < 3; i++) assert.equal(scanner.push(Buffer.alloc(65_536, 'b'), false).length, 0);
  assert.equal(scanner.push(Buffer.from('c" end'), true).toString(), '" end');
  assert.equal(scanner.counts.get('sk_key'), 1);
});

test('what is held back is a copy: the piece may be written over', () => {
  const scanner = new Scanner(new ScannerIndex([builtInDetector('sk_key')]));
  const piece = Buffer.from('sk-abc');
  scanner.push(piece, false);
  piece.fill('x');
  assert.equal(scanner.push(Buffer.from('!'), true).toString(), 'sk-abc!');
});
