import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { compile, RegoError, readBundle, toJson } from '../index.ts';

const octal = (value: number, length: number): string => `${value.toString(8).padStart(length - 1, '0')}\0`;

/** One member of a tar archive. */
const member = (path: string, content: string, type = '0'): Buffer => {
  const bytes = Buffer.from(content);
  const header = Buffer.alloc(512);
  header.write(path, 0);
  header.write(octal(bytes.length, 12), 124);
  header.write(' '.repeat(8), 148);
  header.write(type, 156);
  header.write('ustar\0', 257);
  header.write(
    octal(
      header.reduce((sum, byte) => sum + byte, 0),
      7,
    ),
    148,
  );
  return Buffer.concat([header, bytes, Buffer.alloc((512 - (bytes.length % 512)) % 512)]);
};

const archive = (files: Readonly<Record<string, string>>): Uint8Array =>
  gzipSync(
    Buffer.concat([...Object.entries(files).map(([path, text]) => member(path, text)), Buffer.alloc(1024)]),
  );

test('a bundle has its modules, its data by folder, and its manifest', () => {
  const bundle = readBundle(
    archive({
      '/.manifest': '{"revision": "r1", "roots": ["a", "b"]}',
      './a/p.rego': 'package a.x\np := data.b.c.n + data.b.d',
      '/b/data.json': '{"d": 1}',
      'b/c/data.yaml': 'n: 41',
    }),
  );
  assert.equal(bundle.revision, 'r1');
  assert.deepEqual(toJson(bundle.data), { b: { c: { n: 41 }, d: 1 } });
  const policy = compile(bundle.modules, { data: bundle.data as never, version: bundle.version });
  assert.equal(policy.query('data.a.x.p')(), 42);
});

test('a path longer than a header is read from its extended header', () => {
  const path = `${'d'.repeat(150)}/data.json`;
  const record = ` path=${path}\n`;
  const pax = member('pax', `${record.length + 3}${record}`, 'x');
  const bundle = readBundle(gzipSync(Buffer.concat([pax, member('short', '1'), Buffer.alloc(1024)])));
  assert.deepEqual(toJson(bundle.data), { ['d'.repeat(150)]: 1 });
});

describe('what is no sound bundle is refused', () => {
  const damaged = member('data.json', '{}');
  damaged[0] = 0x41;
  for (const [says, bytes, message] of [
    ['no gzip', Buffer.from('text'), 'cannot be unpacked'],
    ['a damaged header', gzipSync(damaged), 'checksum'],
    [
      'a file cut short',
      gzipSync(member('data.json', 'x'.repeat(600)).subarray(0, 600)),
      'ends before its size',
    ],
    ['a path that climbs out', archive({ '../data.json': '{}' }), 'outside of itself'],
    ['data that is no JSON', archive({ 'data.json': '{' }), 'cannot be parsed'],
    ['two values at one place', archive({ 'data.json': '{"a": 1}', 'a/data.json': '2' }), 'something else'],
    [
      'data outside of the roots',
      archive({ '.manifest': '{"roots": ["a"]}', 'data.json': '{"b": 1}' }),
      'roots',
    ],
    ['a bomb', gzipSync(Buffer.alloc(80 * 1024 * 1024)), 'larger than'],
  ] as const) {
    test(says, () => {
      assert.throws(
        () => readBundle(bytes),
        (error: unknown) =>
          error instanceof RegoError && error.code === 'bundle_error' && error.message.includes(message),
      );
    });
  }
});
