/** One thing that a client sends. `%` stands for what the way in puts before a path: nothing, or `http://api.example`. */
export interface HostileRequest {
  readonly name: string;
  readonly bytes: string;
  /** Of the answers, in order; the last one may be followed by the end of the connection. Absent: none, only the end. */
  readonly statuses: readonly number[];
  /** Request lines that the origin may see, in order. */
  readonly seen?: readonly string[];
  /** Only on connections that lead to one host. */
  readonly inTunnel?: true;
}

const HOST = 'Host: api.example';
const EVIL = 'GET /closed/secret HTTP/1.1\r\nHost: api.example\r\n\r\n';

const request = (line: string, fields: readonly string[], body = ''): string =>
  `${[line, ...fields, '', ''].join('\r\n')}${body}`;

/** A POST to an allowed path with these fields, and this behind its head. */
const post = (fields: readonly string[], body: string): string =>
  request('POST %/open/a HTTP/1.1', [HOST, ...fields], body);
const get = (target: string, fields: readonly string[] = []): string =>
  request(`GET ${target} HTTP/1.1`, [HOST, ...fields]);

const SMUGGLED = `0\r\n\r\n${EVIL}`;
const refused = (name: string, bytes: string, status = 400): HostileRequest => ({
  name,
  bytes,
  statuses: [status],
});

const CODINGS: readonly (readonly [name: string, ...fields: string[]])[] = [
  ['a space before the colon', 'Transfer-Encoding : chunked'],
  ['an unknown coding', 'Transfer-Encoding: xchunked'],
  ['a tab inside the value', 'Transfer-Encoding: \tchunked\tx'],
  ['a vertical tab', 'Transfer-Encoding:\x0bchunked'],
  ['a form feed behind it', 'Transfer-Encoding: chunked\x0c'],
  ['twice', 'Transfer-Encoding: chunked', 'Transfer-Encoding: chunked'],
  ['twice with identity', 'Transfer-Encoding: identity', 'Transfer-Encoding: chunked'],
  ['a list', 'Transfer-Encoding: gzip, chunked'],
  ['a list with chunked first', 'Transfer-Encoding: chunked, identity'],
  ['a list of nothing and chunked', 'Transfer-Encoding: , chunked'],
  ['quoted', 'Transfer-Encoding: "chunked"'],
  ['with a parameter', 'Transfer-Encoding: chunked;q=1'],
  ['folded', 'Transfer-Encoding:\r\n chunked'],
  ['folded in the name of another', 'X: y\r\n Transfer-Encoding: chunked'],
  ['empty', 'Transfer-Encoding:'],
  ['with an underscore', 'Transfer_Encoding: chunked'],
  ['with a NUL in the name', 'Transfer\0-Encoding: chunked'],
  ['with a high byte', 'Transfer-Encoding: chunked\xa0'],
  ['behind a bare CR', 'X: y\rTransfer-Encoding: chunked'],
  ['behind a bare LF', 'X: y\nTransfer-Encoding: chunked'],
  ['a cedilla', 'Transfer-Encoding: \xe7hunked'],
];

const LENGTHS: readonly (readonly [name: string, ...fields: string[]])[] = [
  ['two that differ', 'Content-Length: 3', 'Content-Length: 0'],
  ['two that agree', 'Content-Length: 3', 'Content-Length: 3'],
  ['a list', 'Content-Length: 3, 3'],
  ['a plus sign', 'Content-Length: +3'],
  ['a minus sign', 'Content-Length: -3'],
  ['hexadecimal', 'Content-Length: 0x3'],
  ['an exponent', 'Content-Length: 3e0'],
  ['a point', 'Content-Length: 3.0'],
  ['a space inside', 'Content-Length: 3 0'],
  ['an underscore', 'Content-Length: 1_0'],
  ['a semicolon', 'Content-Length: 3;'],
  ['empty', 'Content-Length:'],
  ['longer than numbers are exact', 'Content-Length: 18446744073709551619'],
  ['digits of another script', 'Content-Length: \xb3'],
  ['a space before the colon', 'Content-Length : 3'],
  ['with an underscore in the name', 'Content_Length: 3'],
  ['folded', 'Content-Length:\r\n 3'],
  ['a bare CR behind it', 'Content-Length: 3\rX: y'],
];

const framing: readonly HostileRequest[] = [
  refused('CL.TE', post(['Content-Length: 6', 'Transfer-Encoding: chunked'], SMUGGLED)),
  refused('TE.CL', post(['Transfer-Encoding: chunked', 'Content-Length: 4'], `5c\r\n${EVIL}\r\n0\r\n\r\n`)),
  refused('TE.0', post(['Transfer-Encoding: chunked', 'Content-Length: 0'], SMUGGLED)),
  ...CODINGS.map(([name, ...fields]) => refused(`Transfer-Encoding: ${name}`, post(fields, SMUGGLED))),
  ...CODINGS.map(([name, ...fields]) =>
    refused(`Transfer-Encoding beside a length: ${name}`, post(['Content-Length: 0', ...fields], SMUGGLED)),
  ),
  refused(
    'Transfer-Encoding in HTTP/1.0',
    request('POST %/open/a HTTP/1.0', [HOST, 'Transfer-Encoding: chunked'], SMUGGLED),
  ),
  ...LENGTHS.map(([name, ...fields]) => refused(`Content-Length: ${name}`, post(fields, `abc${EVIL}`))),
  {
    name: 'a request in the body of a request that is refused',
    bytes: request('POST %/closed HTTP/1.1', [HOST, `Content-Length: ${EVIL.length}`], EVIL),
    statuses: [403],
  },
  {
    name: 'a request in the body of one that is allowed',
    bytes: post([`Content-Length: ${EVIL.length}`], EVIL),
    statuses: [200],
    seen: ['POST /open/a'],
  },
  {
    name: 'a request with the length of another method',
    bytes: request('GET %/open/a HTTP/1.1', [HOST, `Content-Length: ${EVIL.length}`], EVIL),
    statuses: [200],
    seen: ['GET /open/a'],
  },
  {
    name: 'a refused request pipelined behind a chunked body',
    bytes: post(['Transfer-Encoding: chunked'], `3\r\nabc\r\n0\r\n\r\n`) + EVIL.replace('GET ', 'GET %'),
    statuses: [200, 403],
    seen: ['POST /open/a'],
  },
];

const chunked = (name: string, body: string): HostileRequest => ({
  name: `chunks: ${name}`,
  bytes: post(['Transfer-Encoding: chunked'], body),
  statuses: [400],
});

const chunks: readonly HostileRequest[] = [
  chunked('a size that overflows', `10000000000000003\r\nabc\r\n${SMUGGLED}`),
  chunked('a size of many zeros', `00000000000000000003\r\nabc\r\n${SMUGGLED}`),
  chunked('a size with a sign', `+3\r\nabc\r\n${SMUGGLED}`),
  chunked('a negative size', `-1\r\nabc\r\n${SMUGGLED}`),
  chunked('a size with 0x', `0x3\r\nabc\r\n${SMUGGLED}`),
  chunked('a size with an underscore', `0_3\r\nabc\r\n${SMUGGLED}`),
  chunked('no size', `\r\nabc\r\n${SMUGGLED}`),
  chunked('a space before the size', ` 3\r\nabc\r\n${SMUGGLED}`),
  chunked('a space behind the size', `3 \r\nabc\r\n${SMUGGLED}`),
  chunked('an LF in an extension', `3;a=\n${EVIL}\r\nabc\r\n0\r\n\r\n`),
  chunked('a CR in an extension', `3;a=\rb\r\nabc\r\n0\r\n\r\n`),
  chunked('a NUL in an extension', `3;a=\0\r\nabc\r\n0\r\n\r\n`),
  chunked('an endless extension', `3;${'a'.repeat(5000)}\r\nabc\r\n0\r\n\r\n`),
  chunked('a line that ends in LF', `3\nabc\r\n0\r\n\r\n`),
  chunked('data that ends in LF', `3\r\nabc\n0\r\n\r\n`),
  chunked('data that ends in anything', `3\r\nabcXX0\r\n\r\n`),
  chunked('data that is longer than its size', `3\r\nabcd\r\n0\r\n\r\n`),
  chunked('a last chunk that ends in LF', `3\r\nabc\r\n0\n\r\n${EVIL}`),
  chunked('a trailer section that ends in LF', `0\r\nX: y\n\r\n${EVIL}`),
  chunked('a folded trailer', `0\r\nX: y\r\n z\r\n\r\n`),
  chunked('a trailer without a colon', `0\r\nGET /closed HTTP/1.1\r\n\r\n`),
  chunked('an endless trailer section', `0\r\n${'X: yyyyyyyyyyyyyyyyyyyy\r\n'.repeat(1000)}`),
  {
    name: 'chunks: trailers that would frame, route or authenticate',
    bytes: post(
      ['Transfer-Encoding: chunked'],
      '0\r\nContent-Length: 9\r\nTransfer-Encoding: x\r\nHost: evil.example\r\nAuthorization: x\r\n\r\n',
    ),
    statuses: [200],
    seen: ['POST /open/a'],
  },
  {
    name: 'chunks: something behind the last one',
    bytes: post(['Transfer-Encoding: chunked'], '0\r\n\r\nXYZ\r\n\r\n'),
    statuses: [200, 400],
    seen: ['POST /open/a'],
  },
];

const HEADS: readonly (readonly [name: string, bytes: string, status?: number])[] = [
  ['lines that end in LF', 'GET %/open HTTP/1.1\nHost: api.example\n\n'],
  ['one line that ends in LF', `GET %/open HTTP/1.1\r\n${HOST}\nX: y\r\n\r\n`],
  ['an end of LF CR LF', `GET %/open HTTP/1.1\r\n${HOST}\n\r\n${EVIL}`],
  ['a bare CR in a value', get('%/open', ['X: a\rb'])],
  ['a bare CR before the end of a line', get('%/open', ['X: a\r'])],
  ['a folded line', get('%/open', ['X: a', ' b'])],
  ['a folded first field', `GET %/open HTTP/1.1\r\n Host: api.example\r\n${HOST}\r\n\r\n`],
  ['a NUL in a value', get('%/open', ['X: a\0b'])],
  ['a NUL in a name', get('%/open', ['X\0: a'])],
  ['a control character in a value', get('%/open', ['X: a\x01b'])],
  ['a DEL in a value', get('%/open', ['X: a\x7fb'])],
  ['a field without a colon', get('%/open', ['X'])],
  ['a field without a name', get('%/open', [': x'])],
  ['a space in a name', get('%/open', ['X Y: z'])],
  ['a bracket in a name', get('%/open', ['X[y]: z'])],
  ['a high byte in a name', get('%/open', ['X\xe9: z'])],
  ['a line before the request', `\r\n${get('%/open')}`],
  ['a field before the request', `X: y\r\n${get('%/open')}`],
  ['a head of 64 KiB', get('%/open', [`X: ${'y'.repeat(65_536)}`]), 431],
  [
    '1,000 fields',
    get(
      '%/open',
      Array.from({ length: 1000 }, (_, i) => `X${i}: y`),
    ),
    431,
  ],
  ['two spaces', `GET  %/open HTTP/1.1\r\n${HOST}\r\n\r\n`],
  ['a tab for a space', `GET\t%/open HTTP/1.1\r\n${HOST}\r\n\r\n`],
  ['a space behind the version', `GET %/open HTTP/1.1 \r\n${HOST}\r\n\r\n`],
  ['a space in the target', `GET %/open a HTTP/1.1\r\n${HOST}\r\n\r\n`],
  ['a high byte in the target', `GET %/op\xe9n HTTP/1.1\r\n${HOST}\r\n\r\n`],
  ['two versions', `GET %/open HTTP/1.1 HTTP/1.1\r\n${HOST}\r\n\r\n`],
  ['no version', 'GET %/open\r\n\r\n'],
  ['HTTP/0.9 with fields', `GET %/open HTTP/0.9\r\n${HOST}\r\n\r\n`, 505],
  ['HTTP/1.10', `GET %/open HTTP/1.10\r\n${HOST}\r\n\r\n`],
  ['HTTP/01.1', `GET %/open HTTP/01.1\r\n${HOST}\r\n\r\n`],
  ['HTTP/1.2', `GET %/open HTTP/1.2\r\n${HOST}\r\n\r\n`, 505],
  ['HTTP/2.0', `GET %/open HTTP/2.0\r\n${HOST}\r\n\r\n`, 505],
  ['http/1.1', `GET %/open http/1.1\r\n${HOST}\r\n\r\n`],
  ['HTTPS/1.1', `GET %/open HTTPS/1.1\r\n${HOST}\r\n\r\n`],
  ['Connection: host', get('%/open', ['Connection: host'])],
  ['Connection: content-length', post(['Connection: close, Content-Length', 'Content-Length: 3'], 'abc')],
  [
    'Connection: transfer-encoding',
    post(['Connection: Transfer-Encoding', 'Transfer-Encoding: chunked'], SMUGGLED),
  ],
  ['Expect: something else', post(['Expect: 200-ok', 'Content-Length: 3'], 'abc'), 417],
  ['Expect twice', post(['Expect: 100-continue', 'Expect: 100-continue', 'Content-Length: 3'], 'abc'), 417],
  ['Expect as a list', post(['Expect: 100-continue, x', 'Content-Length: 3'], 'abc'), 417],
];

const TUNNEL_HEADS: readonly (readonly [name: string, bytes: string, status: number])[] = [
  ['no Host', 'GET /open HTTP/1.1\r\nX: y\r\n\r\n', 400],
  ['two Hosts', get('/open', ['Host: evil.example']), 400],
  ['two Hosts that agree', get('/open', [HOST]), 400],
  ['an empty Host', 'GET /open HTTP/1.1\r\nHost:\r\n\r\n', 403],
  ['another Host', 'GET /open HTTP/1.1\r\nHost: evil.example\r\n\r\n', 403],
  ['a Host above it', 'GET /open HTTP/1.1\r\nHost: api.example.evil.example\r\n\r\n', 403],
  ['a Host with user information', 'GET /open HTTP/1.1\r\nHost: api.example@evil.example\r\n\r\n', 403],
  [
    'a Host with user information of ours',
    'GET /open HTTP/1.1\r\nHost: evil.example@api.example\r\n\r\n',
    403,
  ],
  ['a Host with another port', 'GET /open HTTP/1.1\r\nHost: api.example:8080\r\n\r\n', 403],
  ['a Host with two ports', 'GET /open HTTP/1.1\r\nHost: api.example:80:443\r\n\r\n', 403],
  ['a Host with a signed port', 'GET /open HTTP/1.1\r\nHost: api.example:+80\r\n\r\n', 403],
  ['a Host with a path', 'GET /open HTTP/1.1\r\nHost: api.example/evil\r\n\r\n', 403],
  ['a Host with a list', 'GET /open HTTP/1.1\r\nHost: api.example, evil.example\r\n\r\n', 403],
  ['a Host with a space', 'GET /open HTTP/1.1\r\nHost: api.example evil.example\r\n\r\n', 403],
  ['a Host with a backslash', 'GET /open HTTP/1.1\r\nHost: api.example\\@evil.example\r\n\r\n', 403],
  ['absolute form with another host', request('GET http://evil.example/open HTTP/1.1', [HOST]), 400],
  [
    'absolute form with the host, Host another',
    'GET http://api.example/open HTTP/1.1\r\nHost: evil.example\r\n\r\n',
    400,
  ],
  ['absolute form with another port', request('GET http://api.example:81/open HTTP/1.1', [HOST]), 400],
  ['absolute form with another scheme', request('GET ftp://api.example/open HTTP/1.1', [HOST]), 400],
  [
    'absolute form with user information',
    request('GET http://api.example@evil.example/open HTTP/1.1', [HOST]),
    400,
  ],
  ['absolute form behind a slash', request('GET /http://evil.example/ HTTP/1.1', [HOST]), 403],
  ['two slashes', request('GET //evil.example/open HTTP/1.1', [HOST]), 403],
  ['a target without a slash', request('GET open/a HTTP/1.1', [HOST]), 400],
  ['a target of a query only', request('GET ?a HTTP/1.1', [HOST]), 400],
  ['an asterisk', request('GET * HTTP/1.1', [HOST]), 400],
  ['an empty fragment', request('GET /open#/closed HTTP/1.1', [HOST]), 400],
  ['CONNECT', request('CONNECT evil.example:443 HTTP/1.1', ['Host: evil.example:443']), 400],
  ['CONNECT with a path', request('CONNECT /open/a HTTP/1.1', [HOST]), 400],
];

/** What is behind the slash of a target, and how it is answered: as a path that policy refuses, or as one that has no one meaning. */
const PATHS: readonly (readonly [path: string, status: number])[] = [
  ['open/../closed', 403],
  ['open/%2e%2e/closed', 403],
  ['open/.%2E/closed', 403],
  ['open/./../closed', 403],
  ['open//../closed', 403],
  ['open/..;/closed', 403],
  ['open/..;a=b/closed', 403],
  ['open/%2e%2e;/closed', 403],
  ['open/..%3b/closed', 400],
  ['open/..%2fclosed', 400],
  ['open/..%2Fclosed', 400],
  ['open/%2e%2e%2fclosed', 400],
  ['open%2f..%2fclosed', 400],
  ['open/a%2fb', 400],
  ['open/..\\closed', 400],
  ['open/..%5cclosed', 400],
  ['open%5c..%5cclosed', 400],
  ['open/%c0%ae%c0%ae/closed', 400],
  ['open/..%c0%afclosed', 400],
  ['open/%e0%80%ae%e0%80%ae/closed', 400],
  ['open/%f0%80%80%ae/closed', 400],
  ['open/%00', 400],
  ['open/a%0d%0aX:%20y', 400],
  ['open/%0a', 400],
  ['open/%7f', 400],
  ['open/%', 400],
  ['open/%2', 400],
  ['open/%zz', 400],
  ['open/%u002e%u002e/closed', 400],
  ['../closed', 400],
  ['open/../../closed', 400],
  ['%63losed', 403],
  ['closed/../closed/open/..', 403],
  ['open;/../closed', 403],
  [`open/${'a'.repeat(5000)}`, 400],
];

const paths: readonly HostileRequest[] = [
  ...PATHS.map(([path, status]) => refused(`path ${path.slice(0, 60)}`, get(`%/${path}`), status)),
  {
    name: 'paths that mean the same are sent in one form',
    bytes: ['/open//a', '/open/./a', '/open/b/../a', '/open/%61', '/open/a;x=y']
      .map((path) => get(`%${path}`))
      .join(''),
    statuses: [200, 200, 200, 200, 200],
    seen: Array.from({ length: 5 }, () => 'GET /open/a'),
  },
];

const METHODS: readonly (readonly [name: string, bytes: string, status: number])[] = [
  ['a method in small letters', request('delete %/open/a HTTP/1.1', [HOST]), 403],
  ['a method in mixed letters', request('DeLeTe %/open/a HTTP/1.1', [HOST]), 403],
  ['TRACE', request('TRACE %/open/a HTTP/1.1', [HOST]), 403],
  ['an empty method', request(' %/open/a HTTP/1.1', [HOST]), 400],
  ['a method with a slash', request('GET/ %/open/a HTTP/1.1', [HOST]), 400],
  ['a method with a colon', request('GET: %/open/a HTTP/1.1', [HOST]), 400],
  [
    'an override of the method',
    request('POST %/closed HTTP/1.1', [HOST, 'X-HTTP-Method-Override: GET']),
    403,
  ],
];

/** They are sent in good order to whom they are for, or not at all. */
const harmless: readonly HostileRequest[] = [
  {
    name: 'Connection names fields of the request',
    bytes: get('%/open/a', ['Connection: close, X-Secret, Cookie', 'X-Secret: 1', 'Cookie: a=b']),
    statuses: [200],
    seen: ['GET /open/a'],
  },
  {
    name: 'an upgrade to HTTP/2 in plain text',
    bytes: get('%/open/a', [
      'Connection: Upgrade, HTTP2-Settings',
      'Upgrade: h2c',
      'HTTP2-Settings: AAMAAABkAAQAAP__',
    ]),
    statuses: [200],
    seen: ['GET /open/a'],
  },
  {
    name: 'an upgrade to something unknown',
    bytes: get('%/open/a', ['Connection: Upgrade', 'Upgrade: tunnel']),
    statuses: [200],
    seen: ['GET /open/a'],
  },
  {
    name: 'Expect without a body',
    bytes: get('%/open/a', ['Expect: 100-continue']),
    statuses: [200],
    seen: ['GET /open/a'],
  },
  {
    name: 'a length of zero on a GET',
    bytes: get('%/open/a', ['Content-Length: 0']) + get('%/open/b'),
    statuses: [200, 200],
    seen: ['GET /open/a', 'GET /open/b'],
  },
];

export const HOSTILE_REQUESTS: readonly HostileRequest[] = [
  ...framing,
  ...chunks,
  ...HEADS.map(([name, bytes, status]) => refused(`head: ${name}`, bytes, status)),
  ...TUNNEL_HEADS.map(
    ([name, bytes, status]): HostileRequest => ({
      ...refused(`head: ${name}`, bytes, status),
      inTunnel: true,
    }),
  ),
  ...paths,
  ...METHODS.map(([name, bytes, status]) => refused(`method: ${name}`, bytes, status)),
  ...harmless,
];
