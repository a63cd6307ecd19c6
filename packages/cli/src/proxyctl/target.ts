import { resolve } from 'node:path';
import { type ControlTarget, parseControlTarget } from '@openshell/control';
import type { Arguments } from '../command/arguments.ts';
import { usageError } from '../command/usage-error.ts';
import { readPolicyText } from '../policy/read-policy.ts';

const VARIABLE = 'OPENSHELL_PROXY_CONTROL';
const TLS_OPTIONS = ['control-ca', 'control-cert', 'control-key'] as const;

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * The proxy that the command line or the environment names, with what it has to be shown.
 *
 * @throws OpenShellError with code `usage`, `request_invalid`, or `unreadable` for a file.
 */
export const controlTarget = (args: Arguments, env: Environment): ControlTarget => {
  const address = parseControlTarget(absolute(where(args, env)));
  const token = readToken(args.value('token-file'));
  if (address.kind === 'unix') {
    const alien = TLS_OPTIONS.find((option) => args.has(option));
    if (alien !== undefined)
      throw usageError(
        `--${alien} means nothing for unix:${address.path}`,
        'Certificates are for HOST:PORT.',
      );
    return { ...address, token };
  }
  const [ca, certificate, key] = TLS_OPTIONS.map((option) => readFile(args.value(option)));
  if ((certificate === undefined) !== (key === undefined))
    throw usageError('--control-cert and --control-key go together', 'Give both, or neither.');
  return { ...address, tls: { ca, certificate, key }, token };
};

const where = (args: Arguments, env: Environment): string => {
  const text = args.value('control') ?? env[VARIABLE];
  if (text) return text;
  throw usageError(
    'which proxy? Nothing says where it is controlled',
    `Write --control unix:PATH or --control HOST:PORT as openshell-proxy was given it, or set ${VARIABLE}.`,
  );
};

/** A path of a socket may be relative here, as that of any other file. */
const absolute = (text: string): string =>
  text.startsWith('unix:') && text.length > 5 ? `unix:${resolve(text.slice(5))}` : text;

const readFile = (path: string | undefined): string | undefined =>
  path === undefined ? undefined : readPolicyText(path).text;

const readToken = (path: string | undefined): string | undefined => {
  const token = readFile(path)?.trim();
  // A header can carry nothing else (RFC 6750 section 2.1). The token itself is not repeated.
  if (token === undefined || /^[\x21-\x7e]+$/.test(token)) return token;
  throw usageError(`--token-file: what stands in ${path} is no token`, 'It is one word, alone in its file.');
};
