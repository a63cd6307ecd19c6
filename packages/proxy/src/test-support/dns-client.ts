import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { encodeName, TYPE } from '../dns/index.ts';
import { type Fixture, LOOPBACK, portOf } from './fixture.ts';

export interface QueryOptions {
  readonly type?: number;
  readonly class?: number;
  readonly id?: number;
  readonly flags?: number;
  readonly counts?: readonly [number, number, number, number];
  readonly tail?: Buffer;
}

/** A DNS query as a client would send it. The name is put in as it is written. */
export function dnsQuery(name: string, options: QueryOptions = {}): Buffer {
  const { id = 7, flags = 0x0100, type = TYPE.A, counts = [1, 0, 0, 0], tail = Buffer.alloc(0) } = options;
  const header = Buffer.alloc(12);
  [id, flags, ...counts].forEach((value, i) => {
    header.writeUInt16BE(value, 2 * i);
  });
  const end = Buffer.alloc(4);
  end.writeUInt16BE(type, 0);
  end.writeUInt16BE(options.class ?? 1, 2);
  return Buffer.concat([header, encodeName(name), end, tail]);
}

export interface DnsReply {
  readonly rcode: number;
  /** Answer, authority and additional records. */
  readonly counts: readonly [number, number, number];
  /** The data of the answer, when there is one. */
  readonly data: Buffer | undefined;
}

/** Reads as much of a response as the tests look at. */
export function dnsReply(bytes: Buffer): DnsReply {
  const [answers, authorities, additional] = [6, 8, 10].map((at) => bytes.readUInt16BE(at)) as [
    number,
    number,
    number,
  ];
  let at = 12;
  while (bytes.length > at && bytes[at] !== 0) at += 1 + bytes[at]!;
  // Root label, type and class of the question; then the pointer, type, class, TTL and length of the answer.
  at += 5 + 10;
  const data = answers === 0 ? undefined : bytes.subarray(at + 2, at + 2 + bytes.readUInt16BE(at));
  return { rcode: bytes[3]! & 15, counts: [answers, authorities, additional], data };
}

/** Asks the fixture's front over UDP. */
export async function ask(fixture: Fixture, query: Buffer): Promise<Buffer> {
  const socket = createSocket('udp4');
  try {
    socket.send(query, portOf(fixture.servers.dnsUdp), LOOPBACK);
    const [message] = await once(socket, 'message');
    return message;
  } finally {
    socket.close();
  }
}

/** The IPv4 address that the fixture's front gives a name. */
export async function lookup(fixture: Fixture, name: string): Promise<string> {
  const { data } = dnsReply(await ask(fixture, dnsQuery(name)));
  if (data === undefined) throw new Error(`${name} has no address`);
  return [...data].join('.');
}
