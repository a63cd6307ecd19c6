import type { HeaderField } from '../http/request-head.ts';
import { fill, JSON_PLACE, QUERY_PLACE, TEXT_PLACE, type Values } from './fill.ts';
import { injectionFailed, isRefusal, type Refusal } from './injection.ts';
import { MARKERS } from './placeholder.ts';

export type BodyFormat = 'json' | 'form' | 'text';

/** How a body that values may be put into is read. Undefined: as nothing, so that a placeholder in it refuses the request. */
export function bodyFormat(fields: readonly HeaderField[]): BodyFormat | Refusal | undefined {
  const type = single(fields, 'content-type')?.toLowerCase();
  const [media = '', ...parameters] = (type ?? '').split(';').map((part) => part.trim());
  const format = formatOf(media);
  if (format === undefined) return undefined;
  const encoding = single(fields, 'content-encoding')?.toLowerCase() ?? 'identity';
  if (encoding !== 'identity') {
    return injectionFailed(
      `the request body is encoded (${encoding.slice(0, 32)}), so credentials cannot be put into it`,
      'Send it without Content-Encoding.',
    );
  }
  const charset = parameters
    .find((part) => part.startsWith('charset='))
    ?.slice(8)
    .replaceAll('"', '');
  if (charset !== undefined && charset !== 'utf-8' && charset !== 'us-ascii') {
    return injectionFailed(
      'the request body is not in UTF-8, so credentials cannot be put into it',
      'Send it as UTF-8.',
    );
  }
  return format;
}

function formatOf(media: string): BodyFormat | undefined {
  if (media === 'application/json' || /^application\/[^/]+\+json$/.test(media)) return 'json';
  if (media === 'application/x-www-form-urlencoded') return 'form';
  return media.startsWith('text/') ? 'text' : undefined;
}

const single = (fields: readonly HeaderField[], lowerName: string): string | undefined => {
  const values = fields.filter((field) => field.lowerName === lowerName).map(({ value }) => value);
  return values.length === 0 ? undefined : values.join(', ');
};

/** The body with every placeholder replaced; the same buffer where there is none. */
export function rewriteBody(body: Buffer, format: BodyFormat, values: Values): Buffer | Refusal {
  if (!MARKERS.test(body.toString('latin1'))) return body;
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(body);
  } catch {
    return injectionFailed('the request body is not valid UTF-8', 'Send it as UTF-8.');
  }
  const filled = rewriteText(text, format, values);
  return isRefusal(filled) ? filled : Buffer.from(filled);
}

/** The same for text that is not on its way in a body. */
export function rewriteText(text: string, format: BodyFormat, values: Values): string | Refusal {
  const filled = fill(text, PLACES[format], values);
  if (isRefusal(filled)) return filled;
  if (format === 'json' && (!isJson(text) || !isJson(filled)))
    return injectionFailed('the request body is not valid JSON', 'Send valid JSON.');
  return MARKERS.test(filled) ? LEFT_IN_BODY : filled;
}

const PLACES = { json: JSON_PLACE, form: QUERY_PLACE, text: TEXT_PLACE } as const;

const LEFT_IN_BODY = injectionFailed(
  'a credential placeholder in the body is written in a way that is not understood there',
  'Use it as it is in the environment: inside a JSON string, as the value of a form field, or in text.',
);

export function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

/** Say something about a body as it was. */
const OF_THE_BODY: ReadonlySet<string> = new Set(['content-md5', 'digest', 'content-digest', 'repr-digest']);

/** What may be said of a body that has changed. */
export const withoutDigests = (fields: readonly HeaderField[]): HeaderField[] =>
  fields.filter(({ lowerName }) => !OF_THE_BODY.has(lowerName));
