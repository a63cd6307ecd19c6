import { injectionFailed, type Refusal } from './injection.ts';
import {
  type AliasPrefix,
  findPlaceholders,
  MARKERS,
  type PlaceholderSpan,
  replaceSpans,
} from './placeholder.ts';

/** What putting values in needs to know of the credentials. */
export interface Values {
  readonly prefixOf: AliasPrefix;
  /** The value behind the last part of a placeholder. */
  of(key: string): string;
}

/** A place in a message where values can be put: what undoes its encoding, and what makes a value fit, or says why it does not. */
export interface Place {
  decode(encoded: string): string | undefined;
  /** The value as it is written there; undefined where it would say more than itself. */
  encode(value: string): string | undefined;
  /** Whether a placeholder may be put in there at all; those that may not refuse the request later. */
  admits?(text: string, span: PlaceholderSpan): boolean;
  /** For people. */
  readonly name: string;
}

/** The text with its placeholders replaced. */
export function fill(text: string, place: Place, values: Values): string | Refusal {
  if (!MARKERS.test(text)) return text;
  const spans = findPlaceholders(text, values.prefixOf, place.decode).filter(
    (span) => place.admits?.(text, span) ?? true,
  );
  const written = new Map<string, string>();
  for (const { key } of spans) {
    const encoded = place.encode(values.of(key));
    if (encoded === undefined) {
      return injectionFailed(
        `the value of ${key} cannot stand in ${place.name}: it has characters with a meaning there`,
        'Send this credential in another place, such as a header, if the service takes it there.',
      );
    }
    written.set(key, encoded);
  }
  return replaceSpans(text, spans, ({ key }) => written.get(key)!);
}

const asIs = (text: string): string => text;

/** RFC 9110 section 5.5, without obs-text. */
export const HEADER_PLACE: Place = {
  name: 'a header field',
  decode: asIs,
  encode: (value) => (/^[\t\x20-\x7e]*$/.test(value) ? value : undefined),
};

export const TEXT_PLACE: Place = { name: 'text', decode: asIs, encode: asIs };

/** RFC 3986 section 3.3. A value never adds a segment, a query or a step upwards, in whatever way a server decodes it. */
export const PATH_PLACE: Place = {
  name: 'a path',
  decode: percentDecoded,
  encode: (value) =>
    /[/\\?#\x00-\x1f\x7f]|\.\.|^\.$/.test(value)
      ? undefined
      : percentEncoded(value, /[A-Za-z0-9._~!$&'()*+,;=:@-]/),
};

/** The value of a parameter, in a query or a form. */
export const QUERY_PLACE: Place = {
  name: 'a query parameter',
  decode: percentDecoded,
  encode: (value) => percentEncoded(value, /[A-Za-z0-9._~-]/),
  admits: (text, { start }) => text.slice(text.lastIndexOf('&', start) + 1, start).includes('='),
};

/** Inside a string of JSON. */
export const JSON_PLACE: Place = {
  name: 'a JSON string',
  decode(encoded) {
    try {
      return JSON.parse(`"${encoded}"`) as string;
    } catch {
      return undefined;
    }
  },
  encode: (value) => JSON.stringify(value).slice(1, -1),
  // An escape whose backslash is itself escaped is none.
  admits: (text, { start }) => backslashesBefore(text, start) % 2 === 0,
};

function backslashesBefore(text: string, at: number): number {
  let from = at;
  while (text[from - 1] === '\\') from--;
  return at - from;
}

function percentDecoded(encoded: string): string | undefined {
  try {
    return decodeURIComponent(encoded);
  } catch {
    return undefined;
  }
}

const percentEncoded = (value: string, plain: RegExp): string =>
  [...Buffer.from(value)]
    .map((byte) => {
      const char = String.fromCharCode(byte);
      return plain.test(char) ? char : `%${byte.toString(16).toUpperCase().padStart(2, '0')}`;
    })
    .join('');
