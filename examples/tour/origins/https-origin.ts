import { readFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:https';
import { join, normalize } from 'node:path';
import type { Identity } from '../x509/certificate.ts';

export interface HttpsOriginOptions {
  readonly identity: Identity;
  /** What lies here is served as it is: enough for git's dumb HTTP protocol. */
  readonly directory: string;
}

/** An HTTPS server: a greeting at `/`, and the files of a directory. */
export const createHttpsOrigin = ({ identity, directory }: HttpsOriginOptions): Server => {
  const { certificate, key } = identity;
  const credentials = { cert: certificate, key: key.export({ type: 'pkcs8', format: 'pem' }) };
  return createServer(credentials, async (request, response) => {
    const { pathname } = new URL(request.url ?? '/', 'https://origin.test');
    if (pathname === '/') {
      response.end(`Hello from ${request.headers.host}.\n`);
      return;
    }
    try {
      response.end(await readFile(join(directory, normalize(decodeURIComponent(pathname)))));
    } catch {
      response.writeHead(404).end(); // git asks for much that need not be there
    }
  });
};
