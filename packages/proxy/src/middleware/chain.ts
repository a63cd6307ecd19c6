import type { Middleware } from '@openshell/policy';
import type { BodyReceiver } from '../exchange/body.ts';
import type { ResponseHead } from '../exchange/exchange.ts';
import type { HeaderField } from '../http/request-head.ts';
import type { Limits } from '../limits.ts';
import type { Admission } from './admission.ts';
import { StageFault } from './fault.ts';
import type { Stage, StageAnswer, StageChanges, StageFinding, StageRequest } from './stage.ts';
import type {
  MiddlewareFailure,
  MiddlewareFinding,
  MiddlewareRequest,
  MiddlewareResponse,
  MiddlewareVerdict,
} from './verdict.ts';
import { changeFields, refuseFieldChanges, visibleFields } from './visible-fields.ts';

/** A stage with what the policy says of it. */
export interface ConfiguredStage {
  readonly middleware: Middleware;
  readonly stage: Stage;
}

export interface ChainOptions {
  readonly stages: readonly ConfiguredStage[];
  readonly limits: Limits;
  readonly admission: Admission;
}

export interface EvaluateOptions {
  /** Ends when the client has gone. */
  readonly signal: AbortSignal;
  readonly onFinding: (finding: MiddlewareFinding) => void;
}

/** What a request is while it goes along the chain. */
interface Passage {
  readonly fields: readonly HeaderField[];
  readonly body: Buffer | undefined;
}

/** The stages that a host's requests pass through, in order. */
export class MiddlewareStages {
  readonly #stages: readonly ConfiguredStage[];
  readonly #limits: Limits;
  readonly #admission: Admission;

  constructor({ stages, limits, admission }: ChainOptions) {
    this.#stages = stages;
    this.#limits = limits;
    this.#admission = admission;
  }

  /** Whether some stage is to see bodies: then the request's body is read as a whole first. */
  get wantsRequestBody(): boolean {
    return this.#stages.some(({ stage }) => stage.needs.requestBody);
  }

  /** How much of a body to read before it counts as too large. */
  get maxBodyBytes(): number {
    return Math.max(
      0,
      ...this.#stages.map(({ stage }) => (stage.needs.requestBody ? stage.needs.maxBodyBytes : 0)),
    );
  }

  /** Whether some stage reads responses: then the upstream is asked for them without a content coding. */
  get filtersResponses(): boolean {
    return this.#stages.some(({ stage }) => stage.filterResponse !== undefined);
  }

  /**
   * Asks each stage in order. Never rejects. A request whose body was replaced is no longer the one that policy has allowed: where
   * policy reads bodies, the caller asks it again.
   */
  async evaluateRequest(request: MiddlewareRequest, options: EvaluateOptions): Promise<MiddlewareVerdict> {
    const deadline = new AbortController();
    const time = this.#limits.middlewareChainTime;
    const timer = setTimeout(
      () => deadline.abort(new StageFault(`the chain has taken longer than ${time} ms`)),
      time,
    );
    const signal = AbortSignal.any([options.signal, deadline.signal]);
    try {
      return await this.#admitted(request, { ...options, signal });
    } finally {
      clearTimeout(timer);
    }
  }

  /** What is to be done with a response. The receiver is the one that the response's body would have gone to. */
  wrapResponse(
    head: ResponseHead,
    receiver: BodyReceiver,
    onFinding: (finding: MiddlewareFinding) => void,
  ): MiddlewareResponse {
    let inner = receiver;
    for (const { middleware, stage } of this.#stages) {
      if (stage.filterResponse === undefined) continue;
      if (isEncoded(head.fields)) {
        if (middleware.onError === 'fail_open') continue;
        return failure(
          middleware,
          new StageFault('the response has a content coding and cannot be read', 502),
        );
      }
      const tell = (finding: StageFinding): void => onFinding({ ...finding, middleware: middleware.key });
      inner = stage.filterResponse({ receiver: inner, onFinding: tell });
    }
    if (inner === receiver) return { kind: 'unchanged' };
    const fields = head.fields.filter(({ lowerName }) => !DIGESTS.has(lowerName));
    return { kind: 'filtered', head: { ...head, fields }, receiver: inner };
  }

  async #admitted(request: MiddlewareRequest, options: EvaluateOptions): Promise<MiddlewareVerdict> {
    let leave: (() => void) | undefined;
    try {
      leave = await this.#admission.enter(options.signal);
    } catch {
      // Nobody waits any more, or the time is up: both are told below.
    }
    if (leave === undefined) {
      const strict = this.#stages.find(({ middleware }) => middleware.onError === 'fail_closed');
      if (strict === undefined) return { kind: 'continue', fields: request.fields, newBody: undefined };
      return failure(strict.middleware, new StageFault('too many requests wait for a middleware'));
    }
    try {
      return await this.#run(request, options);
    } finally {
      leave();
    }
  }

  async #run(request: MiddlewareRequest, options: EvaluateOptions): Promise<MiddlewareVerdict> {
    const original = request.body.kind === 'whole' ? request.body.bytes : undefined;
    let passage: Passage = { fields: request.fields, body: original };
    for (const configured of this.#stages) {
      const { middleware } = configured;
      try {
        const answer = await this.#ask(configured, request, passage, options.signal);
        for (const finding of answer.findings) options.onFinding({ ...finding, middleware: middleware.key });
        if (answer.kind === 'deny') return denied(middleware, answer);
        if (answer.changes) passage = applied(answer.changes, passage, configured.stage);
      } catch (thrown) {
        if (middleware.onError === 'fail_closed') return failure(middleware, asFault(thrown));
      }
    }
    const newBody = passage.body === original ? undefined : passage.body;
    return { kind: 'continue', fields: passage.fields, newBody };
  }

  async #ask(
    { stage }: ConfiguredStage,
    request: MiddlewareRequest,
    passage: Passage,
    signal: AbortSignal,
  ): Promise<StageAnswer> {
    signal.throwIfAborted();
    const { requestBody, maxBodyBytes } = stage.needs;
    if (requestBody && (request.body.kind === 'too_large' || (passage.body?.length ?? 0) > maxBodyBytes))
      throw new StageFault(`the body is larger than the ${maxBodyBytes} bytes that it reads`, 403);
    const { method, scheme, host, port, target, sandbox, binary } = request;
    const shown: StageRequest = {
      ...{ method, scheme, host, port, target, sandbox, binary },
      fields: visibleFields(passage.fields),
      ...(requestBody && passage.body !== undefined && { body: passage.body }),
    };
    const answer = await orAbort(stage.evaluate(shown, signal), signal);
    const wrong =
      answer.kind === 'allow' && answer.changes && refuseFieldChanges(answer.changes, shown.fields);
    if (wrong) throw new StageFault(wrong);
    return answer;
  }
}

/** Of a body that is not sent as it was (RFC 9530, RFC 1864). */
const DIGESTS = new Set(['content-digest', 'repr-digest', 'digest', 'content-md5']);

const isEncoded = (fields: readonly HeaderField[]): boolean =>
  fields.some(
    ({ lowerName, value }) => lowerName === 'content-encoding' && value.toLowerCase() !== 'identity',
  );

function applied(changes: StageChanges, passage: Passage, stage: Stage): Passage {
  if (changes.body !== undefined && !(stage.needs.requestBody && passage.body !== undefined))
    throw new StageFault('it replaces a body that it was not shown');
  const fields = changeFields(passage.fields, changes);
  if (changes.body === undefined) return { ...passage, fields };
  return {
    fields: fields.filter(({ lowerName }) => !DIGESTS.has(lowerName)),
    body: changes.body,
  };
}

const denied = (
  middleware: Middleware,
  { reasonCode, targetIsSecret = false }: Extract<StageAnswer, { kind: 'deny' }>,
): MiddlewareVerdict => ({
  kind: 'denied',
  status: 403,
  error: 'middleware_denied',
  middleware: middleware.key,
  reasonCode,
  targetIsSecret,
});

const failure = (middleware: Middleware, { status, message }: StageFault): MiddlewareFailure => ({
  kind: 'failed',
  status,
  error: 'middleware_failed',
  middleware: middleware.key,
  detail: message,
});

/** What a stage throws may quote the request: only our own words go further. */
const asFault = (thrown: unknown): StageFault =>
  thrown instanceof StageFault ? thrown : new StageFault('it gave no answer', 503, thrown);

/** The answer, or the signal's reason if that comes first: a stage need not heed the signal. */
async function orAbort<T>(answer: T | Promise<T>, signal: AbortSignal): Promise<T> {
  if (!(answer instanceof Promise)) return answer;
  const { promise, reject } = Promise.withResolvers<never>();
  const giveUp = (): void => reject(signal.reason);
  signal.addEventListener('abort', giveUp, { once: true });
  try {
    return await Promise.race([answer, promise]);
  } finally {
    signal.removeEventListener('abort', giveUp);
  }
}
