import { readOperatorFile } from '../operator/read-file.ts';
import { readUpstream } from '../operator/upstream.ts';
import { openTracing } from '../tracing/open-tracing.ts';
import { PROXY_VERSION } from '../version.ts';
import type { Log } from './log/log.ts';
import type { ProgramOptions } from './options/options.ts';
import { type LinkDoor, ProxyProcess, type ProxyProcessOptions } from './proxy-process.ts';
import { RefusalLines } from './refusal-lines.ts';

/** How people are told. */
export interface Voice {
  readonly log: Log;
  /** Writes refusals where people read them; absent: they are log lines like others. */
  readonly plain: ((line: string) => void) | undefined;
  readonly color: boolean;
}

/** What is not on the command line. */
export type ProcessParts = Pick<ProxyProcessOptions, 'authority' | 'environment' | 'events' | 'limits'> &
  Partial<Pick<ProxyProcessOptions, 'role' | 'listen' | 'refusals'>>;

/** What a proxy with these options can do besides its protocol. */
export const featuresOf = ({ link, tracing, workers }: ProgramOptions): readonly string[] => [
  'socks5',
  'host-sources',
  ...(link === undefined ? [] : ['link']),
  ...(tracing.endpoint === undefined ? [] : ['trace-export']),
  ...(workers > 1 ? ['workers'] : []),
];

/** Makes one process of the proxy from the command line; what it is made of ends with `stack`. Throws where a file cannot be used. */
export async function makeProcess(
  options: ProgramOptions,
  parts: ProcessParts,
  { log, plain, color }: Voice,
  stack: AsyncDisposableStack,
): Promise<ProxyProcess> {
  const upstream = readUpstream(options.upstream);
  const lines = new RefusalLines({ log, plain, color, nameTenants: options.tenant === undefined });
  stack.defer(() => lines.close());
  const { header, endpoint, headersFile } = options.tracing;
  const say = (line: string): void => log('warning', line);
  const tracing = await openTracing({
    header,
    ...(endpoint !== undefined && {
      otlp: { endpoint, headersFile, trust: upstream.trust, version: PROXY_VERSION, say },
    }),
  });
  stack.defer(() => tracing?.close());
  const { refusals } = parts;
  return stack.use(
    new ProxyProcess({
      ...parts,
      version: PROXY_VERSION,
      features: featuresOf(options),
      overrides: options.resolve,
      upstream,
      middlewares: options.middlewares,
      tracing,
      denyAll: options.denyAll,
      link: linkDoorOf(options),
      refusals: (refusal, tenant) => {
        lines.report(refusal, tenant);
        refusals?.(refusal, tenant);
      },
    }),
  );
}

function linkDoorOf({ link }: ProgramOptions): LinkDoor | undefined {
  if (link === undefined) return undefined;
  const { host, port, tls } = link;
  return {
    address: { host, port },
    certPem: readOperatorFile(tls.certificate, 'the certificate for nodes'),
    keyPem: readOperatorFile(tls.key, 'the key of the certificate for nodes'),
    clientCaPem: readOperatorFile(tls.clientCa, 'the authority of nodes'),
  };
}
