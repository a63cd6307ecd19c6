import type { Socket } from 'node:net';
import type { SandboxId } from '@openshell/base';
import { ControlRefusal, type Recognition } from '@openshell/control';
import { type Cidr, formatCidr } from '@openshell/policy';
import type { UserPassword } from '../socks/messages.ts';
import type { Adoption } from '../tenant/adoption.ts';
import { CredentialTable, type SaidCredentials } from './credentials.ts';
import { NetworkTable, parseNetwork, parsePeer } from './networks.ts';
import { type Recognised, recognise, type Said } from './recognise.ts';

/** What connections are handed to: a tenant. */
export interface Recognisable {
  readonly id: SandboxId;
  adopt(socket: Socket, adoption: Adoption): void;
}

type Credentials = Extract<Recognition, { kind: 'credentials' }>;

/** RFC 1929 section 2 has one byte for the length; RFC 7617 section 2 has no colon and no control characters. */
const USERNAME = /^[^\p{Cc}:]+$/u;
const MAX_USERNAME_BYTES = 255;
const SHA256 = /^[0-9a-f]{64}$/;

/** By what the tenants of shared listeners are recognised. Recognitions of other kinds are not its business. */
export class TenantDirectory {
  /** Without the networks of all addresses. */
  readonly #sources = new NetworkTable<Recognisable>();
  readonly #everybody = new NetworkTable<Recognisable>();
  readonly #credentials = new CredentialTable<Recognisable>();

  /**
   * Recognises a tenant from now on, until what it answers is called. Throws `tenant_invalid`, or `recognition_taken` where another one is
   * recognised by the same; then by none of them.
   */
  add(tenant: Recognisable, recognitions: readonly Recognition[]): () => void {
    const networks: Cidr[] = [];
    const credentials: Credentials[] = [];
    for (const recognition of recognitions) {
      if (recognition.kind === 'source') networks.push(this.#freeNetwork(recognition.network));
      else if (recognition.kind === 'credentials') credentials.push(this.#freeCredentials(recognition));
    }
    if (new Set(credentials.map(({ username }) => username)).size < credentials.length)
      throw taken('a user name is there twice');
    for (const network of networks) this.#tableOf(network).set(network, tenant);
    for (const { username, passwordSha256 } of credentials)
      this.#credentials.set(username, passwordSha256, tenant);
    let added = true;
    return () => {
      if (!added) return;
      added = false;
      for (const network of networks) this.#tableOf(network).delete(network);
      for (const { username } of credentials) this.#credentials.delete(username);
    };
  }

  /** Whose a connection from this address is. `said`: what has been read of it; absent: nothing was read yet. */
  recognise(address: string, said?: SaidCredentials): Recognised<Recognisable> {
    const peer = parsePeer(address);
    const signs = {
      source: peer && this.#sources.find(peer),
      everybody: peer && this.#everybody.find(peer),
      credentialsCount: this.#credentials.size > 0,
    };
    const early = recognise({ ...signs, said: { kind: 'unread' } });
    // Hashing is only for those whose credentials decide.
    return early.kind !== 'read' || said === undefined
      ? early
      : recognise({ ...signs, said: this.#understand(said) });
  }

  #understand(said: SaidCredentials): Said<Recognisable> {
    switch (said.kind) {
      case 'nothing':
        return { kind: 'nothing' };
      case 'malformed':
        return { kind: 'wrong' };
      case 'given':
        return this.#ownerOf(said);
      default:
        return said satisfies never;
    }
  }

  #ownerOf(given: UserPassword): Said<Recognisable> {
    const owner = this.#credentials.find(given);
    return owner === undefined ? { kind: 'wrong' } : { kind: 'credentials', owner };
  }

  #tableOf({ prefix }: Cidr): NetworkTable<Recognisable> {
    return prefix === 0 ? this.#everybody : this.#sources;
  }

  #freeNetwork(text: string): Cidr {
    const network = parseNetwork(text);
    if (network === undefined)
      throw invalid(`"${text}" is no network`, 'Write it as 10.1.0.0/16 or 2001:db8::/32.');
    const other = this.#tableOf(network).get(network);
    if (other !== undefined)
      throw taken(`the network ${formatCidr(network)} is where tenant "${other.id}" comes from`);
    return network;
  }

  #freeCredentials(credentials: Credentials): Credentials {
    const { username, passwordSha256 } = credentials;
    if (!USERNAME.test(username) || Buffer.byteLength(username) > MAX_USERNAME_BYTES)
      throw invalid(
        'a user name is empty, too long, or has a colon or a control character',
        `Use at most ${MAX_USERNAME_BYTES} bytes, and neither colons nor control characters.`,
      );
    if (!SHA256.test(passwordSha256))
      throw invalid(
        `what user "${username}" has is no SHA-256 of a password`,
        'Give 64 lower-case hexadecimal digits.',
      );
    const other = this.#credentials.ownerOf(username);
    if (other !== undefined) throw taken(`the user name "${username}" is that of tenant "${other.id}"`);
    return credentials;
  }
}

const invalid = (message: string, remedy: string): ControlRefusal =>
  new ControlRefusal(message, { code: 'tenant_invalid', remedy });

const taken = (message: string): ControlRefusal =>
  new ControlRefusal(message, {
    code: 'recognition_taken',
    remedy: 'Recognise each tenant by something of its own, or remove the other one first.',
  });
