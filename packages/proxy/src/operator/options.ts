import { resolve } from 'node:path';
import { OpenShellError } from '@openshell/base';
import type { MiddlewareService } from '../middleware/service/connection.ts';
import type { ClientCertificateFiles, UpstreamProxyWord } from './upstream.ts';

/** Where a text stands. */
export interface Written {
  /** For messages: `--client-certificate`, or a file, line and key. */
  readonly source: string;
  /** What paths in the text are relative to. */
  readonly directory: string;
}

/** Reads `HOST=CERT,KEY`. Throws `usage`. */
export function parseClientCertificate(text: string, { source, directory }: Written): ClientCertificateFiles {
  const [, host = '', ...files] = /^([^=]+)=([^,]+),([^,]+)$/.exec(text) ?? [];
  const [certificate, key] = files.map((file) => resolve(directory, file));
  if (certificate === undefined || key === undefined)
    throw usage(
      `${source}: '${text}' is not a host and two files`,
      'Write HOST=CERT,KEY, as in api.test=cert.pem,key.pem.',
    );
  return { host, certificate, key };
}

/** Reads each `NAME=URL` of one place. Throws `usage`; an address, which may hold a password, is never in a message. */
export function parseMiddlewares(
  texts: readonly string[],
  sourceOf: (text: string) => string,
): readonly MiddlewareService[] {
  const services = new Map<string, MiddlewareService>();
  for (const text of texts) {
    const [, name, url] = /^([^=\s]+)=((?:https?:\/\/|unix:\/)\S+)$/.exec(text) ?? [];
    const source = sourceOf(text);
    if (name === undefined || url === undefined)
      throw usage(
        `${source}: this is not a name and an address`,
        'Write NAME=http://HOST:PORT, NAME=https://HOST:PORT or NAME=unix:/PATH.',
      );
    if (name.startsWith('openshell/'))
      throw usage(`${source}: names that begin with openshell/ are built in`, 'Choose another name.');
    if (services.has(name)) throw usage(`${source}: ${name} is given twice`, 'Keep one.');
    services.set(name, { name, url });
  }
  return [...services.values()];
}

/** The three texts about a proxy, all of one place: a password is for the proxy that it was written beside. */
export interface ProxyTexts {
  readonly url: string | undefined;
  readonly authFile: string | undefined;
  readonly noProxy: string | undefined;
}

/** Reads what one place says about the proxy of this network. Throws `usage`; an address, which may hold a password, is never in a message. */
export function parseUpstreamProxy(
  { url, authFile, noProxy }: ProxyTexts,
  place: (text: keyof ProxyTexts) => Written,
): UpstreamProxyWord | undefined {
  if (url === undefined) {
    if (authFile === undefined && noProxy === undefined) return undefined;
    const alone = place(authFile === undefined ? 'noProxy' : 'authFile');
    throw usage(
      `${alone.source}: no proxy is given that it could be about`,
      `It goes with ${place('url').source}.`,
    );
  }
  // A password here would be in the list of processes, and in whatever prints the address.
  if (!/^http:\/\/[^\s/@?#]+\/?$/.test(url))
    throw usage(
      `${place('url').source}: this is not the address of a proxy`,
      `Write http://HOST:PORT; user:password stand in the file of ${place('authFile').source}.`,
    );
  return {
    url,
    ...(authFile !== undefined && { authFile: resolve(place('authFile').directory, authFile) }),
    ...(noProxy !== undefined && { noProxy }),
  };
}

const usage = (message: string, remedy: string): OpenShellError =>
  new OpenShellError(message, { code: 'usage', remedy });
