import { spawn } from 'node:child_process';
import { once } from 'node:events';
import type { Socket } from 'node:net';
import { text } from 'node:stream/consumers';
import { CONTROL_LIMITS } from '../limits.ts';

/** Who connected, at the moment of connecting (unix(7), SO_PEERCRED). */
export interface PeerCredentials {
  readonly pid: number;
  readonly uid: number;
  readonly gid: number;
}

/**
 * Run by the child: asks the kernel about descriptor 3. SOL_SOCKET is 1 and SO_PEERCRED 17 on x86-64 and arm64; `struct ucred` is three 32-bit
 * numbers. Text rather than a file, so that it is there however the program is bundled.
 */
const QUESTION = `
import { dlopen } from 'node:ffi';
const { functions } = dlopen(null, {
  getsockopt: { arguments: ['i32', 'i32', 'i32', 'pointer', 'pointer'], return: 'i32' },
});
const answer = new Uint32Array(3);
const length = new Uint32Array([answer.byteLength]);
if (functions.getsockopt(3, 1, 17, answer, length) !== 0) process.exit(1);
console.log(JSON.stringify([...answer]));
`;

/** The child may call foreign functions, and neither read a file nor start anything. Nothing of the environment goes along. */
const ARGUMENTS = [
  '--permission',
  '--allow-ffi',
  '--experimental-ffi',
  '--no-warnings',
  '--input-type=module',
  '--eval',
  QUESTION,
];

/** Asks whose the connection is, from which nothing has been read yet. Undefined: the platform cannot tell, or it took too long. */
export async function peerCredentials(connection: Socket): Promise<PeerCredentials | undefined> {
  if (process.platform !== 'linux') return undefined;
  try {
    const child = spawn(process.execPath, ARGUMENTS, {
      stdio: ['ignore', 'pipe', 'ignore', connection],
      env: {},
      cwd: '/',
      timeout: CONTROL_LIMITS.peerCheckTime.value,
      killSignal: 'SIGKILL',
    });
    const [answer, [code]] = await Promise.all([text(child.stdout!), once(child, 'close')]);
    return code === 0 ? parseAnswer(answer) : undefined;
  } catch {
    // It could not be started.
    return undefined;
  }
}

const parseAnswer = (answer: string): PeerCredentials | undefined => {
  const numbers: unknown = JSON.parse(answer);
  if (!Array.isArray(numbers) || numbers.length !== 3 || !numbers.every(Number.isInteger)) return undefined;
  const [pid, uid, gid] = numbers;
  return { pid, uid, gid };
};
