import { createWriteStream } from 'node:fs';
import { type EventSink, FanOutSink, openFileSink, streamSink } from '@openshell/audit';
import type { EventsDestination } from './run-options.ts';

/** Opens what the caller asked for. @throws OpenShellError `events_file_unwritable`. */
export const openEvents = async (
  destination: EventsDestination | undefined,
  onError: (error: Error) => void,
): Promise<EventSink> => {
  if (!destination) return new FanOutSink([]);
  switch (destination.kind) {
    case 'file':
      return openFileSink({ path: destination.path, onError });
    case 'stdout':
      // Not process.stdout: it would make a pipe that the workload shares non-blocking.
      return streamSink({ stream: createWriteStream('', { fd: 1, autoClose: false }), onError });
    default:
      return destination satisfies never;
  }
};
