import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import { createSecureServer } from 'node:http2';
import { createServer } from 'node:https';
import type { Server } from 'node:net';
import type { Certificates } from '../../../support/certificates.ts';
import type { Seen } from './seen.ts';

/** The path of a request without its query. */
export const pathOf = (request: IncomingMessage): string => (request.url ?? '/').split('?', 1)[0] ?? '/';

const hostOf = (request: IncomingMessage): string => {
  const { ':authority': authority, host = '' } = request.headers as { ':authority'?: string; host?: string };
  return (authority ?? host).replace(/:\d+$/, '');
};

/** Notes a request before its listener has it. */
const noting =
  (seen: Seen, listener: RequestListener): RequestListener =>
  (request, response) => {
    seen.note(`${request.method} ${hostOf(request)}${pathOf(request)}`);
    if (request.headers.authorization) seen.note(`authorization ${request.headers.authorization}`);
    listener(request, response);
  };

/** Says what it was asked, by which version of HTTP, and how long the body was. `/whoami` also says with which Authorization. */
const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
  let bytes = 0;
  for await (const chunk of request) bytes += (chunk as Buffer).length;
  const who = pathOf(request) === '/whoami' ? ` as ${request.headers.authorization}` : '';
  response.end(`HTTP/${request.httpVersion} ${request.method} ${request.url} ${bytes}${who}\n`);
};

const listener: RequestListener = (request, response) => {
  // Only a client that was killed makes this fail, and then nobody waits for the answer.
  answer(request, response).catch(() => response.destroy());
};

/** HTTP/2 where the client offers it, else HTTP/1.1. */
export const webServer = ({ certificate, key }: Certificates, seen: Seen): Server =>
  createSecureServer(
    { allowHTTP1: true, cert: certificate, key },
    noting(seen, listener) as unknown as Parameters<typeof createSecureServer>[1],
  );

export type Sites = Readonly<Record<string, RequestListener>>;

/** One HTTP/1.1 server for several names. */
export const sitesServer = ({ certificate, key }: Certificates, seen: Seen, sites: Sites): Server =>
  createServer(
    { cert: certificate, key },
    noting(seen, (request, response) => {
      const site = sites[hostOf(request)];
      if (site) site(request, response);
      else response.writeHead(421).end();
    }),
  );
