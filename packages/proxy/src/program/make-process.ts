import type { Limits } from '../limits.ts';
import type { LinkCertificates } from '../link/index.ts';
import { readOperatorFile } from '../operator/read-file.ts';
import { readUpstream } from '../operator/upstream.ts';
import { openTracing } from '../tracing/open-tracing.ts';
import { PROXY_VERSION } from '../version.ts';
import type { Log } from './log/log.ts';
import type { MutualTlsFiles } from './options/control-words.ts';
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

/** Whether events are for anybody: a record that lasts, or controllers, who may come later and ask for what has been. */
export const isRecorded = (options: Pick<ProgramOptions, 'control' | 'events'>): boolean =>
  options.events !== undefined || isFollowed(options);

const isFollowed = ({ control }: Pick<ProgramOptions, 'control'>): boolean => control.where.length > 0;

/** Where no controller can come, nobody reads events that are kept. */
const FEW_EVENTS: Partial<Limits> = { controlEvents: 16, controlEventBytes: 65_536 };

/** Bounds of the events that are kept for controllers. */
export const keptEvents = (options: Pick<ProgramOptions, 'control'>): Partial<Limits> =>
  isFollowed(options) ? {} : FEW_EVENTS;

/** What a proxy with these options can do besides its protocol. */
export const featuresOf = ({ control, link, tracing, workers }: ProgramOptions): readonly string[] => [
  'socks5',
  ...(control.sources === 'host' ? ['host-sources'] : []),
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
      limits: { ...keptEvents(options), ...parts.limits },
      version: PROXY_VERSION,
      features: featuresOf(options),
      overrides: options.resolve,
      upstream,
      middlewares: options.middlewares,
      tracing,
      denyAll: options.denyAll,
      link: linkDoorOf(options),
      ownPorts: portsOf(options),
      refusals: (refusal, tenant) => {
        lines.report(refusal, tenant);
        refusals?.(refusal, tenant);
      },
    }),
  );
}

/** Of the doors that connections of tenants do not come in by. */
const portsOf = ({ control, status, link }: ProgramOptions): readonly number[] =>
  [...control.where.filter(({ kind }) => kind === 'tcp'), status, link].flatMap((word) =>
    word !== undefined && 'port' in word ? [word.port] : [],
  );

function linkDoorOf({ link }: ProgramOptions): LinkDoor | undefined {
  if (link === undefined) return undefined;
  const { host, port, tls } = link;
  return { address: { host, port }, ...readLinkCertificates(tls) };
}

/** Throws `operator_file_unreadable`. */
export const readLinkCertificates = (files: MutualTlsFiles): LinkCertificates => ({
  certPem: readOperatorFile(files.certificate, 'the certificate for nodes'),
  keyPem: readOperatorFile(files.key, 'the key of the certificate for nodes'),
  clientCaPem: readOperatorFile(files.clientCa, 'the authority of nodes'),
});
