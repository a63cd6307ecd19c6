import { open } from 'node:fs/promises';
import { messageOf, OpenShellError } from '@openshell/base';
import { JsonLinesSink } from './json-lines.ts';
import type { EventSink, SinkErrorHandler } from './sink.ts';

export interface FileSinkOptions {
  readonly path: string;
  readonly onError: SinkErrorHandler;
  readonly maxQueued?: number | undefined;
}

/** A line is about 1,000 long. */
const BATCH_LENGTH = 65_536;

/**
 * Appends events to a file as JSON lines. A file that is made here is readable by its owner only: events tell where an
 * agent goes. Throws `events_file_unwritable`.
 */
export async function openFileSink(options: FileSinkOptions): Promise<EventSink> {
  const file = await open(options.path, 'a', 0o600).catch((cause: unknown) => {
    throw new OpenShellError(`cannot write security events to ${options.path}: ${messageOf(cause)}`, {
      code: 'events_file_unwritable',
      cause,
      remedy: 'Name a file in a directory that exists and that you may write to.',
    });
  });
  const writeLines = async (lines: string): Promise<void> => {
    const bytes = Buffer.from(lines);
    let written = 0;
    // A write is short only when the disk fills or a limit is met; the rest still belongs to these lines.
    while (written < bytes.length) written += (await file.write(bytes, written)).bytesWritten;
  };
  return new JsonLinesSink({
    writeLines,
    batchLength: BATCH_LENGTH,
    release: () => file.close(),
    onError: options.onError,
    maxQueued: options.maxQueued,
  });
}
