/** Not by `import`: that reads every export of node:http, one of which loads the whole of undici (30 ms of each start). */
const { STATUS_CODES } = process.getBuiltinModule('node:http');

/** RFC 9110 section 15. What an origin has written in its place is not passed on: it says nothing. */
export const reasonPhrase = (status: number): string => STATUS_CODES[status] ?? 'Unknown';
