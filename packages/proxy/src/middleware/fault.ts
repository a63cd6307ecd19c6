import type { MiddlewareFailure } from './verdict.ts';

/** A stage has not done what it is for; `on_error` decides what that means. The message goes into answers and events: it quotes nobody. */
export class StageFault extends Error {
  readonly status: MiddlewareFailure['status'];

  constructor(detail: string, status: MiddlewareFailure['status'] = 503, cause?: unknown) {
    super(detail, { cause });
    this.status = status;
  }
}
