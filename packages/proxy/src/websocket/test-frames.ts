import { encodeHeader } from './frame.ts';
import { applyMask } from './mask.ts';

export interface TestFrame {
  readonly opcode: number;
  readonly payload?: Buffer | string;
  /** True unless told. */
  readonly fin?: boolean;
  readonly rsv1?: boolean;
  /** As a client sends it, with this key. */
  readonly mask?: number;
}

/** The bytes of one frame, for tests that write frames by hand. */
export function testFrame({ opcode, payload = '', fin = true, rsv1 = false, mask }: TestFrame): Buffer {
  const bytes = Buffer.from(payload);
  if (mask !== undefined) applyMask(bytes, mask);
  return Buffer.concat([encodeHeader(opcode, fin, rsv1, bytes.length, mask), bytes]);
}
