import { type Address, parseAddress } from './address.ts';
import type { OptionValues } from './table.ts';
import { usageError } from './usage-error.ts';

/** PEM files of a server that asks its clients for certificates. */
export interface MutualTlsFiles {
  readonly certificate: string;
  readonly key: string;
  readonly clientCa: string;
}

/** Where controllers connect. */
export type ControlWord =
  | { readonly kind: 'unix'; readonly path: string; readonly uids: readonly number[] }
  | ({ readonly kind: 'tcp'; readonly tls: MutualTlsFiles; readonly clients: readonly string[] } & Address);

/** Controllers, and what they may do. */
export interface ControlOptions {
  readonly where: readonly ControlWord[];
  readonly tokenFile: string | undefined;
  /** `host`: what they push may name files, commands and variables of this machine. */
  readonly sources: 'host' | 'pushed';
}

/** Nodes with sandboxes on other machines. */
export type LinkOptions = Address & { readonly tls: MutualTlsFiles };

const MAX_UID = 0xffff_fffe;

/** Throws `usage`. */
export function readControl(values: OptionValues): ControlOptions {
  const texts = values.control ?? [];
  const unix = texts.some(isUnix);
  const tcp = texts.some((text) => !isUnix(text));
  if (values['control-uid'] !== undefined && !unix)
    throw usageError('--control-uid means nothing without --control unix:PATH', 'Remove it.');
  if (values['control-cert'] !== undefined && !tcp)
    throw usageError('--control-cert means nothing without --control HOST:PORT', 'Remove it.');
  return {
    where: texts.map((text) => readWord(text, values)),
    tokenFile: values['control-token-file'],
    sources: values['control-host-sources'] === true ? 'host' : 'pushed',
  };
}

/** Throws `usage`. */
export function readLink(values: OptionValues): LinkOptions | undefined {
  if (values.link === undefined) return undefined;
  const { 'link-cert': certificate = '', 'link-key': key = '', 'link-client-ca': clientCa = '' } = values;
  return { ...parseAddress(values.link, 'link'), tls: { certificate, key, clientCa } };
}

const isUnix = (text: string): boolean => text.startsWith('unix:');

function readWord(text: string, values: OptionValues): ControlWord {
  if (isUnix(text)) {
    const path = text.slice('unix:'.length);
    if (path === '') throw usageError(`--control ${text}: there is no path`, 'Write unix:PATH.');
    return { kind: 'unix', path, uids: (values['control-uid'] ?? []).map(readUid) };
  }
  const { 'control-cert': certificate, 'control-key': key, 'control-client-ca': clientCa } = values;
  const address = parseAddress(text, 'control');
  if (certificate === undefined || key === undefined || clientCa === undefined)
    throw usageError(
      `--control ${text} needs --control-cert, --control-key and --control-client-ca`,
      'Whoever controls a proxy decides what leaves the machine, so both sides show certificates. On one machine --control unix:PATH needs none.',
    );
  return {
    kind: 'tcp',
    ...address,
    tls: { certificate, key, clientCa },
    clients: values['control-client'] ?? [],
  };
}

function readUid(text: string): number {
  const uid = Number(text);
  if (/^[0-9]{1,10}$/.test(text) && uid <= MAX_UID) return uid;
  throw usageError(`--control-uid ${text}: not the number of a user`, 'Write for example 1000 (id -u NAME).');
}
