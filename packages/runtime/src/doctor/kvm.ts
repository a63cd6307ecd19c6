import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { tryDevice } from './devices.ts';
import type { KvmFacts, ProgramFacts } from './facts.ts';
import { runProgram } from './run-program.ts';

/** Milliseconds. A guest of seven bytes is done in far less than a second, or never. */
const limit = 5_000;

export interface KvmOptions {
  readonly device: string;
  /** What can run a guest, where there is something. */
  readonly qemu: ProgramFacts | undefined;
}

/**
 * Whether a guest really runs. The device proves little: there are machines whose /dev/kvm opens and answers, and
 * whose guests never execute an instruction.
 */
export const tryKvm = async ({ device, qemu }: KvmOptions): Promise<KvmFacts> => {
  const access = tryDevice(device);
  if (access.kind !== 'usable') return access;
  return qemu === undefined ? { kind: 'untried' } : tryGuest(qemu.path);
};

const tryGuest = async (qemu: string): Promise<KvmFacts> => {
  const directory = mkdtempSync(join(tmpdir(), 'openshell-doctor-'));
  try {
    const firmware = join(directory, 'firmware');
    writeFileSync(firmware, guestFirmware());
    return judgeGuest(await runProgram(qemu, [...machine, '-bios', firmware], { limit }));
  } finally {
    rmSync(directory, { recursive: true });
  }
};

/** The guest ends the machine by writing to this port. */
const exitPort = 0xf4;
const exitValue = 0x10;

const machine = [
  ...['-accel', 'kvm', '-machine', 'pc', '-m', '16', '-nodefaults', '-no-user-config', '-display', 'none'],
  ...['-device', `isa-debug-exit,iobase=${exitPort},iosize=1`],
];

/**
 * 64 KiB of firmware, the least that QEMU takes: a processor starts 16 bytes before its end, in real mode.
 * `mov al, value; out port, al; hlt; jmp back to hlt`.
 */
const guestFirmware = (): Uint8Array => {
  const image = new Uint8Array(64 * 1024);
  image.set([0xb0, exitValue, 0xe6, exitPort, 0xf4, 0xeb, 0xfd], image.length - 16);
  return image;
};

const judgeGuest = (result: Awaited<ReturnType<typeof runProgram>>): KvmFacts => {
  switch (result.kind) {
    case 'exited': {
      // isa-debug-exit ends QEMU with (value << 1) | 1.
      if (result.code === ((exitValue << 1) | 1)) return { kind: 'works' };
      return {
        kind: 'fails',
        reason: result.stderr.trim().split('\n', 1)[0] || `QEMU ended with ${result.code}`,
      };
    }
    case 'killed':
      return { kind: 'fails', reason: `QEMU was ended by ${result.signal}` };
    case 'late':
      return { kind: 'fails', reason: `a guest of seven bytes did not finish within ${limit / 1000} s` };
    case 'unstartable':
      return { kind: 'untried' };
    default:
      return result satisfies never;
  }
};
