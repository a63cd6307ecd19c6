import { availableParallelism } from 'node:os';
import { type SandboxId, sandboxId } from '@openshell/base';
import type { OperatorOverride } from '../../destination/overrides.ts';
import type { MiddlewareService } from '../../middleware/service/connection.ts';
import {
  parseClientCertificate,
  parseMiddlewares,
  parseUpstreamProxy,
  type Written,
} from '../../operator/options.ts';
import type { UpstreamWord } from '../../operator/upstream.ts';
import { TRACE_HEADERS, type TraceHeader } from '../../tracing/options.ts';
import { type Address, type ListenWord, parseAddress, parseListen } from './address.ts';
import { type AuthorityOptions, readAuthorityOptions } from './authority-words.ts';
import { checkCombinations } from './combinations.ts';
import { type ControlOptions, type LinkOptions, readControl, readLink } from './control-words.ts';
import { readValues } from './read-values.ts';
import { parseResolveRule } from './resolve-rule.ts';
import type { OptionValues } from './table.ts';
import { usageError } from './usage-error.ts';
import { wholeNumber } from './whole-number.ts';

/** Which files say what may be reached. */
export type FilesWord =
  | { readonly kind: 'none' }
  | {
      readonly kind: 'policy';
      readonly policy: string;
      readonly credentials: string | undefined;
      readonly routes: string | undefined;
    }
  | { readonly kind: 'tenants'; readonly file: string };

export interface ProgramOptions {
  readonly listen: readonly ListenWord[];
  /** Whose everything is that comes in at `listen`; absent where files or a controller say who is who. */
  readonly tenant: SandboxId | undefined;
  /** `none`: any program may use what policy allows to some. `absent`: then policy may not speak of programs. */
  readonly identity: 'none' | 'absent';
  readonly files: FilesWord;
  readonly denyAll: boolean;
  readonly control: ControlOptions;
  readonly link: LinkOptions | undefined;
  readonly authority: AuthorityOptions;
  readonly resolve: readonly OperatorOverride[];
  readonly middlewares: readonly MiddlewareService[];
  readonly upstream: UpstreamWord;
  readonly status: Address | undefined;
  readonly workers: number;
  readonly drainMs: number;
  readonly events: string | undefined;
  readonly logFormat: LogFormat;
  readonly tracing: TracingWord;
}

export type LogFormat = 'text' | 'json';

export interface TracingWord {
  readonly header: TraceHeader;
  readonly endpoint: string | undefined;
  readonly headersFile: string | undefined;
}

export type CommandLine =
  | { readonly kind: 'help' }
  | { readonly kind: 'version' }
  | { readonly kind: 'serve'; readonly options: ProgramOptions };

const ID = sandboxId('openshell-proxy');
const MAX_WORKERS = 64;
const MAX_SECONDS = 86_400;
const DRAIN_SECONDS = '30';
const LOG_FORMATS = ['text', 'json'] as const;

/** Reads the command line. Throws `usage`. */
export function parseCommandLine(args: readonly string[]): CommandLine {
  const values = readValues(args);
  if (values.help === true) return { kind: 'help' };
  if (values.version === true) return { kind: 'version' };
  return { kind: 'serve', options: readOptions(values) };
}

function readOptions(values: OptionValues): ProgramOptions {
  checkCombinations(values);
  const files = readFiles(values);
  const control = readControl(values);
  return {
    listen: (values.listen ?? []).map(parseListen),
    tenant: readTenant(values, files, control),
    identity: readIdentity(values.identity),
    files,
    denyAll: values['deny-all'] === true,
    control,
    link: readLink(values),
    authority: readAuthorityOptions(values),
    resolve: (values.resolve ?? []).map(parseResolveRule),
    middlewares: parseMiddlewares(values.middleware ?? [], () => '--middleware'),
    upstream: readUpstreamWord(values),
    status: values.status === undefined ? undefined : parseAddress(values.status, 'status'),
    workers: readWorkers(values.workers ?? '1'),
    drainMs: wholeNumber(values['drain-timeout'] ?? DRAIN_SECONDS, 'drain-timeout', 0, MAX_SECONDS) * 1000,
    events: values.events,
    logFormat: oneOf(values['log-format'] ?? 'text', 'log-format', LOG_FORMATS),
    tracing: {
      header: oneOf(values['trace-header'] ?? 'off', 'trace-header', TRACE_HEADERS),
      endpoint: values['otlp-endpoint'],
      headersFile: values['otlp-headers-file'],
    },
  };
}

/** `auto`: one for each core that this process may use. */
const readWorkers = (text: string): number =>
  text === 'auto'
    ? Math.min(availableParallelism(), MAX_WORKERS)
    : wholeNumber(text, 'workers', 1, MAX_WORKERS);

function readFiles({ policy, credentials, routes, tenants }: OptionValues): FilesWord {
  if (tenants !== undefined) return { kind: 'tenants', file: tenants };
  return policy === undefined ? { kind: 'none' } : { kind: 'policy', policy, credentials, routes };
}

/** With a controller and no policy it is the controller that says who is who, unless the operator names the one tenant. */
function readTenant(
  { tenant, listen }: OptionValues,
  files: FilesWord,
  control: ControlOptions,
): SandboxId | undefined {
  if (tenant !== undefined) return sandboxId(tenant);
  if (files.kind === 'tenants' || listen === undefined) return undefined;
  return files.kind === 'none' && control.where.length > 0 ? undefined : ID;
}

function readIdentity(identity: string | undefined): ProgramOptions['identity'] {
  if (identity === undefined) return 'absent';
  return oneOf(identity, 'identity', ['none']);
}

/** Where each text about a proxy stands. */
const PROXY_OPTIONS = {
  url: 'upstream-proxy',
  authFile: 'upstream-proxy-auth',
  noProxy: 'upstream-no-proxy',
} as const;

function readUpstreamWord(values: OptionValues): UpstreamWord {
  const written = (option: string): Written => ({ source: `--${option}`, directory: '.' });
  const { url, authFile, noProxy } = PROXY_OPTIONS;
  return {
    authorities: values['upstream-ca'] ?? [],
    clientCertificates: (values['client-certificate'] ?? []).map((text) =>
      parseClientCertificate(text, written('client-certificate')),
    ),
    proxy: parseUpstreamProxy(
      { url: values[url], authFile: values[authFile], noProxy: values[noProxy] },
      (text) => written(PROXY_OPTIONS[text]),
    ),
  };
}

function oneOf<const T extends string>(text: string, option: string, known: readonly T[]): T {
  const found = known.find((one) => one === text);
  if (found !== undefined) return found;
  throw usageError(`--${option} ${text} is not known`, `Write ${known.join(' or ')}.`);
}
