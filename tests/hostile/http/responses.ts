/** What an origin answers a `GET /open/a` with, and what the client makes of it. */
export interface HostileResponse {
  readonly name: string;
  readonly bytes: string;
  /** The origin ends its connection behind them. */
  readonly ends?: true;
  readonly method?: 'GET' | 'HEAD';
  /** Status and body of what the client gets; `cut`: it can tell that the rest is missing. */
  readonly gets: readonly [status: number, body: string] | 'cut';
}

const OK = 'HTTP/1.1 200 OK\r\n';
const EVIL = `${OK}Content-Length: 4\r\n\r\nevil`;

/** Not understood before its head was complete: the client hears of it. */
const bad = (name: string, bytes: string): HostileResponse => ({ name, bytes, gets: [502, ''] });
/** Not understood within its body. */
const cut = (name: string, bytes: string): HostileResponse => ({ name, bytes, gets: 'cut' });

export const HOSTILE_RESPONSES: readonly HostileResponse[] = [
  bad('both framings', `${OK}Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n${EVIL}`),
  bad('two lengths', `${OK}Content-Length: 3\r\nContent-Length: 4\r\n\r\nabcd`),
  bad('two lengths that agree', `${OK}Content-Length: 3\r\nContent-Length: 3\r\n\r\nabc`),
  bad('a signed length', `${OK}Content-Length: +3\r\n\r\nabc`),
  bad('a list of lengths', `${OK}Content-Length: 3, 3\r\n\r\nabc`),
  bad('an unknown coding', `${OK}Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n`),
  bad('an obscured coding', `${OK}Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n`),
  bad('a coding in HTTP/1.0', `HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`),
  bad('a line that ends in LF', `${OK}X: y\nContent-Length: 3\r\n\r\nabc`),
  bad('a bare CR', `${OK}X: y\rSet-Cookie: a=b\r\nContent-Length: 3\r\n\r\nabc`),
  bad('a folded line', `${OK}X: y\r\n z\r\nContent-Length: 3\r\n\r\nabc`),
  bad('a NUL', `${OK}X: y\0z\r\nContent-Length: 3\r\n\r\nabc`),
  bad('a field without a colon', `${OK}X\r\nContent-Length: 3\r\n\r\nabc`),
  bad('a status of two digits', 'HTTP/1.1 20 OK\r\nContent-Length: 0\r\n\r\n'),
  bad('a status of four digits', 'HTTP/1.1 2000 OK\r\nContent-Length: 0\r\n\r\n'),
  bad('a status of letters', 'HTTP/1.1 2OO OK\r\nContent-Length: 0\r\n\r\n'),
  bad('the status 000', 'HTTP/1.1 000 OK\r\nContent-Length: 0\r\n\r\n'),
  bad('the status 999', 'HTTP/1.1 999 OK\r\nContent-Length: 0\r\n\r\n'),
  bad('HTTP/2.0', 'HTTP/2.0 200 OK\r\nContent-Length: 0\r\n\r\n'),
  bad('HTTP/0.9', '<html>hello</html>\r\n\r\n'),
  bad('an endless head', `${OK}X: ${'y'.repeat(70_000)}`),
  bad('an endless row of fields', OK + Array.from({ length: 500 }, (_, i) => `X${i}: y\r\n`).join('')),
  bad(
    '101 that nobody asked for',
    'HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: Upgrade\r\n\r\n',
  ),
  bad('a head that is cut off', `${OK}Content-Le`),
  bad('an empty line first', `\r\n${OK}Content-Length: 0\r\n\r\n`),
  cut('a malformed chunk size', `${OK}Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\nzz\r\n`),
  cut(
    'a chunk that is longer than its size',
    `${OK}Transfer-Encoding: chunked\r\n\r\n3\r\nabcd\r\n0\r\n\r\n`,
  ),
  cut('a chunk size with a sign', `${OK}Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n-1\r\n`),
  cut('chunks that end in LF', `${OK}Transfer-Encoding: chunked\r\n\r\n3\r\nabc\n0\n\n`),
  cut('an LF in a chunk extension', `${OK}Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n1;\n\r\n`),
  cut(
    'an endless trailer section',
    `${OK}Transfer-Encoding: chunked\r\n\r\n0\r\n${'X: yyyyyyyyyyyyyyyyyy\r\n'.repeat(1000)}`,
  ),
  cut('an endless chunk extension', `${OK}Transfer-Encoding: chunked\r\n\r\n3;${'a'.repeat(9000)}`),
  {
    name: 'a second response behind it',
    bytes: `${OK}Content-Length: 2\r\n\r\nok${EVIL}`,
    gets: [200, 'ok'],
  },
  {
    name: 'a second response behind its chunks',
    bytes: `${OK}Transfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n${EVIL}`,
    gets: [200, 'ok'],
  },
  {
    name: 'content behind a 204',
    bytes: `HTTP/1.1 204 No Content\r\nContent-Length: 4\r\n\r\nevil`,
    gets: [204, ''],
  },
  {
    name: 'content behind a 304',
    bytes: `HTTP/1.1 304 Not Modified\r\nContent-Length: 4\r\n\r\nevil`,
    gets: [304, ''],
  },
  { name: 'content behind the answer to a HEAD', method: 'HEAD', bytes: EVIL, gets: [200, ''] },
  {
    name: 'a response that is split by what a header says',
    bytes: `${OK}Location: /x%0d%0aContent-Length: 0%0d%0a%0d%0a\r\nContent-Length: 2\r\n\r\nok`,
    gets: [200, 'ok'],
  },
  {
    name: 'fields that belong to its connection',
    bytes: `${OK}Connection: X-Mine, Upgrade\r\nX-Mine: 1\r\nKeep-Alive: timeout=1\r\nUpgrade: h2c\r\nContent-Length: 2\r\n\r\nok`,
    gets: [200, 'ok'],
  },
  {
    name: 'a length that is never reached',
    bytes: `${OK}Content-Length: 9\r\n\r\nabc`,
    ends: true,
    gets: 'cut',
  },
  {
    name: 'chunks that never end',
    bytes: `${OK}Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n`,
    ends: true,
    gets: 'cut',
  },
];
