import { type ClientCase, shell } from '../client-case.ts';
import { program } from '../client-world.ts';

const SECRET_PLACE = /refused .* -> web\.test:443: GET \/private\/.*Add to network_policies/;

/** A client that reads a page and is refused another one, of which it shows the status. */
const reading = (
  client: string,
  { needs, command }: { needs?: readonly string[]; command: (url: string) => readonly string[] },
  { page, shows, refusal }: { page: string; shows: RegExp; refusal: RegExp },
): ClientCase => ({
  client,
  ...(needs && { needs }),
  allowed: {
    command: command(`https://web.test/open/${page}`),
    shows,
    requests: [`GET web.test/open/${page} 200`],
    arrives: [`GET web.test/open/${page}`],
  },
  refused: {
    command: command(`https://web.test/private/${page}`),
    shows: refusal,
    requests: [`GET web.test/private/${page} 403`],
    arrives: [`GET web.test/private/${page}`],
    line: SECRET_PLACE,
  },
});

const URLLIB = `
import sys, urllib.request, urllib.error
try: print(urllib.request.urlopen(sys.argv[1]).read().decode(), end='')
except urllib.error.HTTPError as e: print(e.code, e.read().decode())`;

/** Knows no proxy, so it is captured. */
const HTTP_CLIENT = `
import sys, http.client, urllib.parse
url = urllib.parse.urlsplit(sys.argv[1])
connection = http.client.HTTPSConnection(url.netloc)
for _ in range(2):
    connection.request('GET', url.path)
    answer = connection.getresponse()
    print(answer.status, answer.read().decode(), end='')`;

export const httpClients: readonly ClientCase[] = [
  reading(
    'curl over HTTP/2',
    { command: (url) => ['curl', '-sS', '-w', '%{http_code}\n', url] },
    {
      page: 'curl2',
      shows: /^HTTP\/2\.0 GET \/open\/curl2 0\n200\n$/,
      refusal: /"error":"policy_denied".*\n403\n/,
    },
  ),
  reading(
    'curl over HTTP/1.1',
    { command: (url) => ['curl', '-sS', '--http1.1', '-w', '%{http_version} %{http_code}\n', url] },
    {
      page: 'curl1',
      shows: / GET \/open\/curl1 0\n1\.1 200\n$/,
      refusal: /"error":"policy_denied".*\n1\.1 403\n/,
    },
  ),
  {
    client: 'curl with a body of 8 MB',
    allowed: {
      command: shell('head -c 8000000 /dev/zero | curl -sS --data-binary @- https://web.test/open/inbox'),
      shows: /POST \/open\/inbox 8000000\n$/,
      requests: ['POST web.test/open/inbox 200'],
      arrives: ['POST web.test/open/inbox'],
    },
    refused: {
      command: shell(
        `head -c 8000000 /dev/zero | curl -sS -H 'Expect: 100-continue' --http1.1 --data-binary @- https://web.test/open/outbox`,
      ),
      shows: /"detail":"POST \/open\/outbox is not allowed/,
      requests: ['POST web.test/open/outbox 403'],
      arrives: ['POST web.test/open/outbox'],
      line: /refused curl .*POST \/open\/outbox/,
    },
  },
  reading(
    'wget',
    { needs: ['wget'], command: (url) => ['wget', '-nv', '-O', '-', url] },
    { page: 'wget', shows: / GET \/open\/wget 0\n$/, refusal: /ERROR 403: Forbidden/ },
  ),
  reading(
    'fetch of Node.js',
    { command: (url) => program('fetch', 'fetch', url) },
    { page: 'fetch', shows: /^200 HTTP\S+ GET \/open\/fetch 0\n$/, refusal: /403 .*policy_denied/ },
  ),
  reading(
    'node:https, captured',
    { command: (url) => program('fetch', 'https', url) },
    { page: 'https', shows: /^200 HTTP\S+ GET \/open\/https 0\n$/, refusal: /403 .*policy_denied/ },
  ),
  reading(
    'node:http2, captured',
    { command: (url) => program('fetch', 'http2', url) },
    { page: 'http2', shows: /^200 HTTP\/2\.0 GET \/open\/http2 0\n$/, refusal: /403 .*policy_denied/ },
  ),
  reading(
    'urllib of Python',
    { needs: ['python3'], command: (url) => ['/usr/bin/python3', '-c', URLLIB, url] },
    { page: 'urllib', shows: / GET \/open\/urllib 0\n$/, refusal: /403 .*policy_denied/ },
  ),
  reading(
    'http.client of Python, captured',
    { needs: ['python3'], command: (url) => ['/usr/bin/python3', '-c', HTTP_CLIENT, url] },
    {
      page: 'client',
      shows: /^(200 HTTP\S+ GET \/open\/client 0\n){2}$/,
      refusal: /(403 .*policy_denied.*\n){2}/,
    },
  ),
];
