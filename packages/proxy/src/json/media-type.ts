import type { HeaderField } from '../http/request-head.ts';
import { malformed, type Reading, understood } from './reading.ts';

const TOKEN = "[!#$%&'*+.^_`|~0-9A-Za-z-]+";
/** One text is matched in one way only, so that no hostile field takes long. */
const PARAMETER = `[ \\t]*;(?:[ \\t]*(${TOKEN})=(?:(${TOKEN})|"((?:[^"\\\\\\x00-\\x1f\\x7f]|\\\\[\\t\\x20-\\x7e])*)"))?`;
const MEDIA_TYPE = new RegExp(`^(${TOKEN}/${TOKEN})((?:${PARAMETER})*)$`);

/**
 * The media type of a body that can be read as it is, in lower case and without parameters (RFC 9110 section 8.3.1); undefined where no
 * `Content-Type` is given. Refused: a type given twice, a charset other than UTF-8, and every `Content-Encoding`, because what is
 * encoded would have to be decoded exactly as the receiver does.
 */
export function readableMediaType(fields: readonly HeaderField[]): Reading<string | undefined> {
  if (fields.some((field) => field.lowerName === 'content-encoding'))
    return malformed('an encoded body cannot be inspected: send it without Content-Encoding');
  const [type, ...more] = fields.filter((field) => field.lowerName === 'content-type');
  if (!type) return understood(undefined);
  if (more.length > 0) return malformed('Content-Type is given more than once');
  const match = MEDIA_TYPE.exec(type.value);
  if (!match?.[1]) return malformed('Content-Type cannot be understood');
  const charsets = [...(match[2] ?? '').matchAll(new RegExp(PARAMETER, 'g'))]
    .filter(([, name]) => name?.toLowerCase() === 'charset')
    .map(([, , token, quoted]) => (token ?? quoted ?? '').toLowerCase());
  if (charsets.length > 1 || charsets.some((charset) => charset !== 'utf-8' && charset !== 'utf8'))
    return malformed('the charset of the body is not UTF-8');
  return understood(match[1].toLowerCase());
}

export const isJsonType = (mediaType: string): boolean =>
  mediaType === 'application/json' || /^application\/[^/]+\+json$/.test(mediaType);
