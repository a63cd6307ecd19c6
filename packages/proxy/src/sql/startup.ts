import { judgeSetting, shown } from './settings.ts';
import { ContentReader, cString } from './wire.ts';

/** The first packet of a connection (manual, section 55.7): it has a length and a code, but no type. */
export type FirstPacket =
  | { readonly kind: 'more' }
  | { readonly kind: 'tls-request'; readonly size: number }
  | { readonly kind: 'gss-request'; readonly size: number }
  | { readonly kind: 'cancel'; readonly key: Buffer; readonly bytes: Buffer }
  | {
      readonly kind: 'startup';
      readonly parameters: Parameters;
      readonly minor: number;
      readonly size: number;
    }
  | { readonly kind: 'malformed'; readonly reason: string };

export type Parameters = ReadonlyMap<string, string>;

/** `MAX_STARTUP_PACKET_LENGTH` of the server. */
const MAX_PACKET = 10_000;
const PROTOCOL = 3;
/** The newest that is understood here: 3.2 has longer keys for cancellation, and is else 3.0. */
const NEWEST_MINOR = 2;
const CANCEL = 80_877_102;
const TLS = 80_877_103;
const GSS = 80_877_104;
/** Process id and secret: 4 bytes in 3.0, up to 256 in 3.2. */
const MAX_KEY = 4 + 256;

export const TLS_REQUEST: Buffer = Buffer.from([0, 0, 0, 8, 4, 210, 22, 47]);

export function readFirstPacket(bytes: Buffer): FirstPacket {
  if (bytes.length < 4) return { kind: 'more' };
  const length = bytes.readUInt32BE();
  if (length < 8 || length > MAX_PACKET) return malformed('it does not begin as PostgreSQL clients do');
  if (bytes.length < length) return { kind: 'more' };
  const packet = bytes.subarray(0, length);
  const code = packet.readUInt32BE(4);
  if (code === CANCEL) {
    const key = packet.subarray(8);
    return key.length >= 8 && key.length <= MAX_KEY
      ? { kind: 'cancel', key, bytes: packet }
      : malformed('its cancellation has an impossible length');
  }
  if (code === TLS || code === GSS) {
    if (length !== 8) return malformed('its request for encryption has an impossible length');
    return { kind: code === TLS ? 'tls-request' : 'gss-request', size: length };
  }
  return startup(packet, code);
}

function startup(packet: Buffer, code: number): FirstPacket {
  const minor = code & 0xffff;
  if (code >>> 16 !== PROTOCOL || minor > NEWEST_MINOR) {
    return malformed(
      `protocol ${code >>> 16}.${minor} is not understood; 3.0 to ${PROTOCOL}.${NEWEST_MINOR} are`,
    );
  }
  const content = new ContentReader(packet, 8);
  const parameters = new Map<string, string>();
  for (;;) {
    const name = decode(content.string());
    if (name === '') break;
    const value = decode(content.string());
    if (name === undefined || value === undefined || parameters.has(name))
      return malformed('its start-up packet is malformed');
    parameters.set(name, value);
  }
  if (!content.complete) return malformed('its start-up packet is malformed');
  return { kind: 'startup', parameters, minor, size: packet.length };
}

const malformed = (reason: string): FirstPacket => ({ kind: 'malformed', reason });
const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
const decode = (bytes: Buffer): string | undefined => {
  try {
    return utf8.decode(bytes);
  } catch {
    return undefined;
  }
};

export interface StartupRules {
  readonly readOnly: boolean;
  readonly tableRules: boolean;
}

export type StartupVerdict =
  | { readonly kind: 'ok'; readonly parameters: Parameters }
  | { readonly kind: 'refused'; readonly reason: string; readonly remedy: string };

/** What the server is asked to start with, or why it is not asked at all. */
export function judgeStartup(parameters: Parameters, rules: StartupRules): StartupVerdict {
  const result = new Map<string, string>();
  for (const [name, value] of parameters) {
    const refusal = judgeParameter(name, value, rules);
    if (refusal !== undefined) return refusal;
    if (name.toLowerCase() !== 'replication') result.set(name, value);
  }
  if (!result.get('user'))
    return refused('its start-up packet names no user', 'Name the user to connect as.');
  if (rules.readOnly) {
    for (const name of result.keys()) if (name.toLowerCase() === READ_ONLY) result.delete(name);
    result.set(READ_ONLY, 'on');
  }
  return { kind: 'ok', parameters: result };
}

const READ_ONLY = 'default_transaction_read_only';
const OFF = new Set(['false', 'off', 'no', '0']);

function judgeParameter(name: string, value: string, rules: StartupRules): StartupVerdict | undefined {
  if (name === 'user' || name === 'database') return undefined;
  const lower = name.toLowerCase();
  if (lower === 'replication') {
    if (OFF.has(value.toLowerCase())) return undefined;
    return refused(
      'a replication connection is not inspected statement by statement',
      'Connect without replication.',
    );
  }
  if (name.startsWith('_pq_.')) {
    return refused(
      `the protocol extension ${shown(name)} is not understood`,
      'Connect without the extension.',
    );
  }
  if (lower !== 'options') return judge(name, value, rules);
  const settings = readOptions(value);
  if (settings === undefined) {
    return refused('its options are not only settings', 'Use only "-c name=value" in options.');
  }
  for (const [option, setting] of settings) {
    const refusal = judge(option, setting, rules);
    if (refusal !== undefined) return refusal;
  }
  return undefined;
}

function judge(
  name: string,
  value: string,
  { readOnly, tableRules }: StartupRules,
): StartupVerdict | undefined {
  const verdict = judgeSetting({ name, value }, tableRules);
  const remedy = `Connect without ${shown(name)}.`;
  if (verdict.kind === 'malformed')
    return refused(`the setting ${shown(name)} is refused: ${verdict.reason}`, remedy);
  if (verdict.effect === 'other')
    return refused(`the setting ${shown(name)} may not be given at the start`, remedy);
  if (verdict.effect === 'write' && readOnly)
    return refused(`${shown(name)} asks to write where only reading is allowed`, remedy);
  return undefined;
}

const refused = (reason: string, remedy: string): StartupVerdict => ({ kind: 'refused', reason, remedy });

/** `-c name=value`, `-cname=value` and `--name=value`, as the server splits them: at spaces, a backslash escapes. Undefined: there is more. */
function readOptions(text: string): [string, string][] | undefined {
  const words = [...text.matchAll(/(?:\\.|[^\\ \t\n\r\f\v])+/gs)].map(([word]) =>
    word.replace(/\\(.)/gs, '$1'),
  );
  if (/(?<!\\)(?:\\\\)*\\$/.test(text)) return undefined;
  const settings: [string, string][] = [];
  for (let i = 0; i < words.length; i++) {
    const word = words[i]!;
    const setting =
      word === '-c' ? words[++i] : word.startsWith('-c') || word.startsWith('--') ? word.slice(2) : undefined;
    const [, name, value] = /^([^=]+)=(.*)$/s.exec(setting ?? '') ?? [];
    if (name === undefined || value === undefined) return undefined;
    settings.push([name.replaceAll('-', '_'), value]);
  }
  return settings;
}

/** A start-up packet. */
export function startupPacket(parameters: Parameters, minor: number): Buffer {
  const content = [...parameters].flatMap(([name, value]) => [cString(name), cString(value)]);
  const size = content.reduce((sum, part) => sum + part.length, 9);
  const head = Buffer.alloc(8);
  head.writeUInt32BE(size);
  head.writeUInt16BE(PROTOCOL, 4);
  head.writeUInt16BE(minor, 6);
  return Buffer.concat([head, ...content, Buffer.from([0])]);
}
