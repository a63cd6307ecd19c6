import type { Server, Socket } from 'node:net';
import { ControlRefusal } from '../contract/refusal.ts';
import { CONTROL_LIMITS } from '../limits.ts';
import { ADMITTED, denied, type Verdict } from './admission.ts';
import type { Accept, Listener } from './listener.ts';
import type { ListenAddress } from './options.ts';
import { isCertain, ownUid } from './own-users.ts';
import { peerCredentials } from './peer-credentials.ts';
import { listenUnix } from './unix-socket.ts';

type UnixAddress = Extract<ListenAddress, { kind: 'unix' }>;

/** Accepts on a Unix socket, and finds out whose each connection is. */
export class UnixListener implements Listener {
  readonly address: string;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();

  static async open({ path, peers }: UnixAddress, accept: Accept): Promise<UnixListener> {
    const others = peers.kind === 'checked' && peers.uids.some((uid) => uid !== 0 && uid !== ownUid());
    const server = await listenUnix(path, { open: others });
    return new UnixListener(path, server, peers, accept);
  }

  private constructor(path: string, server: Server, peers: UnixAddress['peers'], accept: Accept) {
    this.address = `unix:${path}`;
    this.#server = server;
    server.on('connection', (socket) => void this.#accept(socket, peers, accept));
    // Of accepting: there is another one to accept.
    server.on('error', () => undefined);
  }

  renew(): void {
    throw new ControlRefusal('a Unix socket has no certificates', { code: 'request_invalid' });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#server.close(() => resolve());
    for (const socket of this.#sockets) socket.destroy();
    await promise;
  }

  async #accept(socket: Socket, peers: UnixAddress['peers'], accept: Accept): Promise<void> {
    socket.on('error', () => socket.destroy());
    if (peers.kind === 'file-permissions') {
      passOn(socket, ADMITTED, 'a local process', accept);
      return;
    }
    if (this.#sockets.size >= CONTROL_LIMITS.peerChecks.value) {
      socket.destroy();
      return;
    }
    this.#sockets.add(socket);
    const peer = await peerCredentials(socket);
    this.#sockets.delete(socket);
    if (socket.destroyed) return;
    const who = peer ? `process ${peer.pid} of user ${peer.uid}` : 'a local process';
    passOn(socket, verdictOn(peer?.uid, peers.uids), who, accept);
  }
}

/** What the socket brings from now on is for whoever takes it in this very moment. */
const passOn = (socket: Socket, verdict: Verdict, who: string, accept: Accept): void => {
  socket.read(0);
  accept(socket, verdict, who);
};

const verdictOn = (uid: number | undefined, uids: readonly number[]): Verdict => {
  if (uid === undefined)
    return denied('the platform cannot tell who connects, so nobody may control the proxy here');
  if (!isCertain(uid)) return denied('who connects is a user that the proxy does not know');
  if (uid === 0 || uid === ownUid() || uids.includes(uid)) return ADMITTED;
  return denied(`user ${uid} may not control this proxy`);
};
