import type { Socket } from 'node:net';
import type { BodyLength, BodySink } from '../exchange/body.ts';
import type { ResponseHead } from '../exchange/exchange.ts';
import type { HeaderField } from '../http/request-head.ts';
import { MessageWriter } from './message-writer.ts';
import { reasonPhrase } from './reason-phrase.ts';

export interface ResponseOptions {
  readonly socket: Socket;
  readonly head: ResponseHead;
  readonly length: BodyLength;
  /** An HTTP/1.0 client knows no chunks. */
  readonly version: '1.0' | '1.1' | '2';
  /** The connection is closed behind this response. */
  readonly close: boolean;
  /** Called once: the response is complete (`true`), or was given up within it. */
  readonly onEnd: (complete: boolean) => void;
}

/** Whether the end of the response can only be told by closing the connection. */
export const endsWithConnection = (length: BodyLength, version: string): boolean =>
  length.kind === 'stream' && version === '1.0';

/** Writes one response. The head goes out with the first bytes of the body where those are there at once. */
export function writeResponse(options: ResponseOptions): BodySink {
  const { socket, head, length, version, close, onEnd } = options;
  let text = statusLine(head.status);
  text += renderFields(head.fields);
  if (length.kind === 'length') text += `Content-Length: ${length.length}\r\n`;
  else if (length.kind === 'none' && length.declared !== undefined)
    text += `Content-Length: ${length.declared}\r\n`;
  const chunked = length.kind === 'stream' && version !== '1.0';
  if (chunked) text += 'Transfer-Encoding: chunked\r\n';
  if (close) text += 'Connection: close\r\n';
  else if (version === '1.0') text += 'Connection: keep-alive\r\n';
  return new MessageWriter(socket, `${text}\r\n`, length, chunked, onEnd);
}

/** A 1xx response, which has no body and is followed by another one. */
export const renderInterim = ({ status, fields }: ResponseHead): string =>
  `${statusLine(status)}${renderFields(fields)}\r\n`;

const lines = new Map<number, string>();

function statusLine(status: number): string {
  let line = lines.get(status);
  if (line === undefined) {
    line = `HTTP/1.1 ${status} ${reasonPhrase(status)}\r\n`;
    lines.set(status, line);
  }
  return line;
}

export function renderFields(fields: readonly HeaderField[]): string {
  let text = '';
  for (const { name, value } of fields) text += `${name}: ${value}\r\n`;
  return text;
}
