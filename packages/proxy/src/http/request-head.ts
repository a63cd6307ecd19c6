/** One header field: the name as sent and in lower case, the value without surrounding whitespace. */
export interface HeaderField {
  readonly name: string;
  readonly lowerName: string;
  readonly value: string;
}

/** A request head whose every byte was understood (RFC 9112 sections 3 and 5). */
export interface RequestHead {
  readonly method: string;
  /** Not yet interpreted; printable ASCII. */
  readonly target: string;
  readonly version: '1.0' | '1.1';
  readonly fields: readonly HeaderField[];
}

/** Why a request is refused before it is understood. */
export interface HttpFault {
  readonly status: 400 | 408 | 431 | 505;
  readonly detail: string;
}

/** All values of a field, in order. `lowerName` is in lower case. */
export const fieldValues = (head: RequestHead, lowerName: string): string[] =>
  head.fields.filter((field) => field.lowerName === lowerName).map((field) => field.value);
