import { watchDescriptors } from '../program/descriptor-notice.ts';
import { jsonLog, textLog } from '../program/log/log.ts';
import { isRecorded, keptEvents, makeProcess } from '../program/make-process.ts';
import { parseCommandLine } from '../program/options/options.ts';
import type { Channel } from './channel.ts';
import { type MakeWorker, Worker } from './worker.ts';

/** Signals are for the first process, which tells its workers; a terminal sends them to all. */
const NOT_OURS = ['SIGTERM', 'SIGINT', 'SIGHUP'] as const;

/** The process of a worker, from its start to its end. */
export async function runWorker(channel: Channel): Promise<void> {
  for (const signal of NOT_OURS) process.on(signal, () => undefined);
  const worker = new Worker({ channel, make });
  await worker.ended;
  channel.close();
  process.exit();
}

const make: MakeWorker = async ({ args, link }, parts, stack) => {
  const line = parseCommandLine(args);
  if (line.kind !== 'serve') throw new Error('a worker was started to serve nothing');
  const { options } = line;
  const write = (text: string): void => void process.stderr.write(`${text}\n`);
  const isText = options.logFormat === 'text';
  const log = isText ? textLog('openshell-proxy', write) : jsonLog(write);
  const color = process.stderr.isTTY === true && !process.env.NO_COLOR;
  const own = { ...options, link: options.link && { ...options.link, ...link } };
  const recorded = isRecorded(options);
  const proxy = await makeProcess(
    own,
    { ...parts, ...(!recorded && { limits: keptEvents(options) }), environment: process.env },
    { log, plain: isText ? write : undefined, color },
    stack,
  );
  stack.use(watchDescriptors({ log, record: (event) => proxy.record(event) }));
  return { proxy, drainMs: options.drainMs, recorded };
};
