import { RegoError } from '../error.ts';

export interface TarFile {
  readonly path: string;
  readonly content: Uint8Array;
}

const BLOCK = 512;
const MAX_FILES = 20_000;

/**
 * The regular files of a tar archive (POSIX.1-1988 ustar, with pax and GNU long names).
 * Throws a RegoError (`bundle_error`) for anything damaged.
 */
export const readTar = (archive: Uint8Array): readonly TarFile[] => {
  const files: TarFile[] = [];
  let longName: string | undefined;
  for (let at = 0; at + BLOCK <= archive.length; ) {
    const header = archive.subarray(at, at + BLOCK);
    if (header.every((byte) => byte === 0)) break;
    checkSum(header);
    const size = octal(header, 124, 12);
    const content = archive.subarray(at + BLOCK, at + BLOCK + size);
    if (content.length < size) throw damaged('a file ends before its size');
    at += BLOCK + Math.ceil(size / BLOCK) * BLOCK;
    const type = String.fromCharCode(header[156]!);
    if (type === 'L') longName = text(content, 0, content.length);
    else if (type === 'x') longName = paxPath(content) ?? longName;
    else if (type !== 'g') {
      if (type === '0' || type === '\0') files.push({ path: longName ?? name(header), content });
      if (files.length > MAX_FILES) throw damaged(`more than ${MAX_FILES} files`);
      longName = undefined;
    }
  }
  return files;
};

const damaged = (what: string): RegoError =>
  new RegoError('bundle_error', `the bundle's archive is damaged: ${what}`);

const text = (bytes: Uint8Array, start: number, length: number): string => {
  const field = bytes.subarray(start, start + length);
  const end = field.indexOf(0);
  return Buffer.from(end === -1 ? field : field.subarray(0, end)).toString('utf8');
};

const octal = (header: Uint8Array, start: number, length: number): number => {
  const digits = text(header, start, length).trim();
  if (!/^[0-7]+$/.test(digits)) throw damaged('a size is no number');
  return Number.parseInt(digits, 8);
};

const name = (header: Uint8Array): string => {
  const prefix = text(header, 257, 5) === 'ustar' ? text(header, 345, 155) : '';
  const own = text(header, 0, 100);
  return prefix === '' ? own : `${prefix}/${own}`;
};

/** The sum of the header's bytes, its own field taken as blanks. */
const checkSum = (header: Uint8Array): void => {
  let sum = 0;
  header.forEach((byte, index) => {
    sum += index >= 148 && index < 156 ? 32 : byte;
  });
  if (sum !== octal(header, 148, 8)) throw damaged('a checksum does not match');
};

/** The path of a pax extended header: lines of `length key=value`. */
const paxPath = (content: Uint8Array): string | undefined => {
  for (const line of Buffer.from(content).toString('utf8').split('\n')) {
    const match = /^\d+ path=(.*)$/.exec(line);
    if (match !== null) return match[1];
  }
  return undefined;
};
