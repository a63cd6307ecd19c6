import type { HttpFault } from './request-head.ts';

/** A message that is not understood; readers throw it inside and answer with its fault. */
export class Malformed extends Error {
  readonly fault: HttpFault;

  constructor(detail: string, status: HttpFault['status'] = 400) {
    super(detail);
    this.fault = { status, detail };
  }
}
