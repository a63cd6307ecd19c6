import { eventLine } from '@openshell/audit';
import type { ControlEvent } from '@openshell/control';
import type { Io } from '../io.ts';
import { printable } from '../output/printable.ts';
import { cursorText } from './cursor.ts';

type Print = (event: ControlEvent, io: Io) => void;

/** For programs: one object a line. */
export const printJsonLine: Print = (event, io) => {
  const cursor = cursorText(event.cursor);
  const line =
    event.kind === 'gap'
      ? { cursor, gap: { lost: event.lost } }
      : { cursor, tenant: event.tenant, event: event.event };
  io.out(`${JSON.stringify(line)}\n`);
};

/** For people: what happened on standard output, what is missing on standard error. */
export const printTextLine: Print = (event, io) => {
  if (event.kind === 'event') {
    const time = new Date(event.event.time).toISOString();
    io.out(`${io.outStyle.dim(time)} ${printable(event.tenant)} ${eventLine(event.event)}\n`);
    return;
  }
  const { lost } = event;
  const many = lost === undefined ? 'some events' : lost === 1 ? 'one event' : `${lost} events`;
  io.err(`openshell: ${many} before this ${lost === 1 ? 'is' : 'are'} kept no longer\n`);
};
