import { createServer, type Server, type Socket } from 'node:net';

/** Code in place of a protocol version: "may we speak TLS?" (PostgreSQL documentation, 55.7 Message Formats). */
const SSL_REQUEST = 80877103;
const TEXT_OID = 25;

const text = (value: string): Buffer => Buffer.from(`${value}\0`);
const int32 = (value: number): Buffer => {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32BE(value);
  return bytes;
};
const int16 = (value: number): Buffer => int32(value).subarray(2);

/** Type, length with itself, content. */
const message = (type: string, ...parts: readonly Buffer[]): Buffer => {
  const content = Buffer.concat(parts);
  return Buffer.concat([Buffer.from(type), int32(content.length + 4), content]);
};

const READY = message('Z', Buffer.from('I'));
const WELCOME = Buffer.concat([
  message('R', int32(0)), // authenticated
  message('S', text('client_encoding'), text('UTF8')),
  message('S', text('server_version'), text('15.0')),
  READY,
]);

/** One row with one column of text. */
const answer = (column: string, value: string): Buffer =>
  Buffer.concat([
    message('T', int16(1), text(column), int32(0), int16(0), int32(TEXT_OID), int16(-1), int32(-1), int16(0)),
    message('D', int16(1), int32(Buffer.byteLength(value)), Buffer.from(value)),
    message('C', text('SELECT 1')),
    READY,
  ]);

/** The first whole message of the buffer, and what comes after it. Before the welcome, messages have no type. */
const cut = (
  buffer: Buffer,
  welcomed: boolean,
): { type: string; content: Buffer; rest: Buffer } | undefined => {
  const start = welcomed ? 1 : 0;
  if (buffer.length < start + 4) return undefined;
  const end = start + buffer.readInt32BE(start);
  if (buffer.length < end) return undefined;
  const type = welcomed ? buffer.toString('latin1', 0, 1) : '';
  return { type, content: buffer.subarray(start + 4, end), rest: buffer.subarray(end) };
};

const serve = (socket: Socket): void => {
  let buffered: Buffer = Buffer.alloc(0);
  let welcomed = false;
  socket.on('error', () => {}); // a client that goes away is no concern of a database that holds nothing
  socket.on('data', (bytes: Buffer) => {
    buffered = Buffer.concat([buffered, bytes]);
    for (let next = cut(buffered, welcomed); next; next = cut(buffered, welcomed)) {
      buffered = next.rest;
      if (next.type === 'X') socket.end();
      else if (next.type === 'Q') socket.write(answer('stock', '42 apples'));
      else if (!welcomed && next.content.readInt32BE(0) === SSL_REQUEST) socket.write('N');
      else if (!welcomed) {
        welcomed = true;
        socket.write(WELCOME);
      }
    }
  });
};

/** Speaks as much of PostgreSQL's protocol (version 3) as a client needs for one query. The answer is always the same. */
export const createDatabaseOrigin = (): Server => createServer(serve);
