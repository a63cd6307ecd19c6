import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  lchownSync,
  mkdirSync,
  mkdtempSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { describe, type TestContext, test } from 'node:test';
import { connectProxy } from '../connect/connect-proxy.ts';
import { connect, FakeProxy, refused } from '../testing/index.ts';
import type { ControlServer, ListenAddress } from './options.ts';
import { ownUid } from './own-users.ts';
import { serveControl } from './serve-control.ts';

const CHECKED = { kind: 'checked', uids: [] } as const;
const PERMISSIONS = { kind: 'file-permissions' } as const;

function scratch(t: TestContext): string {
  const directory = mkdtempSync(join(tmpdir(), 'openshell-control-'));
  t.after(() => rmSync(directory, { recursive: true }));
  return directory;
}

type Peers = Extract<ListenAddress, { kind: 'unix' }>['peers'];

const serve = (
  path: string,
  peers: Peers = PERMISSIONS,
  onRefused?: (who: string) => void,
): Promise<ControlServer> =>
  serveControl({
    control: new FakeProxy().control,
    address: { kind: 'unix', path, peers },
    onRefused: ({ who }) => onRefused?.(who),
  });

/** Connects as another user, with a program that says how it went. */
async function connectAs(uid: number, path: string): Promise<string> {
  const program = `
    const { connectProxy } = await import(${JSON.stringify(new URL('../index.ts', import.meta.url).href)});
    const control = connectProxy({ kind: 'unix', path: ${JSON.stringify(path)} });
    const hello = { name: 'other', protocol: { min: 1, max: 2 }, role: 'observer' };
    await control.connect(hello).then(
      async (session) => { console.log('connected'); await session[Symbol.asyncDispose](); },
      (error) => console.log(error.code, error.message),
    );`;
  const child = spawn(process.execPath, ['--no-warnings', '--input-type=module', '--eval', program], {
    uid,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [said] = await Promise.all([text(child.stdout), once(child, 'close')]);
  return said.trim();
}

describe('who connects to the control socket', () => {
  test('its own user may control, and the kernel says that it is', async (t) => {
    const path = join(scratch(t), 's');
    await using server = await serve(path, CHECKED);
    assert.equal(server.address, `unix:${path}`);
    await using session = await connect({ control: connectProxy({ kind: 'unix', path }) });
    assert.equal(session.hello.protocol, 2);
    assert.equal(statSync(path).mode & 0o777, 0o600);
  });

  const other = ownUid() === 0 ? false : 'becoming another user needs root';
  test('another user is refused by name, and let in where the operator says so', {
    skip: other,
  }, async (t) => {
    const directory = scratch(t);
    chmodSync(directory, 0o711);
    const [stranger, friend] = [65_533, 65_532];
    const refusedPeers: string[] = [];
    await using server = await serve(join(directory, 's'), { kind: 'checked', uids: [friend] }, (who) =>
      refusedPeers.push(who),
    );
    const path = server.address.slice('unix:'.length);
    const [strangers, friends] = await Promise.all([connectAs(stranger, path), connectAs(friend, path)]);
    assert.equal(strangers, `unauthenticated user ${stranger} may not control this proxy`);
    assert.equal(friends, 'connected');
    assert.match(refusedPeers.join(), new RegExp(`^process \\d+ of user ${stranger}$`));
  });
});

describe('where the control socket is', () => {
  const unsafe: Readonly<Record<string, { prepare: (directory: string) => string; says: RegExp }>> = {
    'in a directory that others can write': {
      prepare: (directory) => {
        mkdirSync(join(directory, 'open'));
        chmodSync(join(directory, 'open'), 0o777);
        return join(directory, 'open/s');
      },
      says: /open can be written by others/,
    },
    'in a shared directory with the sticky bit': {
      prepare: (directory) => {
        mkdirSync(join(directory, 'tmp'));
        chmodSync(join(directory, 'tmp'), 0o1777);
        return join(directory, 'tmp/s');
      },
      says: /tmp can be written by others/,
    },
    'below a directory that others can write': {
      prepare: (directory) => {
        mkdirSync(join(directory, 'open/own'), { recursive: true, mode: 0o700 });
        chmodSync(join(directory, 'open'), 0o777);
        return join(directory, 'open/own/s');
      },
      says: /open can be written by others/,
    },
    'behind a link to such a directory': {
      prepare: (directory) => {
        mkdirSync(join(directory, 'open'));
        chmodSync(join(directory, 'open'), 0o777);
        symlinkSync(join(directory, 'open'), join(directory, 'link'));
        return join(directory, 'link/s');
      },
      says: /open can be written by others/,
    },
    'in a directory that there is not': {
      prepare: (directory) => join(directory, 'none/s'),
      says: /ENOENT/,
    },
    'in the place of a file': {
      prepare: (directory) => {
        writeFileSync(join(directory, 's'), 'precious');
        return join(directory, 's');
      },
      says: /no socket/,
    },
  };
  test("a socket behind somebody else's link is refused, wherever that leads now", {
    skip: ownUid() === 0 ? false : 'giving a link to another user needs root',
  }, async (t) => {
    const directory = scratch(t);
    const link = join(directory, 'link');
    mkdirSync(join(directory, 'own'), { mode: 0o700 });
    symlinkSync(join(directory, 'own'), link);
    await (await serve(join(link, 's')))[Symbol.asyncDispose]();
    lchownSync(link, 65_533, 65_533);
    const { message } = await refused(serve(join(link, 's')), 'listen_failed');
    assert.match(message, /link belongs to another user \(65533\)/);
  });

  for (const [where, { prepare, says }] of Object.entries(unsafe))
    test(`a socket ${where} is refused`, async (t) => {
      const path = prepare(scratch(t));
      const { message, remedy } = await refused(serve(path), 'listen_failed');
      assert.match(message, says);
      assert.ok(remedy);
    });

  test('one that somebody listens on is left alone, and one that was left behind is replaced', async (t) => {
    const path = join(scratch(t), 's');
    {
      await using first = await serve(path);
      const { message } = await refused(serve(path), 'listen_failed');
      assert.match(message, /somebody listens there/);
      await using session = await connect({ control: connectProxy({ kind: 'unix', path }) });
      assert.equal(first.address, `unix:${path}`);
      assert.equal(session.hello.protocol, 2);
    }
    // As after a crash: the name is there, and nobody behind it.
    const crash = spawn(process.execPath, [
      '-e',
      `require('net').createServer().listen(${JSON.stringify(path)}, () => process.kill(process.pid, 'SIGKILL'))`,
    ]);
    await once(crash, 'close');
    assert.ok(statSync(path).isSocket());
    await using again = await serve(path);
    await using session = await connect({ control: connectProxy({ kind: 'unix', path }) });
    assert.equal(session.hello.protocol, 2);
    assert.equal(again.address, `unix:${path}`);
  });

  test('a server that was closed leaves no socket', async (t) => {
    const path = join(scratch(t), 's');
    await (await serve(path))[Symbol.asyncDispose]();
    assert.equal(statSync(path, { throwIfNoEntry: false }), undefined);
  });

  test('what is no proxy is found out, within its time', async (t) => {
    const path = join(scratch(t), 's');
    const server = createServer((socket) => socket.end('SSH-2.0-OpenSSH\r\n')).listen(path);
    t.after(() => server.close());
    await once(server, 'listening');
    await refused(connect({ control: connectProxy({ kind: 'unix', path }) }), 'unavailable');
  });
});
