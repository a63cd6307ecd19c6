import { OpenShellError } from '@openshell/base';
import { LIMITS } from './limits.ts';
import { takeActivatedSockets } from './program/listen/activation.ts';
import { describe } from './program/log/describe.ts';
import { jsonLog, type Log, textLog } from './program/log/log.ts';
import { type ProgramOptions, parseCommandLine } from './program/options/options.ts';
import { usage } from './program/options/usage.ts';
import { workerRole } from './workers/index.ts';

const NAME = 'openshell-proxy';

/** The program, which is loaded only when it is to serve. */
type ProgramUnderWay = AsyncDisposable & { reload(): Promise<void>; drain(): Promise<void> };

const writeLine = (line: string): void => void process.stderr.write(`${line}\n`);
let log: Log = textLog(NAME, writeLine);

/** The `openshell-proxy` program: the egress proxy on its own, without a sandbox. */
async function main(): Promise<void> {
  const args = process.argv.slice(2);
  const work = workerRole(args);
  if (work !== undefined) return work();
  const line = parseCommandLine(args);
  switch (line.kind) {
    case 'help':
      process.stdout.write(usage());
      return;
    case 'version': {
      const { PROXY_VERSION } = await import('./version.ts');
      process.stdout.write(`${NAME} ${PROXY_VERSION}\n`);
      return;
    }
    case 'serve':
      await serve(line.options);
      return;
    default:
      line satisfies never;
  }
}

async function serve(options: ProgramOptions): Promise<void> {
  const isText = options.logFormat === 'text';
  if (!isText) log = jsonLog(writeLine);
  const sockets = takeActivatedSockets(process.env, process.pid);
  const { Program } = await import('./program/program.ts');
  let program: ProgramUnderWay | undefined;
  // From the start: without a listener the signal would end what is still starting, and what it would read anew is read just now.
  process.on('SIGHUP', () => void program?.reload());
  program = await Program.start(options, {
    environment: process.env,
    sockets,
    log,
    plain: isText ? writeLine : undefined,
    color: process.stderr.isTTY === true && !process.env.NO_COLOR,
  });
  const started = program;
  let stopping = false;
  // Listeners of signals keep nothing alive; once the program is disposed of the process ends by itself.
  for (const [signal, number] of [
    ['SIGTERM', 15],
    ['SIGINT', 2],
  ] as const)
    process.on(signal, () => {
      if (stopping) process.exit(128 + number);
      stopping = true;
      stop(started).catch(failed);
    });
}

async function stop(program: ProgramUnderWay): Promise<void> {
  await program.drain();
  // Whatever does not end by itself must not keep the process.
  setTimeout(() => process.exit(), LIMITS.stopTime.value).unref();
  await program[Symbol.asyncDispose]();
}

function failed(thrown: unknown): void {
  log('error', describe(thrown));
  process.exitCode = thrown instanceof OpenShellError && thrown.code === 'usage' ? 2 : 1;
}

main().catch(failed);
