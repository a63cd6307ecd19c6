import type { LinkOptions, LinkServer } from './server.ts';

export { LinkDirectory, type LinkedGeneration, type LinkedTenant } from './directory.ts';
export type { LinkCertificates, LinkOptions, LinkServer } from './server.ts';

/** As `server.ts` has it; loaded by proxies that have nodes. */
export const serveLink = async (options: LinkOptions): Promise<LinkServer> =>
  (await import('./server.ts')).serveLink(options);
