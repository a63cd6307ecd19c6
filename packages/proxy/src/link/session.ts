import type { Socket } from 'node:net';
import type { Refusal } from '@openshell/audit';
import type { SandboxId } from '@openshell/base';
import {
  encodeFrame,
  type FrameReader,
  LINK_SILENCE_MS,
  type NodeMessage,
  type ProxyMessage,
  readNodeMessage,
} from '@openshell/control/link';
import { ignoreError } from '../relay/linger.ts';
import type { LinkDirectory, LinkWatcher } from './directory.ts';

export interface LinkSessionOptions {
  /** Paused; what was read of it is in `frames`. */
  readonly socket: Socket;
  readonly frames: FrameReader;
  readonly tenant: SandboxId;
  /** Of the node's certificate. */
  readonly names: readonly string[];
  readonly directory: LinkDirectory;
  /** PEM of what clients have to trust at this moment. */
  readonly authority: () => Promise<string>;
  /** What may be on its way to the node, in bytes. */
  readonly queueBytes: number;
}

/**
 * One node speaks for one sandbox for as long as its connection lives: it is told what is in force, asks for names, and hears of refusals.
 * Each question is put to the tenant of that moment, so a sandbox that was removed or registered meanwhile needs no new session.
 */
export class LinkSession implements LinkWatcher {
  readonly #options: LinkSessionOptions;
  /** Of the last state that was asked for: an older one that is ready later is not sent. */
  #revision = 0;
  #sent: string | undefined;

  constructor(options: LinkSessionOptions) {
    this.#options = options;
    const { socket, directory, tenant } = options;
    const unwatch = directory.watch(tenant, this);
    socket.once('close', unwatch);
    socket.on('error', ignoreError);
    socket.setTimeout(LINK_SILENCE_MS, () => socket.destroy());
    socket.on('data', (bytes: Buffer) => {
      options.frames.push(bytes);
      this.#read();
    });
    socket.on('end', () => socket.destroy());
    socket.on('drain', () => socket.resume());
    this.changed();
    this.#read();
    socket.resume();
  }

  changed(): void {
    this.#revision += 1;
    const revision = this.#revision;
    this.#state()
      .catch((): ProxyMessage => ({ kind: 'waiting', why: 'the proxy has no certificate authority now' }))
      .then((message) => revision === this.#revision && this.#sendState(message))
      .catch(() => this.#options.socket.destroy());
  }

  /** Told where there is room: a node that does not read misses some, and holds nobody up. */
  refused(refusal: Refusal): void {
    const { socket, queueBytes, directory, tenant, names } = this.#options;
    if (directory.find(tenant, names) === undefined) return;
    if (socket.writableLength < queueBytes / 2) this.#send({ kind: 'refusal', refusal });
  }

  async #state(): Promise<ProxyMessage> {
    const { directory, tenant, names, authority } = this.#options;
    const found = directory.find(tenant, names);
    // The same words for a sandbox that is not there and for one that is somebody else's.
    if (found === undefined)
      return { kind: 'waiting', why: `the proxy has no sandbox ${tenant} for this node's certificate` };
    if (found.installed === undefined)
      return { kind: 'waiting', why: `no policy was installed for sandbox ${tenant} yet` };
    return { kind: 'ready', ...found.installed, authorityPem: await authority() };
  }

  /** What was said last is not said again. */
  #sendState(message: ProxyMessage): void {
    const text = JSON.stringify(message);
    if (text === this.#sent) return;
    this.#sent = text;
    this.#send(message);
  }

  #read(): void {
    const { socket, frames } = this.#options;
    try {
      for (let frame = frames.next(); frame !== undefined && !socket.destroyed; frame = frames.next())
        this.#answer(readNodeMessage(frame.value));
    } catch {
      // What does not keep to the protocol is told nothing.
      socket.destroy();
    }
  }

  #answer(message: NodeMessage): void {
    switch (message.kind) {
      case 'ping':
        this.#send({ kind: 'pong' });
        return;
      case 'question': {
        const { directory, tenant, names } = this.#options;
        const { id, name, type } = message;
        const known = directory.find(tenant, names)?.tenant.lookUp(name, type) ?? false;
        this.#send({ kind: 'answer', id, known });
        return;
      }
      default:
        message satisfies never;
    }
  }

  #send(message: ProxyMessage): void {
    const { socket, queueBytes } = this.#options;
    if (!socket.writable) return;
    if (socket.writableLength > queueBytes) {
      socket.destroy();
      return;
    }
    // A node that does not take its answers may ask no further questions.
    if (!socket.write(encodeFrame(message))) socket.pause();
  }
}
