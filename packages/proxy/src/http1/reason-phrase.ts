import { STATUS_CODES } from 'node:http';

/** RFC 9110 section 15. What an origin has written in its place is not passed on: it says nothing. */
export const reasonPhrase = (status: number): string => STATUS_CODES[status] ?? 'Unknown';
