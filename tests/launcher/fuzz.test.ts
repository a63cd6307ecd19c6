import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { describe, test } from 'node:test';
import { compile } from '../support/compile.ts';
import { needsProgram, ROOT } from '../support/paths.ts';
import { Scratch } from '../support/scratch.ts';
import { HEADER_BYTES, sampleBytes } from './sample-specification.ts';

const LAUNCHER = `${ROOT}/packages/runtime/launcher`;
const CASES = 30_000;
const SEED = 0x0517;

/** Mulberry32: small, and the same numbers everywhere. */
const randomNumbers = (seed: number): ((below: number) => number) => {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below;
  };
};

type Random = (below: number) => number;

/** Numbers at which sizes and counts go wrong. */
const EDGES = [0, 1, 7, 8, 0x7f, 0x80, 0xff, 0x7fff, 0xffff, 0x10000, 0x7fffffff, 0x80000000, 0xffffffff];

const mutations: readonly ((bytes: Buffer, random: Random) => Buffer)[] = [
  (bytes, random) => {
    bytes[random(bytes.length)] = random(256);
    return bytes;
  },
  (bytes, random) => {
    const at = random(bytes.length);
    bytes[at] = (bytes[at] ?? 0) ^ (1 << random(8));
    return bytes;
  },
  (bytes, random) => {
    if (bytes.length >= 4) bytes.writeUInt32LE(EDGES[random(EDGES.length)] ?? 0, random(bytes.length - 3));
    return bytes;
  },
  (bytes, random) => bytes.subarray(0, random(bytes.length) + 1),
  (bytes, random) => {
    const at = random(bytes.length);
    return Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + random(16) + 1)]);
  },
  (bytes, random) => {
    const [from, at] = [random(bytes.length), random(bytes.length)];
    return Buffer.concat([
      bytes.subarray(0, at),
      bytes.subarray(from, from + random(64)),
      bytes.subarray(at),
    ]);
  },
];

const mutate = (original: Buffer, random: Random): Buffer => {
  let bytes: Buffer = Buffer.from(original);
  for (let left = 1 + random(4); left > 0 && bytes.length > 0; left -= 1)
    bytes = mutations[random(mutations.length)]!(bytes, random);
  return bytes;
};

function* cases(original: Buffer): Generator<Buffer> {
  const random = randomNumbers(SEED);
  const framed = (bytes: Buffer): Buffer => {
    const size = Buffer.alloc(4);
    size.writeUInt32LE(bytes.length);
    return Buffer.concat([size, bytes]);
  };
  yield framed(original);
  for (let index = 1; index < CASES; index += 1) yield framed(mutate(original, random));
}

describe('the specification reader', { skip: needsProgram('cc') }, () => {
  test(`survives ${CASES} damaged specifications under the address and undefined behaviour sanitizers`, async () => {
    using scratch = new Scratch();
    const driver = scratch.join('driver');
    await compile({
      sources: [`${ROOT}/tests/launcher/fuzz-driver.c`, `${LAUNCHER}/spec.c`],
      output: driver,
      flags: [
        '-D_GNU_SOURCE',
        '-std=gnu11',
        '-O1',
        '-g',
        '-fsanitize=address,undefined',
        '-fno-sanitize-recover=all',
        `-I${LAUNCHER}`,
      ],
    });
    const child = spawn(driver, { stdio: 'pipe' });
    const closed = once(child, 'close');
    const output = child.stdout.setEncoding('utf8').toArray();
    const complaints = child.stderr.setEncoding('utf8').toArray();
    // A driver that crashes closes its input; what it said says why.
    await pipeline(Readable.from(cases(sampleBytes().subarray(HEADER_BYTES))), child.stdin).catch(() => {});
    const [code] = await closed;
    assert.equal(code, 0, (await complaints).join(''));
    const [accepted, refused] = (await output).join('').split(' ').map(Number);
    assert.equal((accepted ?? 0) + (refused ?? 0), CASES);
    assert.ok((accepted ?? 0) > CASES / 100, 'some changes are harmless');
    assert.ok((refused ?? 0) > CASES / 2, 'most are not');
  });
});
