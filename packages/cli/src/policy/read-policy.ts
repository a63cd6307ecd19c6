import { closeSync, openSync, readSync } from 'node:fs';
import { messageOf, OpenShellError } from '@openshell/base';

/** A policy's text, with the name that messages give it. */
export interface PolicyText {
  readonly file: string;
  readonly text: string;
}

/** More than any policy may have, so that the parser, not the reader, says that it is too large. */
const readAtMost = 2 * 1024 * 1024;

/**
 * Reads a file, or standard input for `-`.
 *
 * @throws OpenShellError with code `unreadable`: missing, not permitted, not text.
 */
export const readPolicyText = (operand: string): PolicyText => {
  const file = operand === '-' ? '<stdin>' : operand;
  const bytes = readBytes(operand, file);
  try {
    return { file, text: new TextDecoder('utf-8', { fatal: true }).decode(bytes) };
  } catch {
    throw new OpenShellError(`${file} is not text in UTF-8`, { code: 'unreadable' });
  }
};

const readBytes = (operand: string, file: string): Uint8Array => {
  try {
    const descriptor = operand === '-' ? 0 : openSync(operand, 'r');
    try {
      return readBounded(descriptor);
    } finally {
      if (operand !== '-') closeSync(descriptor);
    }
  } catch (error) {
    throw new OpenShellError(`${file} cannot be read: ${reasonOf(error)}`, {
      code: 'unreadable',
      cause: error,
    });
  }
};

/** Bounded, because the name may be a device or a pipe without an end. */
const readBounded = (descriptor: number): Uint8Array => {
  const buffer = new Uint8Array(readAtMost);
  let length = 0;
  while (length < readAtMost) {
    const count = readSync(descriptor, buffer, length, readAtMost - length, null);
    if (count === 0) break;
    length += count;
  }
  return buffer.subarray(0, length);
};

const reasonOf = (error: unknown): string => {
  switch ((error as NodeJS.ErrnoException).code) {
    case 'ENOENT':
      return 'there is no such file';
    case 'EACCES':
      return 'this user may not read it';
    case 'EISDIR':
      return 'it is a directory';
    default:
      return messageOf(error);
  }
};
