import type { Treatment } from '@openshell/policy';
import type { BodyReceiver, BodySource } from '../exchange/body.ts';
import type { OutgoingRequest, ResponseHead } from '../exchange/exchange.ts';
import type { HeaderField } from '../http/request-head.ts';

/** At once where the value is at hand, which is nearly always; a caller awaits only what is a promise. */
export type Eventually<T> = T | Promise<T>;

/** Where a request goes, in the words that bindings use. */
export interface Destination {
  /** Canonical host, as policy saw it. */
  readonly host: string;
  readonly port: number;
  readonly scheme: 'http' | 'https';
  /** Canonical path without query; placeholders in it are `[CREDENTIAL]`. */
  readonly path: string;
  /** How the policy reads this path; absent where no inspected endpoint has it. */
  readonly treatment?: Treatment | undefined;
  /** Every address that is dialled is a loopback one: plain HTTP to it crosses no wire. */
  readonly loopback?: boolean | undefined;
}

export type RefusalCode =
  /** The placeholder is used where its credential is not bound to. */
  | 'credential_endpoint_mismatch'
  /** There is no such credential, or its value cannot be had. */
  | 'credential_unavailable'
  /** It stands where a value cannot be put, or the value does not fit there. */
  | 'credential_injection_failed'
  /** A token endpoint said no, or nothing that can be used. */
  | 'token_grant_failed';

/** Why a request does not go out (or a response does not come in). Never holds a value. */
export interface Refusal {
  readonly status: 403 | 500 | 502;
  readonly error: RefusalCode;
  readonly detail: string;
  readonly remedy: string;
}

/** A request with its credentials in place, and what is still to be done with its body. */
export interface Injection {
  readonly request: OutgoingRequest;
  readonly body: BodyTreatment;
  /** Credentials are bound to this host and port: what comes back goes through it. */
  readonly used: Used | undefined;
  /** Called right before the head is written, when time has passed since: credentials may have been revoked meanwhile. */
  recheck(): Refusal | undefined;
}

export type BodyTreatment =
  /** There are no credentials: nothing to look for. */
  | { readonly kind: 'none' }
  /** Goes through as it comes; `wrap` fails it before a byte of a placeholder leaves. Its length stays. */
  | { readonly kind: 'stream'; wrap(receiver: BodyReceiver): BodyReceiver }
  /** Is held until it is complete: at most `maxBytes`, beyond which the request is refused. */
  | {
      readonly kind: 'whole';
      readonly maxBytes: number;
      /** The request as it then goes out, with a body that is sent with its exact length. Called once. */
      apply(body: Buffer): Eventually<WholeRequest | Refusal>;
    };

export interface WholeRequest {
  readonly request: OutgoingRequest;
  readonly body: Buffer;
}

/** Keeps values that are bound to one host out of what it says to the workload. */
export interface Used {
  /** Names of the credentials whose values were put into this request, as far as it has been sent; for events. */
  readonly names: readonly string[];
  /** The final response with every value replaced by its placeholder. A masked body has no known length. */
  response(head: ResponseHead, body: BodySource): MaskedResponse | Refusal;
  /** Fields of an interim response, of a 101, or trailers. */
  fields(fields: readonly HeaderField[]): readonly HeaderField[];
}

export interface MaskedResponse {
  readonly head: ResponseHead;
  readonly body: BodySource;
}

export const isRefusal = (value: object | string): value is Refusal =>
  typeof value === 'object' && 'error' in value && 'status' in value;

export const mismatch = (detail: string, remedy: string): Refusal => ({
  status: 403,
  error: 'credential_endpoint_mismatch',
  detail,
  remedy,
});

export const unavailable = (detail: string, remedy: string): Refusal => ({
  status: 500,
  error: 'credential_unavailable',
  detail,
  remedy,
});

export const injectionFailed = (detail: string, remedy: string): Refusal => ({
  status: 500,
  error: 'credential_injection_failed',
  detail,
  remedy,
});

export const grantFailed = (detail: string, remedy: string): Refusal => ({
  status: 502,
  error: 'token_grant_failed',
  detail,
  remedy,
});

/** Goes on with a value, now or later; a refusal ends it. */
export function after<T extends object, U>(
  value: Eventually<T | Refusal>,
  next: (value: T) => Eventually<U | Refusal>,
): Eventually<U | Refusal> {
  if (value instanceof Promise) return value.then((late) => (isRefusal(late) ? late : next(late)));
  return isRefusal(value) ? value : next(value);
}
