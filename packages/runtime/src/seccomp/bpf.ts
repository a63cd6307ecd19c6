/** Position of an instruction, counted from the end of the program, where assembling begins. */
export type Label = number;

export type Comparison = 'equal' | 'greater_or_equal';

/** Longest jump of a conditional instruction; the offset is one byte (Documentation/networking/filter.rst). */
const LONGEST_BRANCH = 255;

// A branch may need up to two long jumps of its own behind it, which push its targets away.
const NEAR = LONGEST_BRANCH - 2;

// include/uapi/linux/bpf_common.h, classic BPF
const LD_W_ABS = 0x20;
const ALU_AND_K = 0x54;
const JMP_JA = 0x05;
const JMP_CODE: Readonly<Record<Comparison, number>> = { equal: 0x15, greater_or_equal: 0x35 };
const RET_K = 0x06;

const INSTRUCTION_BYTES = 8;

interface Instruction {
  readonly code: number;
  readonly whenTrue: number;
  readonly whenFalse: number;
  readonly operand: number;
}

/**
 * Assembles classic BPF from the last instruction to the first. Jumps only go forward, so backwards every target
 * is already placed when the jump to it is written: its distance is known, and a jump that is too far for the
 * one-byte offset gets a long jump in between at once, without a second pass.
 */
export class BackwardAssembler {
  readonly #reversed: Instruction[] = [];
  readonly #returns = new Map<number, Label>();

  /** Ends the filter with `value`. Shares the instruction of an earlier return when that is near. */
  return(value: number): Label {
    const known = this.#returns.get(value);
    if (known !== undefined && this.#distance(known) <= NEAR) return known;
    const label = this.#place({ code: RET_K, whenTrue: 0, whenFalse: 0, operand: value });
    this.#returns.set(value, label);
    return label;
  }

  /** Loads the 32-bit word at `offset` of `struct seccomp_data`, then goes on at `next`. */
  load(offset: number, next: Label): Label {
    this.#fallInto(next);
    return this.#place({ code: LD_W_ABS, whenTrue: 0, whenFalse: 0, operand: offset });
  }

  /** Keeps the bits of `mask`, then goes on at `next`. */
  and(mask: number, next: Label): Label {
    this.#fallInto(next);
    return this.#place({ code: ALU_AND_K, whenTrue: 0, whenFalse: 0, operand: mask });
  }

  /** Compares the loaded word with `value`, unsigned. */
  branch(comparison: Comparison, value: number, yes: Label, no: Label): Label {
    const nearNo = this.#bringNear(no);
    const nearYes = this.#bringNear(yes);
    return this.#place({
      code: JMP_CODE[comparison],
      whenTrue: this.#distance(nearYes),
      whenFalse: this.#distance(nearNo),
      operand: value,
    });
  }

  /** The program in execution order as an array of `struct sock_filter`, little endian. */
  toBytes(): Uint8Array {
    const bytes = new Uint8Array(this.#reversed.length * INSTRUCTION_BYTES);
    const view = new DataView(bytes.buffer);
    let offset = bytes.length;
    for (const instruction of this.#reversed) {
      offset -= INSTRUCTION_BYTES;
      view.setUint16(offset, instruction.code, true);
      view.setUint8(offset + 2, instruction.whenTrue);
      view.setUint8(offset + 3, instruction.whenFalse);
      view.setUint32(offset + 4, instruction.operand, true);
    }
    return bytes;
  }

  /** Instructions between the one that would be placed now and `target`. */
  #distance(target: Label): number {
    return this.#reversed.length - 1 - target;
  }

  #bringNear(target: Label): Label {
    return this.#distance(target) <= NEAR ? target : this.#jump(target);
  }

  #fallInto(next: Label): void {
    if (this.#distance(next) > 0) this.#jump(next);
  }

  #jump(target: Label): Label {
    return this.#place({ code: JMP_JA, whenTrue: 0, whenFalse: 0, operand: this.#distance(target) });
  }

  #place(instruction: Instruction): Label {
    return this.#reversed.push(instruction) - 1;
  }
}
