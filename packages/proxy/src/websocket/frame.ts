/** RFC 6455 section 5.2. */
export const OPCODE = { continuation: 0, text: 1, binary: 2, close: 8, ping: 9, pong: 10 } as const;

export type ControlOpcode = typeof OPCODE.close | typeof OPCODE.ping | typeof OPCODE.pong;

/** RFC 6455 section 5.5: what a control frame can carry. */
export const CONTROL_PAYLOAD_BYTES = 125;

/** Close codes that the proxy itself sends (RFC 6455 section 7.4.1 and the IANA registry). */
export const CLOSE = {
  goingAway: 1001,
  protocolError: 1002,
  notUtf8: 1007,
  policy: 1008,
  tooBig: 1009,
  internal: 1011,
  restart: 1012,
  tryLater: 1013,
  /** To the client, for what the server did wrong. */
  badGateway: 1014,
} as const;

export type CloseCode = (typeof CLOSE)[keyof typeof CLOSE];

/** Why a connection cannot go on. `detail` is for the person and without anything of a payload. */
export interface WebSocketFault {
  readonly kind: 'fault';
  readonly code: CloseCode;
  readonly detail: string;
}

export const fault = (code: CloseCode, detail: string): WebSocketFault => ({ kind: 'fault', code, detail });

/** Who sent it. Client frames are masked, server frames are not (RFC 6455 section 5.1). */
export type Side = 'client' | 'server';

/** A frame of a message, with what its message is. */
export interface DataHeader {
  readonly type: 'text' | 'binary';
  /** First frame of its message. */
  readonly first: boolean;
  /** Last frame of its message. */
  readonly fin: boolean;
  /** The message is compressed (RFC 7692 section 6). */
  readonly compressed: boolean;
  /** Payload, in bytes. */
  readonly length: number;
  /** Masking key, big-endian; undefined from a server. */
  readonly mask: number | undefined;
}

/**
 * The codes that a close frame may carry: those with a meaning on the wire, and those of libraries and applications
 * (RFC 6455 section 7.4.2). 1004 to 1006 and 1015 are never sent.
 */
export const isCloseCode = (code: number): boolean =>
  (code >= 1000 && code <= 1003) || (code >= 1007 && code <= 1014) || (code >= 3000 && code <= 4999);

const FIN = 0x80;
const RSV1 = 0x40;
const MASKED = 0x80;

/** The header of a frame, with the length in its shortest form. */
export function encodeHeader(
  opcode: number,
  fin: boolean,
  compressed: boolean,
  length: number,
  mask: number | undefined,
): Buffer {
  const lengthBytes = length < 126 ? 0 : length < 65_536 ? 2 : 8;
  const header = Buffer.allocUnsafe(2 + lengthBytes + (mask === undefined ? 0 : 4));
  header[0] = (fin ? FIN : 0) | (compressed ? RSV1 : 0) | opcode;
  const maskBit = mask === undefined ? 0 : MASKED;
  switch (lengthBytes) {
    case 0:
      header[1] = maskBit | length;
      break;
    case 2:
      header[1] = maskBit | 126;
      header.writeUInt16BE(length, 2);
      break;
    default:
      header[1] = maskBit | 127;
      header.writeUInt32BE(Math.floor(length / 2 ** 32), 2);
      header.writeUInt32BE(length % 2 ** 32, 6);
  }
  if (mask !== undefined) header.writeUInt32BE(mask, 2 + lengthBytes);
  return header;
}

export const opcodeOf = (header: DataHeader): number => {
  if (!header.first) return OPCODE.continuation;
  return header.type === 'text' ? OPCODE.text : OPCODE.binary;
};

/** What a close frame carries. A reason that is too long is cut between characters. */
export function closePayload(code: number, reason: string): Buffer {
  const payload = Buffer.alloc(CONTROL_PAYLOAD_BYTES);
  payload.writeUInt16BE(code);
  // `write` never writes a part of a character.
  return payload.subarray(0, 2 + payload.write(reason, 2, 'utf8'));
}
