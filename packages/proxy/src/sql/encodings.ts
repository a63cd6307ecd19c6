/**
 * Client encodings in which every byte below 0x80 is the ASCII character. In the others (SJIS, BIG5, GBK, UHC, GB18030, JOHAB,
 * SHIFT_JIS_2004) a quote or a backslash can be the second half of a character, so the same bytes have two readings.
 */
const SAFE = [
  /^(?:utf8|unicode|sqlascii|koi8r?|koi8u)$/,
  /^(?:latin|iso8859)\d+$/,
  /^(?:win|windows)\d+$/,
  /^(?:abc|alt|tcvn|tcvn5712|vscii|win|mule|muleinternal)$/,
  /^euc(?:jp|cn|kr|tw|jis2004)$/,
];

/** Whether statements in this encoding can be understood. Names are compared as the server does: letters and digits only. */
export const encodingIsSafe = (name: string): boolean => {
  const plain = name.toLowerCase().replace(/[^a-z0-9]/g, '');
  return SAFE.some((pattern) => pattern.test(plain));
};

export const encodingIsUtf8 = (name: string): boolean =>
  ['utf8', 'unicode'].includes(name.toLowerCase().replace(/[^a-z0-9]/g, ''));
