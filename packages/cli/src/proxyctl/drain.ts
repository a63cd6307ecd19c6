import type { Handler } from '../handlers.ts';
import { jsonText } from './table.ts';
import { wholeNumber } from './values.ts';
import { visit } from './visit.ts';

const USUAL_SECONDS = '30';
const MOST_SECONDS = 86_400;
/** For everything but the wait itself. */
const AROUND_SECONDS = 30;

/** `openshell proxyctl drain`. */
export const drainProxy: Handler = async (args, io) => {
  const bounds = { least: 0, most: MOST_SECONDS };
  const seconds = wholeNumber(args.value('timeout') ?? USUAL_SECONDS, 'timeout', bounds);
  await visit({ args, io, role: 'controller', seconds: seconds + AROUND_SECONDS }, (session) =>
    session.drain(seconds * 1000),
  );
  io.out(
    args.has('json') ? jsonText({ drained: true }) : 'no connection is left; the proxy takes no new one\n',
  );
  return 0;
};
