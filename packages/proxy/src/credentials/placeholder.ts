import { EncodedSearch } from './encoded.ts';

const CANONICAL = 'openshell:resolve:env:';
const ALIAS = 'OPENSHELL-RESOLVE-ENV-';

/** What every placeholder contains; anything that contains it, in whatever writing, is taken for one. */
export const MARKERS = new EncodedSearch([
  { bytes: CANONICAL, anyCase: true },
  { bytes: ALIAS, anyCase: true },
]);

/** How a credential is called in placeholders. */
export type Identity =
  /** By its name, whatever its value becomes. */
  | { readonly kind: 'name'; readonly name: string }
  /** By one revision of its value. */
  | { readonly kind: 'revision'; readonly name: string; readonly revision: number }
  /** By an id that survives rotation: 64 lower-case hex digits. */
  | { readonly kind: 'stable'; readonly name: string; readonly id: string };

const NAME = /^[A-Za-z_][A-Za-z0-9_]{0,127}$/;
const RESERVED = /^(?:v[0-9]+_|s[0-9a-f]{64}_)/;
const PREFIX = /^[A-Za-z0-9_.~-]{1,64}$/;

/** Names are those of environment variables; `v<digits>_` and `s<64 hex>_` begin other forms of placeholders. */
export const isCredentialName = (text: string): boolean => NAME.test(text) && !RESERVED.test(text);

/** What may stand before an alias: nothing that a URL or a header would encode. */
export const isAliasPrefix = (text: string): boolean => PREFIX.test(text) && !MARKERS.test(text);

/** The last part of a placeholder, which tells credentials apart. */
export function identityKey(identity: Identity): string {
  switch (identity.kind) {
    case 'name':
      return identity.name;
    case 'revision':
      return `v${identity.revision}_${identity.name}`;
    case 'stable':
      return `s${identity.id}_${identity.name}`;
    default:
      return identity satisfies never;
  }
}

/** The placeholder of a credential. With a prefix it is an alias, for programs that insist on how a token begins. */
export const placeholderFor = (identity: Identity, prefix?: string): string =>
  prefix === undefined ? `${CANONICAL}${identityKey(identity)}` : `${prefix}${ALIAS}${identityKey(identity)}`;

/** A placeholder in a text. */
export interface PlaceholderSpan {
  readonly start: number;
  readonly end: number;
  readonly key: string;
  /** Whether it stands there letter by letter. */
  readonly writing: 'plain' | 'encoded';
}

/** The prefix with which the alias of a key is written, where it has one. */
export type AliasPrefix = (key: string) => string | undefined;

/**
 * The well-formed placeholders of a text, in order. `decode` undoes the one encoding that the place has (percent, JSON); what is
 * encoded otherwise is left out, and so remains a marker that refuses the request.
 */
export function findPlaceholders(
  text: string,
  prefixOf: AliasPrefix,
  decode: (encoded: string) => string | undefined = (encoded) => encoded,
): PlaceholderSpan[] {
  const spans: PlaceholderSpan[] = [];
  for (const found of MARKERS.scan(text, 'final').hits) {
    const end = keyEnd(text, found.end);
    const written = text.slice(found.start, end);
    const decoded = decode(written);
    const marker = decoded?.startsWith(CANONICAL)
      ? CANONICAL
      : decoded?.startsWith(ALIAS)
        ? ALIAS
        : undefined;
    if (decoded === undefined || marker === undefined) continue;
    const key = decoded.slice(marker.length);
    const prefix = marker === ALIAS ? prefixOf(key) : '';
    if (!/^[A-Za-z0-9_]+$/.test(key) || prefix === undefined) continue;
    const start = found.start - prefix.length;
    if (start < (spans.at(-1)?.end ?? 0) || !text.startsWith(prefix, start)) continue;
    spans.push({ start, end, key, writing: written === decoded ? 'plain' : 'encoded' });
  }
  return spans;
}

/** Where the name behind a marker ends: word characters, written in any way. */
function keyEnd(text: string, from: number): number {
  const key =
    /(?:\w|%(?:25){0,3}(?:3[0-9]|[46][1-9a-f]|[57][0-9a]|5f)|\\u00(?:3[0-9]|[46][1-9a-f]|[57][0-9a]|5f))*/iy;
  key.lastIndex = from;
  return from + (key.exec(text)?.[0].length ?? 0);
}

/** Replaces spans by what `value` says. */
export function replaceSpans(
  text: string,
  spans: readonly PlaceholderSpan[],
  value: (span: PlaceholderSpan) => string,
): string {
  let result = '';
  let at = 0;
  for (const span of spans) {
    result += text.slice(at, span.start) + value(span);
    at = span.end;
  }
  return result + text.slice(at);
}
