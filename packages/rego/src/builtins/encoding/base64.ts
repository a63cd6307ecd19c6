/** The alphabets of RFC 4648, sections 4 and 5. */
export type Base64Alphabet = 'standard' | 'url';

const SYMBOLS: Readonly<Record<Base64Alphabet, RegExp>> = {
  standard: /[^A-Za-z0-9+/]/g,
  url: /[^A-Za-z0-9_-]/g,
};

const PAD = '=';

/**
 * Decodes padded base64 as Go's `encoding/base64` does: line ends are skipped, everything else must fit.
 * @throws Error `illegal base64 data at input byte N`
 */
export const decodeBase64 = (text: string, alphabet: Base64Alphabet): Buffer => {
  const fault = firstFault(text, alphabet);
  if (fault !== undefined) throw new Error(`illegal base64 data at input byte ${fault}`);
  return Buffer.from(text, alphabet === 'url' ? 'base64url' : 'base64');
};

/**
 * Decodes URL-safe base64 whose padding may be missing (RFC 7515, appendix C).
 * @throws Error
 */
export const decodeBase64Url = (text: string): Buffer => {
  if (text.endsWith(PAD)) return decodeBase64(text, 'url');
  const missing = (4 - (text.length % 4)) % 4;
  if (missing === 3) throw new Error(`illegal base64url string: ${text}`);
  return decodeBase64(text + PAD.repeat(missing), 'url');
};

/** Where Go stops, in bytes of input; undefined when all is well. */
const firstFault = (text: string, alphabet: Base64Alphabet): number | undefined => {
  const foreign = SYMBOLS[alphabet];
  foreign.lastIndex = 0;
  let symbols = 0;
  let counted = 0;
  for (let match = foreign.exec(text); match !== null; match = foreign.exec(text)) {
    symbols += match.index - counted;
    counted = match.index + 1;
    if (match[0] === '\n' || match[0] === '\r') continue;
    if (match[0] !== PAD) return match.index;
    return faultInPadding(text, match.index, symbols % 4);
  }
  symbols += text.length - counted;
  // What is left over is named by where its group of four begins.
  return symbols % 4 === 0 ? undefined : text.length - (symbols % 4);
};

/** @param symbols how many symbols of its group stand before the padding */
const faultInPadding = (text: string, at: number, symbols: number): number | undefined => {
  if (symbols < 2) return at;
  let next = afterLineEnds(text, at + 1);
  if (symbols === 2) {
    if (next === text.length) return text.length;
    if (text[next] !== PAD) return next;
    next = afterLineEnds(text, next + 1);
  }
  return next < text.length ? next : undefined;
};

const afterLineEnds = (text: string, from: number): number => {
  let at = from;
  while (text[at] === '\n' || text[at] === '\r') at++;
  return at;
};
