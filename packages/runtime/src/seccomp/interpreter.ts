/** One system call as the filter sees it: `struct seccomp_data`. */
export interface SeccompData {
  readonly number: number;
  readonly arch: number;
  readonly args: readonly bigint[];
}

export interface FilterRun {
  readonly action: number;
  /** Whether an argument or the instruction pointer was loaded. */
  readonly looked: boolean;
}

const encode = (data: SeccompData): DataView => {
  const view = new DataView(new ArrayBuffer(64));
  view.setUint32(0, data.number, true);
  view.setUint32(4, data.arch, true);
  for (const [index, value] of data.args.entries())
    view.setBigUint64(16 + 8 * index, BigInt.asUintN(64, value), true);
  return view;
};

/** Runs a filter as the kernel would, refusing what the kernel's checker refuses. For tests. */
export function runFilter(program: Uint8Array, data: SeccompData): FilterRun {
  const code = new DataView(program.buffer, program.byteOffset, program.byteLength);
  const memory = encode(data);
  let accumulator = 0;
  let looked = false;
  for (let at = 0; at < program.length; at += 8) {
    const operand = code.getUint32(at + 4, true);
    const branch = (taken: boolean): number => 8 * code.getUint8(at + (taken ? 2 : 3));
    switch (code.getUint16(at, true)) {
      case 0x20:
        if (operand % 4 !== 0 || operand > 60) throw new RangeError(`load of offset ${operand}`);
        looked ||= operand >= 8;
        accumulator = memory.getUint32(operand, true);
        break;
      case 0x54:
        accumulator = (accumulator & operand) >>> 0;
        break;
      case 0x05:
        at += 8 * operand;
        break;
      case 0x15:
        at += branch(accumulator === operand);
        break;
      case 0x35:
        at += branch(accumulator >= operand);
        break;
      case 0x06:
        return { action: operand, looked };
      default:
        throw new RangeError(`instruction ${code.getUint16(at, true)} at ${at / 8}`);
    }
  }
  throw new RangeError('the filter ran past its end');
}
