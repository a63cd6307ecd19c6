import { OpenShellError } from '@openshell/base';

/** OTLP/HTTP: where traces go when no more than a collector's address is named. */
const TRACES_PATH = '/v1/traces';

/**
 * Where spans are sent. What names only a host gets the path that every collector has.
 * @throws OpenShellError `bad_otlp_endpoint`
 */
export function otlpEndpoint(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  const wrong = wrongWith(url);
  if (url === undefined || wrong !== undefined)
    throw new OpenShellError(`the address of the collector ${wrong}`, {
      code: 'bad_otlp_endpoint',
      remedy: 'Write it as http://HOST:4318 or https://HOST:PORT/PATH.',
    });
  if (url.pathname === '/') url.pathname = TRACES_PATH;
  return url;
}

function wrongWith(url: URL | undefined): string | undefined {
  if (url === undefined || (url.protocol !== 'http:' && url.protocol !== 'https:'))
    return 'is no http or https URL';
  if (url.username !== '' || url.password !== '')
    return 'holds credentials; they belong into the file of headers';
  if (url.search !== '' || url.hash !== '') return 'has a query or a fragment';
  return undefined;
}
