import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { openshell } from '../openshell.ts';
import { plain } from '../output/style.ts';

/** This checkout, with a slash at its end. */
export const checkout = fileURLToPath(new URL('../../../../', import.meta.url));
/** What a person starts. */
export const program = `${checkout}bin/openshell`;

/** The configuration of whoever runs the tests has no say in them. */
const noConfiguration = { XDG_CONFIG_HOME: '/nonexistent' };

export interface Outcome {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

export interface RunProgramOptions {
  readonly input?: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly directory?: string;
  /** Another program than bin/openshell. */
  readonly file?: string;
}

/** Runs the real program with nothing of this process's environment but PATH, and waits until it has ended. */
export const runProgram = async (
  args: readonly string[],
  options: RunProgramOptions = {},
): Promise<Outcome> => {
  const child = spawn(options.file ?? program, args, {
    env: { PATH: process.env.PATH, ...noConfiguration, ...options.env },
    cwd: options.directory ?? checkout,
    stdio: 'pipe',
  });
  const [out, err] = [text(child.stdout), text(child.stderr)];
  // A program that ends without reading its input makes this pipe break, which is its right.
  child.stdin.on('error', () => {});
  child.stdin.end(options.input ?? '');
  const [code] = (await once(child, 'close')) as [number | null];
  return { code, out: await out, err: await err };
};

const text = async (stream: AsyncIterable<Buffer>): Promise<string> => {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
};

/** The same without a process of its own, which takes a hundredth of the time. */
export const runInProcess = async (
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<Outcome> => {
  let [out, err] = ['', ''];
  const code = await openshell(args, {
    out: (text) => {
      out += text;
    },
    err: (text) => {
      err += text;
    },
    outStyle: plain,
    errStyle: plain,
    env: { PATH: process.env.PATH, ...noConfiguration, ...env },
  });
  return { code, out, err };
};
