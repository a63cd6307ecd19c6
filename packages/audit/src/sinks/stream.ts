import type { Writable } from 'node:stream';
import { JsonLinesSink } from './json-lines.ts';
import type { EventSink, SinkErrorHandler } from './sink.ts';

export interface StreamSinkOptions {
  /** Not ended by the sink: standard output belongs to the program. */
  readonly stream: Writable;
  readonly onError: SinkErrorHandler;
  readonly maxQueued?: number | undefined;
}

/** A pipe takes up to PIPE_BUF (4096 bytes on Linux) at once or not at all, so that other writers' text cannot get into it (POSIX write(2)). */
const BATCH_LENGTH = 4096;

/** Events as JSON lines on a stream. A reader that goes away ends the reporting, never the program. */
export function streamSink({ stream, onError, maxQueued }: StreamSinkOptions): EventSink {
  // Without a listener the stream's error would be thrown at the program; the write's callback reports it.
  const ignore = (): void => {};
  stream.on('error', ignore);
  const writeLines = (lines: string): Promise<void> =>
    new Promise((resolve, reject) => {
      stream.write(lines, (error) => (error ? reject(error) : resolve()));
    });
  const release = async (): Promise<void> => {
    stream.off('error', ignore);
  };
  return new JsonLinesSink({ writeLines, batchLength: BATCH_LENGTH, release, onError, maxQueued });
}
