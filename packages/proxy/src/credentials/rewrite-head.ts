import type { OutgoingRequest } from '../exchange/exchange.ts';
import type { HeaderField } from '../http/request-head.ts';
import { fill, HEADER_PLACE, PATH_PLACE, type Place, QUERY_PLACE, type Values } from './fill.ts';
import { injectionFailed, isRefusal, type Refusal } from './injection.ts';
import { type AliasPrefix, findPlaceholders, MARKERS, replaceSpans } from './placeholder.ts';

/** Whether anything of a request's head looks like a placeholder, in whatever writing. One look over all of it. */
export function headHasMarker({ method, target, authority, fields }: OutgoingRequest): boolean {
  let text = `${method}\n${target}\n${authority}`;
  for (const { name, lowerName, value } of fields) {
    text += `\n${name}\n${value}`;
    if (lowerName === 'authorization') text += `\n${basicPair(value) ?? ''}`;
  }
  return MARKERS.test(text);
}

/** The head with every placeholder replaced. Where one is left, in a place or a writing that is not understood, the request is refused. */
export function rewriteHead(request: OutgoingRequest, values: Values): OutgoingRequest | Refusal {
  const target = rewriteTarget(request.target, values);
  if (isRefusal(target)) return target;
  const fields: HeaderField[] = [];
  for (const field of request.fields) {
    const value = rewriteField(field, values);
    if (isRefusal(value)) return value;
    fields.push(value === field.value ? field : { ...field, value });
  }
  return { ...request, target, fields };
}

export const PLACEHOLDER_LEFT: Refusal = injectionFailed(
  'a credential placeholder stands where no value can be put, or is written in a way that is not understood there',
  'Use it as it is in the environment: in a header value, Basic credentials, a path segment or the value of a query parameter.',
);

/** The target with every placeholder as `[CREDENTIAL]`: what policy, logs and events get to see. */
export function redactedTarget(target: string, prefixOf: AliasPrefix): string {
  if (!MARKERS.test(target)) return target;
  const spans = findPlaceholders(target, prefixOf, PATH_PLACE.decode);
  return replaceSpans(target, spans, () => '[CREDENTIAL]');
}

function rewriteTarget(target: string, values: Values): string | Refusal {
  const at = target.indexOf('?');
  const path = fill(at < 0 ? target : target.slice(0, at), PATH_PLACE, values);
  if (isRefusal(path) || at < 0) return path;
  const query = fill(target.slice(at + 1), QUERY_PLACE, values);
  return isRefusal(query) ? query : `${path}?${query}`;
}

function rewriteField({ lowerName, value }: HeaderField, values: Values): string | Refusal {
  const pair = lowerName === 'authorization' ? basicPair(value) : undefined;
  if (pair === undefined) return fill(value, HEADER_PLACE, values);
  const filled = fill(pair, basicPlace(pair, values), values);
  if (isRefusal(filled)) return filled;
  return filled === pair ? value : `Basic ${Buffer.from(filled, 'latin1').toString('base64')}`;
}

/** What Basic credentials say, as bytes in latin1; undefined where there are none. */
function basicPair(value: string): string | undefined {
  const encoded = /^basic +([A-Za-z0-9+/]+=*)$/i.exec(value)?.[1];
  return encoded === undefined ? undefined : Buffer.from(encoded, 'base64').toString('latin1');
}

/**
 * RFC 7617: the first colon ends the user's name, so a value in front of it has none. A value that is the whole pair may.
 */
function basicPlace(pair: string, { prefixOf }: Values): Place {
  const blank = (text: string) =>
    replaceSpans(text, findPlaceholders(text, prefixOf), ({ start, end }) => '_'.repeat(end - start));
  const colon = blank(pair).indexOf(':');
  const startsBeforeColon = findPlaceholders(pair, prefixOf).some(({ start }) => start < colon);
  return {
    name: 'Basic credentials',
    decode: (text) => text,
    encode: (value) =>
      startsBeforeColon && value.includes(':') ? undefined : Buffer.from(value).toString('latin1'),
  };
}
