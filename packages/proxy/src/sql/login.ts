import { ContentReader, cString, message } from './wire.ts';

/** Authentication requests of the server (manual, section 55.7) that matter here. */
const OK = 0;
const SASL = 10;
const SASL_FINAL = 12;
const PLUS = '-PLUS';

export type AuthenticationRequest =
  | { readonly kind: 'done' }
  /** The client is to answer before the server goes on, or not. `plusRemoved`: a mechanism with channel binding was among those offered. */
  | {
      readonly kind: 'request';
      readonly bytes: Buffer;
      readonly answered: boolean;
      readonly plusRemoved?: boolean;
      readonly offer: boolean;
    }
  | { readonly kind: 'only-plus' }
  | { readonly kind: 'malformed' };

/**
 * What to pass on of an authentication request. Channel binding (RFC 5802 section 6) ties the client's proof to the
 * server's certificate, and the client sees another one: so mechanisms with it are not offered.
 */
export function readAuthentication(bytes: Buffer): AuthenticationRequest {
  const content = new ContentReader(bytes);
  const code = content.int32();
  if (content.overrun) return { kind: 'malformed' };
  if (code === OK) return content.complete ? { kind: 'done' } : { kind: 'malformed' };
  if (code !== SASL) return { kind: 'request', bytes, answered: code !== SASL_FINAL, offer: false };
  const mechanisms: string[] = [];
  for (;;) {
    const mechanism = content.string().toString('latin1');
    if (mechanism === '') break;
    mechanisms.push(mechanism);
  }
  if (!content.complete) return { kind: 'malformed' };
  const kept = mechanisms.filter((mechanism) => !mechanism.endsWith(PLUS));
  if (kept.length === 0) return { kind: 'only-plus' };
  const number = Buffer.alloc(4);
  number.writeInt32BE(SASL);
  const rewritten = message('R', number, ...kept.map(cString), Buffer.from([0]));
  const plusRemoved = kept.length < mechanisms.length;
  return {
    kind: 'request',
    bytes: plusRemoved ? rewritten : bytes,
    answered: true,
    plusRemoved,
    offer: true,
  };
}

/**
 * Whether the first answer to an offer of mechanisms can succeed. A client that could bind, and believes that the server could
 * not, says so (flag `y`), and a server that could takes that for an attack (RFC 5802 section 6): it cannot be helped from here.
 */
export function bindsToChannel(bytes: Buffer, plusRemoved: boolean): boolean {
  const content = new ContentReader(bytes);
  const mechanism = content.string().toString('latin1');
  const flag = content.take(content.int32())?.toString('latin1', 0, 1);
  return mechanism.startsWith('SCRAM-') && (flag === 'p' || (flag === 'y' && plusRemoved));
}
