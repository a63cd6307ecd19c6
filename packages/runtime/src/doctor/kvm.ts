import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { tryDevice } from './devices.ts';
import type { KvmFacts, ProgramFacts } from './facts.ts';
import { runProgram } from './run-program.ts';

/** Milliseconds. The guest of sixteen bytes is done in a second, or was never run by the processor. */
const limit = 5_000;

export interface KvmOptions {
  readonly device: string;
  /** What can run a guest, where there is something. */
  readonly qemu: ProgramFacts | undefined;
}

/**
 * Whether a guest really runs. The device proves little: there are machines whose /dev/kvm opens and answers, and that
 * imitate a guest's instructions in software until it gives up.
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
 * 64 KiB of firmware, the least that QEMU takes: a processor starts 16 bytes before its end, in real mode. The guest
 * counts to a hundred million first: a fraction of a second on a processor, and far beyond the limit where a
 * hypervisor only imitates one, instruction by instruction.
 */
const guestFirmware = (): Uint8Array => {
  const image = new Uint8Array(64 * 1024);
  const code = [
    ...[0x66, 0xb9, 0x00, 0xe1, 0xf5, 0x05], // mov ecx, 100000000
    ...[0x67, 0xe2, 0xfd], // again: loop again
    ...[0xb0, exitValue, 0xe6, exitPort], // mov al, exitValue; out exitPort, al
    ...[0xf4, 0xeb, 0xfd], // stop: hlt; jmp stop
  ];
  image.set(code, image.length - code.length);
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
      return { kind: 'fails', reason: `a guest that only counts was not done within ${limit / 1000} s` };
    case 'unstartable':
      return { kind: 'untried' };
    default:
      return result satisfies never;
  }
};
