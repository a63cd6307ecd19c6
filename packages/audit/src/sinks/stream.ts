import type { Writable } from 'node:stream';
import { JsonLinesSink } from './json-lines.ts';
import type { EventSink, SinkErrorHandler } from './sink.ts';

export interface StreamSinkOptions {
  /** Not ended by the sink: standard output belongs to the program. */
  readonly stream: Writable;
  readonly onError: SinkErrorHandler;
  readonly maxQueued?: number | undefined;
}

/** Events as JSON lines on a stream. A reader that goes away ends the reporting, never the program. */
export function streamSink({ stream, onError, maxQueued }: StreamSinkOptions): EventSink {
  // Without a listener the stream's error would be thrown at the program; the write's callback reports it.
  const ignore = (): void => {};
  stream.on('error', ignore);
  const writeLine = (line: string): Promise<void> =>
    new Promise((resolve, reject) => {
      stream.write(line, (error) => (error ? reject(error) : resolve()));
    });
  const release = async (): Promise<void> => {
    stream.off('error', ignore);
  };
  return new JsonLinesSink({ writeLine, release, onError, maxQueued });
}
