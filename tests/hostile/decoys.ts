import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { chmodSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { Origin } from '../support/origin.ts';
import type { Scratch } from '../support/scratch.ts';

const SECRET_VARIABLE = 'OPENSHELL_TEST_SECRET';

const silentServer = (): Server => createServer((socket) => socket.end('escaped\n'));

const listen = async (server: Server, path: string): Promise<Server> => {
  server.listen(path);
  await once(server, 'listening');
  return server;
};

/** Things of the host that really exist and that no sandbox may reach; each notices when it is touched. */
export class Decoys implements AsyncDisposable {
  readonly secret = randomBytes(16).toString('hex');
  /** Stands in the command line of a process of the host. */
  readonly marker = `decoy-${randomBytes(8).toString('hex')}`;
  readonly abstractName = `openshell-${randomBytes(8).toString('hex')}`;
  readonly socketPath: string;
  readonly filePath: string;
  readonly #service: Origin;
  readonly #sockets: readonly Server[];
  readonly #process: ChildProcess;
  #touched = 0;

  private constructor(paths: { socket: string; file: string }, service: Origin, sockets: readonly Server[]) {
    this.socketPath = paths.socket;
    this.filePath = paths.file;
    this.#service = service;
    this.#sockets = sockets;
    for (const server of sockets) {
      server.on('connection', () => {
        this.#touched += 1;
      });
    }
    this.#process = spawn('sh', ['-c', 'read line', this.marker], { stdio: ['pipe', 'ignore', 'ignore'] });
  }

  static async start(scratch: Scratch): Promise<Decoys> {
    const paths = { socket: scratch.join('host.sock'), file: scratch.join('host-secret') };
    const sockets = [silentServer(), silentServer()] as const;
    const decoys = new Decoys(paths, await Origin.listen(silentServer()), sockets);
    await listen(sockets[0], paths.socket);
    await listen(sockets[1], `\0${decoys.abstractName}`);
    // Everybody may: it is the sandbox that has to refuse.
    chmodSync(paths.socket, 0o777);
    writeFileSync(paths.file, decoys.secret, { mode: 0o666 });
    return decoys;
  }

  /** Of the service on the host's loopback. */
  get port(): number {
    return this.#service.port;
  }

  /** The caller's environment, in which a secret stands. */
  get environment(): Record<string, string> {
    return { [SECRET_VARIABLE]: this.secret };
  }

  /** What an attempt is told, so that it tries something that exists. */
  argumentsFor(attempt: string): readonly string[] {
    switch (attempt) {
      case 'abstract-socket':
        return [this.abstractName];
      case 'path-socket':
        return [this.socketPath];
      case 'host-file':
        return [this.filePath];
      case 'proc-host':
        return [this.marker];
      case 'leaked-environment':
        return [SECRET_VARIABLE, this.secret];
      default:
        return [];
    }
  }

  /** What happened to them, in words; empty when nothing did. */
  damage(): string[] {
    const found: string[] = [];
    if (this.#touched > 0) found.push('a socket of the host was reached');
    if (this.#service.connections > 0) found.push('a service on the host’s loopback was reached');
    if (readFileSync(this.filePath, 'utf8') !== this.secret) found.push('a file of the host was changed');
    if (this.#process.exitCode !== null || this.#process.signalCode !== null)
      found.push('a process of the host was ended');
    return found;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const ended = once(this.#process, 'close');
    this.#process.stdin?.end();
    for (const server of this.#sockets) server.close();
    await ended;
    await this.#service[Symbol.asyncDispose]();
  }
}
