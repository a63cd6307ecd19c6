import { realpathSync, statSync } from 'node:fs';
import { isIP } from 'node:net';
import { resolve } from 'node:path';
import { OpenShellError, type SandboxId, sandboxId } from '@openshell/base';
import type { EnvironmentVariable, RunOptions } from '../run-options.ts';
import type { ProxyAddress } from './dial.ts';

export interface EdgeOptions
  extends Pick<RunOptions, 'command' | 'policy' | 'workdir' | 'env' | 'timeoutSeconds' | 'events' | 'quiet'> {
  readonly id: SandboxId;
  readonly proxy: ProxyAddress;
  /** Paths of PEM files. */
  readonly identity: { readonly ca: string; readonly cert: string; readonly key: string };
  /** PEM files of authorities that programs are to trust besides the usual ones. */
  readonly upstreamCa: readonly string[];
  /** How long the proxy may take to be ready. */
  readonly waitSeconds: number;
}

const DEFAULT_WAIT_SECONDS = 60;

/** As the proxy's tenants are called. */
const SANDBOX_ID = /^[A-Za-z0-9][A-Za-z0-9._:-]{0,127}$/;
const VARIABLE = /^[A-Za-z_][A-Za-z0-9_]*$/;

const ONCE = [
  'proxy',
  'proxy-ca',
  'proxy-cert',
  'proxy-key',
  'sandbox-id',
  'wait',
  'policy',
  'workdir',
  'timeout',
  'events',
] as const;
type Name = (typeof ONCE)[number];

/** Can be repeated. */
const MANY = ['env', 'upstream-ca'] as const;

/** @throws OpenShellError `usage`. */
const usage = (message: string): OpenShellError =>
  new OpenShellError(message, {
    code: 'usage',
    remedy: "'openshell-sandbox --proxy --help' shows all options.",
  });

interface Words {
  readonly values: ReadonlyMap<Name, string>;
  readonly lists: Readonly<Record<(typeof MANY)[number], readonly string[]>>;
  readonly quiet: boolean;
  readonly command: readonly string[];
}

/** Splits the words; undefined where help was asked for. */
function readWords(words: readonly string[]): Words | undefined {
  const values = new Map<Name, string>();
  const lists: Record<(typeof MANY)[number], string[]> = { env: [], 'upstream-ca': [] };
  let quiet = false;
  let at = 0;
  for (; at < words.length; at += 1) {
    const word = words[at]!;
    if (word === '--') {
      at += 1;
      break;
    }
    if (!word.startsWith('-') || word === '-') break;
    if (word === '--help' || word === '-h') return undefined;
    if (word === '--quiet' || word === '-q') {
      quiet = true;
      continue;
    }
    const [, name = '', inline] = /^--([^=]+)(?:=(.*))?$/s.exec(word) ?? [];
    const once = ONCE.find((known) => known === name);
    const many = MANY.find((known) => known === name);
    if (once === undefined && many === undefined) throw usage(`there is no option ${word.split('=', 1)[0]}`);
    // `--proxy --help` is a question too.
    if (inline === undefined && (words[at + 1] === '--help' || words[at + 1] === '-h')) return undefined;
    if (inline === undefined) at += 1;
    const value = inline ?? words[at];
    if (value === undefined || value === '') throw usage(`--${name} needs a value`);
    if (once === undefined) lists[many!].push(value);
    else if (values.has(once)) throw usage(`--${name} is given twice`);
    else values.set(once, value);
  }
  return { values, lists, quiet, command: words.slice(at) };
}

/**
 * What the command line asks for; undefined where it asks for help.
 * @throws OpenShellError `usage`.
 */
export function parseEdgeOptions(
  words: readonly string[],
  environment: Readonly<Record<string, string | undefined>>,
): EdgeOptions | undefined {
  const read = readWords(words);
  if (read === undefined) return undefined;
  const { values, quiet } = read;
  const [program, ...rest] = read.command;
  if (program === undefined) throw usage('there is no command to run');
  const required = (name: Name): string => {
    const value = values.get(name);
    if (value === undefined) throw usage(`--${name} is missing`);
    return value;
  };
  const [policy, timeout, events] = [values.get('policy'), values.get('timeout'), values.get('events')];
  return {
    proxy: readAddress(required('proxy')),
    identity: { ca: required('proxy-ca'), cert: required('proxy-cert'), key: required('proxy-key') },
    id: readId(required('sandbox-id')),
    waitSeconds: readSeconds('wait', values.get('wait')) ?? DEFAULT_WAIT_SECONDS,
    command: [program, ...rest],
    workdir: readDirectory(values.get('workdir') ?? '.'),
    env: readVariables(read.lists.env, environment),
    upstreamCa: read.lists['upstream-ca'],
    quiet,
    ...(policy !== undefined && { policy: { file: policy } }),
    ...(timeout !== undefined && { timeoutSeconds: readSeconds('timeout', timeout)! }),
    ...(events !== undefined && {
      events: events === '-' ? { kind: 'stdout' } : { kind: 'file', path: resolve(events) },
    }),
  };
}

function readAddress(text: string): ProxyAddress {
  const [, inBrackets, plain, digits] = /^(?:\[([^\]]+)\]|([^:[\]]+)):(\d{1,5})$/.exec(text) ?? [];
  const [host, port] = [inBrackets ?? plain ?? '', Number(digits)];
  const isHost = inBrackets === undefined ? /^[A-Za-z0-9._-]+$/.test(host) : isIP(host) === 6;
  if (!isHost || !(port >= 1 && port <= 65_535))
    throw usage(`--proxy ${text} is no HOST:PORT (an IPv6 address stands in brackets)`);
  return { host, port };
}

function readId(text: string): SandboxId {
  if (SANDBOX_ID.test(text)) return sandboxId(text);
  throw usage(`--sandbox-id ${text} is not made of letters, digits, dots, colons, dashes and underscores`);
}

function readSeconds(name: Name, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const seconds = /^\d+(?:\.\d+)?$/.test(text) ? Number(text) : 0;
  // What a timer of Node.js can wait: 24.8 days.
  if (seconds > 0 && seconds * 1000 < 2 ** 31) return seconds;
  throw usage(`--${name} ${text} is no number of seconds greater than 0`);
}

function readDirectory(path: string): string {
  try {
    if (statSync(path).isDirectory()) return realpathSync(path);
  } catch {
    // Said below: what is not there is no directory either.
  }
  throw usage(`--workdir ${path} is no directory`);
}

function readVariables(
  words: readonly string[],
  environment: Readonly<Record<string, string | undefined>>,
): EnvironmentVariable[] {
  const variables = new Map<string, string>();
  for (const word of words) {
    const at = word.indexOf('=');
    const name = at === -1 ? word : word.slice(0, at);
    // Its value is not in the message: it may be one that nobody should see.
    if (!VARIABLE.test(name))
      throw usage('--env needs NAME or NAME=VALUE, with a name of letters, digits and _');
    if (variables.has(name)) throw usage(`--env ${name} is given twice`);
    const value = at === -1 ? environment[name] : word.slice(at + 1);
    if (value === undefined) throw usage(`--env ${name}: ${name} is not set here`);
    variables.set(name, value);
  }
  return [...variables].map(([name, value]) => ({ name, value }));
}
