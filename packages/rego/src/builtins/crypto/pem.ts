/** One block between `-----BEGIN X-----` and `-----END X-----`. */
export interface PemBlock {
  readonly label: string;
  readonly bytes: Buffer;
}

const BLOCK = /-----BEGIN ([^\n-]*)-----[ \t]*\r?\n([\s\S]*?)-----END \1-----[ \t]*(?:\r?\n|$)/y;

export const looksLikePem = (text: string): boolean => text.startsWith('-----BEGIN');

/** The first block of a text and what follows it; undefined when there is none (RFC 7468; headers are skipped). */
export const decodePem = (text: string): { readonly block: PemBlock; readonly rest: string } | undefined => {
  for (let start = text.indexOf('-----BEGIN '); start >= 0; start = text.indexOf('-----BEGIN ', start + 1)) {
    BLOCK.lastIndex = start;
    const match = BLOCK.exec(text);
    const body = match?.[2]?.replace(/^(?:[^\n:]+:[^\n]*\n)+\s*/, '').replace(/\s+/g, '');
    if (match === null || body === undefined || !/^[A-Za-z0-9+/]*={0,2}$/.test(body)) continue;
    return {
      block: { label: match[1]!, bytes: Buffer.from(body, 'base64') },
      rest: text.slice(BLOCK.lastIndex),
    };
  }
  return undefined;
};

/** All blocks of a text. */
export const pemBlocks = (text: string): PemBlock[] => {
  const blocks: PemBlock[] = [];
  for (let found = decodePem(text); found !== undefined; found = decodePem(found.rest))
    blocks.push(found.block);
  return blocks;
};
