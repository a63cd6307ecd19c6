/** What two sides agree on about permessage-deflate (RFC 7692 section 7.1). */
export interface DeflateParameters {
  readonly serverNoContextTakeover: boolean;
  readonly clientNoContextTakeover: boolean;
  /** 8 to 15; undefined: not spoken of. */
  readonly serverMaxWindowBits: number | undefined;
  /** `unbounded`: offered without a value, which says that the client knows the parameter. */
  readonly clientMaxWindowBits: number | 'unbounded' | undefined;
}

export interface Extension {
  readonly name: string;
  readonly parameters: readonly (readonly [name: string, value: string | undefined])[];
}

const TOKEN = "[!#$%&'*+.^_`|~0-9A-Za-z-]+";
const PARAMETER = new RegExp(`^(${TOKEN})(?:[ \\t]*=[ \\t]*(?:(${TOKEN})|"(${TOKEN})"))?$`);
const NAME = new RegExp(`^${TOKEN}$`);

/**
 * The value of `Sec-WebSocket-Extensions` (RFC 6455 section 9.1). Quoted values must be tokens too, so a comma or
 * semicolon always separates. Undefined: malformed.
 */
export function parseExtensions(values: readonly string[]): readonly Extension[] | undefined {
  const extensions: Extension[] = [];
  for (const element of values.join(',').split(',')) {
    const [name = '', ...rest] = element.split(';').map((part) => part.trim());
    if (!NAME.test(name)) return undefined;
    const parameters: [string, string | undefined][] = [];
    for (const part of rest) {
      const match = PARAMETER.exec(part);
      if (match === null) return undefined;
      parameters.push([match[1]!, match[2] ?? match[3]]);
    }
    extensions.push({ name, parameters });
  }
  return extensions;
}

const WINDOW_BITS = /^(?:[89]|1[0-5])$/;

/**
 * Reads the parameters of one permessage-deflate. Undefined where one is unknown, comes twice, or has an
 * illegal value: RFC 7692 section 7.1 has such an offer declined and such an answer refused.
 */
export function deflateParameters(
  extension: Extension,
  side: 'offer' | 'answer',
): DeflateParameters | undefined {
  const values = new Map(extension.parameters);
  if (values.size !== extension.parameters.length) return undefined;
  for (const [name, value] of values) {
    switch (name) {
      case 'server_no_context_takeover':
      case 'client_no_context_takeover':
        if (value !== undefined) return undefined;
        break;
      case 'client_max_window_bits':
        if (value === undefined && side === 'offer') break;
        if (!WINDOW_BITS.test(value ?? '')) return undefined;
        break;
      case 'server_max_window_bits':
        if (!WINDOW_BITS.test(value ?? '')) return undefined;
        break;
      default:
        return undefined;
    }
  }
  const bits = (name: string): number | undefined => {
    const value = values.get(name);
    return value === undefined ? undefined : Number(value);
  };
  return {
    serverNoContextTakeover: values.has('server_no_context_takeover'),
    clientNoContextTakeover: values.has('client_no_context_takeover'),
    serverMaxWindowBits: bits('server_max_window_bits'),
    clientMaxWindowBits:
      bits('client_max_window_bits') ?? (values.has('client_max_window_bits') ? 'unbounded' : undefined),
  };
}

export const DEFLATE = 'permessage-deflate';

export function renderDeflate(parameters: DeflateParameters): string {
  const { serverMaxWindowBits, clientMaxWindowBits } = parameters;
  const parts = [DEFLATE];
  if (parameters.serverNoContextTakeover) parts.push('server_no_context_takeover');
  if (parameters.clientNoContextTakeover) parts.push('client_no_context_takeover');
  if (serverMaxWindowBits !== undefined) parts.push(`server_max_window_bits=${serverMaxWindowBits}`);
  if (clientMaxWindowBits === 'unbounded') parts.push('client_max_window_bits');
  else if (clientMaxWindowBits !== undefined) parts.push(`client_max_window_bits=${clientMaxWindowBits}`);
  return parts.join('; ');
}

/** Whether an answer is one that the offer allows (RFC 7692 sections 7.1.1 and 7.1.2). */
export function answersOffer(answer: DeflateParameters, offer: DeflateParameters): boolean {
  if (offer.serverNoContextTakeover && !answer.serverNoContextTakeover) return false;
  const { serverMaxWindowBits, clientMaxWindowBits } = offer;
  if (serverMaxWindowBits !== undefined && !((answer.serverMaxWindowBits ?? 15) <= serverMaxWindowBits))
    return false;
  if (answer.clientMaxWindowBits === undefined || clientMaxWindowBits === 'unbounded') return true;
  return clientMaxWindowBits !== undefined && Number(answer.clientMaxWindowBits) <= clientMaxWindowBits;
}
