import { createHash } from 'node:crypto';
import type { RequestMessage, ResponseHead } from '../exchange/exchange.ts';
import { field, type HeaderField } from '../http/request-head.ts';
import {
  answersOffer,
  DEFLATE,
  type DeflateParameters,
  deflateParameters,
  parseExtensions,
  renderDeflate,
} from './extensions.ts';
import type { RelayRules } from './rules.ts';

/** What a client asks for, as it is put to the server. */
export interface WebSocketOffer {
  readonly key: string;
  readonly protocols: readonly string[];
  /** Undefined: no compression is offered. */
  readonly deflate: DeflateParameters | undefined;
}

/** What both sides have agreed on, as it is told to the client. */
export interface WebSocketSession {
  readonly protocol: string | undefined;
  readonly deflate: DeflateParameters | undefined;
}

export type UpgradeRequestResult =
  | { readonly kind: 'offer'; readonly offer: WebSocketOffer }
  /** 426 goes with `Sec-WebSocket-Version: 13` (RFC 6455 section 4.4). */
  | { readonly kind: 'fault'; readonly status: 400 | 426; readonly detail: string };

export type UpgradeResponseResult =
  | { readonly kind: 'session'; readonly session: WebSocketSession }
  | { readonly kind: 'fault'; readonly detail: string };

const refuse = (detail: string, status: 400 | 426 = 400): UpgradeRequestResult => ({
  kind: 'fault',
  status,
  detail,
});

/** Sixteen bytes in base64; the last digit before `==` carries two bits. */
const KEY = /^[A-Za-z0-9+/]{21}[AQgw]==$/;
const TOKEN = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;
/** RFC 6455 section 1.3. */
const GUID = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11';

/**
 * The opening handshake of a client (RFC 6455 section 4.2.1). Of the extensions only permessage-deflate is kept, of
 * several offers of it the first. A side whose messages are read must not compress across them: so each can be
 * decompressed alone, within a bound, and nothing is remembered from one to the next.
 */
export function checkUpgradeRequest(request: RequestMessage, rules: RelayRules): UpgradeRequestResult {
  if (request.upgrade !== 'websocket') return refuse('not an upgrade to WebSocket');
  if (request.method !== 'GET') return refuse('a WebSocket handshake is a GET');
  if (request.version !== '1.1') return refuse('a WebSocket handshake needs HTTP/1.1');
  const { fields } = request;
  const versions = valuesOf(fields, 'sec-websocket-version');
  if (versions.length !== 1) return refuse('a WebSocket handshake needs one Sec-WebSocket-Version');
  if (versions[0] !== '13') return refuse('only version 13 of WebSocket is spoken here', 426);
  const [key, ...moreKeys] = valuesOf(fields, 'sec-websocket-key');
  if (key === undefined || moreKeys.length > 0 || !KEY.test(key)) {
    return refuse('a WebSocket handshake needs one Sec-WebSocket-Key of 16 bytes in base64');
  }
  const protocols = listOf(fields, 'sec-websocket-protocol');
  if (!protocols.every((name) => TOKEN.test(name)) || new Set(protocols).size < protocols.length) {
    return refuse('Sec-WebSocket-Protocol is not a list of different tokens');
  }
  const values = valuesOf(fields, 'sec-websocket-extensions');
  const extensions = values.length === 0 ? [] : parseExtensions(values);
  if (extensions === undefined) return refuse('Sec-WebSocket-Extensions is malformed');
  const wanted = extensions
    .filter(({ name }) => name === DEFLATE)
    .map((extension) => deflateParameters(extension, 'offer'))
    .find((parameters) => parameters !== undefined);
  return { kind: 'offer', offer: { key, protocols, deflate: wanted && readable(wanted, rules) } };
}

/** Checks the 101 of a server against what it was offered (RFC 6455 section 4.1, RFC 7692 section 7.1). */
export function checkUpgradeResponse(
  head: ResponseHead,
  offer: WebSocketOffer,
  rules: RelayRules,
): UpgradeResponseResult {
  const wrong = (detail: string): UpgradeResponseResult => ({ kind: 'fault', detail });
  if (head.status !== 101) return wrong('the server did not change to WebSocket');
  const accepts = valuesOf(head.fields, 'sec-websocket-accept');
  if (accepts.length !== 1 || accepts[0] !== acceptOf(offer.key)) {
    return wrong('the Sec-WebSocket-Accept of the server does not fit the key');
  }
  const [protocol, ...moreProtocols] = valuesOf(head.fields, 'sec-websocket-protocol');
  if (moreProtocols.length > 0 || (protocol !== undefined && !offer.protocols.includes(protocol))) {
    return wrong('the server chose a subprotocol that was not offered');
  }
  const values = valuesOf(head.fields, 'sec-websocket-extensions');
  if (values.length === 0) return { kind: 'session', session: { protocol, deflate: undefined } };
  const [extension, ...moreExtensions] = parseExtensions(values) ?? [];
  if (extension?.name !== DEFLATE || moreExtensions.length > 0 || offer.deflate === undefined) {
    return wrong('the server chose an extension that was not offered');
  }
  const answer = deflateParameters(extension, 'answer');
  if (answer === undefined || !answersOffer(answer, offer.deflate)) {
    return wrong('the server chose parameters of permessage-deflate that were not offered');
  }
  return { kind: 'session', session: { protocol, deflate: readable(answer, rules) } };
}

/** The fields of the request with the offer in place of all that the client said about WebSocket. */
export function offerFields(fields: readonly HeaderField[], offer: WebSocketOffer): HeaderField[] {
  return [
    ...withoutWebSocket(fields),
    field('Sec-WebSocket-Version', '13'),
    field('Sec-WebSocket-Key', offer.key),
    ...agreed(offer.protocols.join(', '), offer.deflate),
  ];
}

/** The fields of the 101 with the session in place of all that the server said about WebSocket. */
export function sessionFields(
  fields: readonly HeaderField[],
  offer: WebSocketOffer,
  session: WebSocketSession,
): HeaderField[] {
  return [
    ...withoutWebSocket(fields),
    field('Sec-WebSocket-Accept', acceptOf(offer.key)),
    ...agreed(session.protocol ?? '', session.deflate),
  ];
}

/**
 * What keeps the messages that are read apart. A server may ask this of the client without having been offered it, and
 * a client may offer it on its own (RFC 7692 section 7.1.1).
 */
const readable = (parameters: DeflateParameters, rules: RelayRules): DeflateParameters => ({
  ...parameters,
  clientNoContextTakeover: parameters.clientNoContextTakeover || rules.client !== undefined,
  serverNoContextTakeover: parameters.serverNoContextTakeover || rules.server !== undefined,
});

const acceptOf = (key: string): string =>
  createHash('sha1')
    .update(key + GUID)
    .digest('base64');

const valuesOf = (fields: readonly HeaderField[], lowerName: string): string[] =>
  fields.filter((each) => each.lowerName === lowerName).map(({ value }) => value);

const listOf = (fields: readonly HeaderField[], lowerName: string): string[] =>
  valuesOf(fields, lowerName).flatMap((value) => value.split(',').map((item) => item.trim()));

const withoutWebSocket = (fields: readonly HeaderField[]): HeaderField[] =>
  fields.filter(({ lowerName }) => !lowerName.startsWith('sec-websocket-'));

const agreed = (protocols: string, deflate: DeflateParameters | undefined): HeaderField[] => [
  ...(protocols === '' ? [] : [field('Sec-WebSocket-Protocol', protocols)]),
  ...(deflate === undefined ? [] : [field('Sec-WebSocket-Extensions', renderDeflate(deflate))]),
];
