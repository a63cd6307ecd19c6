import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { connect as connectHttp2, createServer, type Http2Server, type Http2Stream } from 'node:http2';
import { describe, test } from 'node:test';
import { promisify } from 'node:util';
import { LOOPBACK, portOf } from '../test-support/fixture.ts';
import { Rig } from './test-support/rig.ts';

const SIZE = 100 * 1024 * 1024;
const CHUNK = Buffer.alloc(64 * 1024, 'x');
/** Windows of both sides, what streams and sockets hold, and what the kernel does; far less than the body. */
const AHEAD = 16 * 1024 * 1024;

/** Sends `SIZE` bytes as fast as the stream takes them. */
async function fill(stream: Http2Stream, sent: (bytes: number) => void): Promise<void> {
  for (let left = SIZE; left > 0; left -= CHUNK.length) {
    sent(CHUNK.length);
    if (!stream.write(CHUNK)) await once(stream, 'drain');
  }
  stream.end();
}

/** Reads to the end, and after every mebibyte not before everybody else has had a turn. */
async function drain(stream: Http2Stream, got: (bytes: number) => void): Promise<number> {
  let total = 0;
  for await (const bytes of stream) {
    total += bytes.length;
    got(bytes.length);
    if (total % (1024 * 1024) < bytes.length)
      for (let turn = 0; turn < 3; turn++) await new Promise(setImmediate);
  }
  return total;
}

class Origin implements AsyncDisposable {
  readonly server: Http2Server = createServer();

  async start(serve: (stream: Http2Stream & { respond(head: object): void }) => void): Promise<number> {
    this.server.on('stream', serve);
    await once(this.server.listen(0, LOOPBACK), 'listening');
    return portOf(this.server);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.server.close();
  }
}

describe('a body of 100 MB', () => {
  test('comes down only as fast as its reader takes it', async () => {
    let ahead = 0;
    let most = 0;
    await using origin = new Origin();
    const originPort = await origin.start((stream) => {
      stream.respond({ ':status': 200 });
      void fill(stream, (bytes) => {
        ahead += bytes;
      });
    });
    await using rig = await Rig.start({ originPort });
    const client = connectHttp2(rig.url);
    const total = await drain(client.request({ ':path': '/' }), (bytes) => {
      most = Math.max(most, ahead);
      ahead -= bytes;
    });
    client.close();
    assert.equal(total, SIZE);
    assert.ok(most < AHEAD, `${most} bytes were on their way`);
  });

  test('goes up only as fast as its origin takes it', async () => {
    let ahead = 0;
    let most = 0;
    await using origin = new Origin();
    const originPort = await origin.start(async (stream) => {
      const total = await drain(stream, (bytes) => {
        most = Math.max(most, ahead);
        ahead -= bytes;
      });
      stream.respond({ ':status': 200 });
      stream.end(`${total}`);
    });
    await using rig = await Rig.start({ originPort });
    const client = connectHttp2(rig.url);
    const request = client.request({ ':path': '/', ':method': 'PUT', 'content-length': SIZE });
    void fill(request, (bytes) => {
      ahead += bytes;
    });
    let text = '';
    for await (const bytes of request) text += bytes;
    client.close();
    assert.equal(text, `${SIZE}`);
    assert.ok(most < AHEAD, `${most} bytes were on their way`);
  });

  test('stands still where nobody reads it', async () => {
    let sent = 0;
    await using origin = new Origin();
    const originPort = await origin.start((stream) => {
      stream.on('error', () => {});
      stream.respond({ ':status': 200 });
      const more = (): void => {
        while (!stream.destroyed && sent < SIZE) {
          sent += CHUNK.length;
          if (!stream.write(CHUNK)) break;
        }
      };
      stream.on('drain', more);
      more();
    });
    await using rig = await Rig.start({ originPort });
    const client = connectHttp2(rig.url);
    const stalled = client.request({ ':path': '/stalled' });
    await once(stalled, 'response');
    // Other requests go on meanwhile, on the same two connections; each goes all the way there and back.
    for (let round = 0, before = -1; before !== sent || round < 20; round++) {
      before = sent;
      for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => client.ping(resolve));
    }
    assert.ok(sent < AHEAD, `${sent} bytes were on their way`);
    stalled.on('error', () => {});
    stalled.close(8);
    client.close();
  });
});

test('curl uploads and downloads', async () => {
  await using origin = new Origin();
  const originPort = await origin.start(async (stream) => {
    const parts: Buffer[] = [];
    for await (const bytes of stream) parts.push(bytes);
    stream.respond({ ':status': 200 });
    stream.end(Buffer.concat(parts));
  });
  await using rig = await Rig.start({ originPort });
  const body = 'a line\n'.repeat(50_000);
  const run = promisify(execFile)(
    'curl',
    ['-sS', '--http2-prior-knowledge', '--data-binary', '@-', '-w', '%{http_version}', `${rig.url}/echo`],
    { maxBuffer: 1024 * 1024 },
  );
  run.child.stdin?.end(body);
  const { stdout } = await run;
  assert.equal(stdout, `${body}2`);
});
