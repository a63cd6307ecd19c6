import type { SandboxId } from '@openshell/base';
import type { BodyReceiver } from '../exchange/body.ts';
import type { ResponseHead } from '../exchange/exchange.ts';
import type { HeaderField } from '../http/request-head.ts';
import type { StageFinding } from './stage.ts';

/** The body of a request as the chain gets it. `too_large`: longer than `maxBodyBytes`, still to be streamed. */
export type MiddlewareBody =
  | { readonly kind: 'none' }
  | { readonly kind: 'whole'; readonly bytes: Buffer }
  | { readonly kind: 'too_large' };

export interface MiddlewareRequest {
  readonly method: string;
  readonly scheme: 'http' | 'https';
  readonly host: string;
  readonly port: number;
  /** Path and query; credentials in it are replaced by `[CREDENTIAL]`. */
  readonly target: string;
  /** All fields; a stage is shown those that carry no credential. */
  readonly fields: readonly HeaderField[];
  readonly body: MiddlewareBody;
  readonly sandbox: SandboxId;
  /** The executable that asks; empty where it is not known. */
  readonly binary: string;
}

export interface MiddlewareFinding extends StageFinding {
  /** The key under `network_middlewares`. */
  readonly middleware: string;
}

export interface MiddlewareFailure {
  readonly kind: 'failed';
  /** 403: this very request cannot be judged. 503: none can at the moment. 502: the response cannot be. */
  readonly status: 403 | 502 | 503;
  readonly error: 'middleware_failed';
  /** The key under `network_middlewares`. */
  readonly middleware: string;
  /** For the answer and the event; quotes neither the request nor the service. */
  readonly detail: string;
}

export type MiddlewareVerdict =
  | {
      readonly kind: 'continue';
      readonly fields: readonly HeaderField[];
      /** The bytes to send in place of the body; undefined: the body as it was. Then its content was not changed. */
      readonly newBody: Buffer | undefined;
    }
  | {
      readonly kind: 'denied';
      readonly status: 403;
      readonly error: 'middleware_denied';
      readonly middleware: string;
      /** Empty where the stage gives none. */
      readonly reasonCode: string;
      /** The target may be in no record. */
      readonly targetIsSecret: boolean;
    }
  | MiddlewareFailure;

export type MiddlewareResponse =
  | { readonly kind: 'unchanged' }
  /** The length is no longer known. */
  | { readonly kind: 'filtered'; readonly head: ResponseHead; readonly receiver: BodyReceiver }
  | MiddlewareFailure;
