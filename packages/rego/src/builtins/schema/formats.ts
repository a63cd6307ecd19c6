import { parseAddress } from '../net/address.ts';
import { parseUrl } from '../net/url.ts';
import { compileRegexp } from '../regex/regexp.ts';
import { parseTime } from '../time/parse.ts';

const reads =
  (read: (text: string) => unknown) =>
  (text: string): boolean => {
    try {
      read(text);
      return true;
    } catch {
      return false;
    }
  };

const isTimeIn =
  (...layouts: readonly string[]) =>
  (text: string): boolean =>
    layouts.some((layout) => reads(() => parseTime(layout, text))(text));

const HOSTNAME =
  /^(?=.{1,255}$)[0-9A-Za-z](?:[0-9A-Za-z-]{0,61}[0-9A-Za-z])?(?:\.[0-9A-Za-z](?:[0-9A-Za-z-]{0,61}[0-9A-Za-z])?)*\.?$/;
const EMAIL = /^[^\s@<>]+@[^\s@<>]+$/;
const isUri = (text: string): boolean =>
  !text.includes('\\') && reads(parseUrl)(text) && parseUrl(text).scheme !== '';
const isReference = (text: string): boolean => !text.includes('\\') && reads(parseUrl)(text);
const JSON_POINTER = /^(?:\/(?:[^~/]|~[01])*)*$/;

/** Formats by name; those that are not here are not checked. */
export const FORMATS: Readonly<Record<string, (text: string) => boolean>> = {
  date: isTimeIn('2006-01-02'),
  time: isTimeIn('15:04:05', '15:04:05Z07:00'),
  'date-time': isTimeIn('15:04:05', '15:04:05Z07:00', '2006-01-02', '2006-01-02T15:04:05Z07:00'),
  hostname: (text) => HOSTNAME.test(text),
  email: (text) => EMAIL.test(text),
  'idn-email': (text) => EMAIL.test(text),
  ipv4: (text) => parseAddress(text)?.bits === 32,
  ipv6: (text) => parseAddress(text)?.bits === 128,
  uri: isUri,
  iri: isUri,
  'uri-reference': isReference,
  'iri-reference': isReference,
  'uri-template': (text) => isReference(text) && /^(?:[^{}]|\{[^{}]*\})*$/.test(text),
  uuid: (text) => /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i.test(text),
  regex: reads(compileRegexp),
  'json-pointer': (text) => JSON_POINTER.test(text),
  'relative-json-pointer': (text) => /^(?:0|[1-9]\d*)(?:#|(?:\/(?:[^~/]|~[01])*)*)$/.test(text),
};
