/** One header field: the name as sent and in lower case, the value without surrounding whitespace. */
export interface HeaderField {
  readonly name: string;
  readonly lowerName: string;
  /** Bytes as Latin-1. */
  readonly value: string;
}

export type HttpVersion = '1.0' | '1.1';

/** A request head whose every byte was understood (RFC 9112 sections 3 and 5). */
export interface RequestHead {
  readonly method: string;
  /** Not yet interpreted; printable ASCII. */
  readonly target: string;
  readonly version: HttpVersion;
  readonly fields: readonly HeaderField[];
}

export interface ResponseLine {
  readonly version: HttpVersion;
  /** 100 to 599. */
  readonly status: number;
}

/** A response head whose every byte was understood; the reason phrase says nothing and is not kept. */
export interface ResponseMessageHead extends ResponseLine {
  readonly fields: readonly HeaderField[];
}

/** Why a message is refused before it is understood. */
export interface HttpFault {
  readonly status: 400 | 408 | 417 | 431 | 505;
  readonly detail: string;
}

/** What a fault is called in the body of its answer. */
export const FAULT_NAMES: Readonly<Record<HttpFault['status'], string>> = {
  400: 'bad_request',
  408: 'request_timeout',
  417: 'expectation_failed',
  431: 'request_header_too_large',
  505: 'http_version_not_supported',
};

/** All values of a field, in order. `lowerName` is in lower case. */
export const fieldValues = (head: { readonly fields: readonly HeaderField[] }, lowerName: string): string[] =>
  head.fields.filter((field) => field.lowerName === lowerName).map((field) => field.value);

/** A field with its name in the form that is usual. */
export const field = (name: string, value: string): HeaderField => ({
  name,
  lowerName: name.toLowerCase(),
  value,
});
