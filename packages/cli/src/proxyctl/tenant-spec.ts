import { createHash } from 'node:crypto';
import { sandboxId } from '@openshell/base';
import type { Recognition, TenantLimits, TenantSpec } from '@openshell/control';
import type { Arguments } from '../command/arguments.ts';
import { usageError } from '../command/usage-error.ts';
import { readPolicyText } from '../policy/read-policy.ts';
import { oneOf, portOf, wholeNumber } from './values.ts';

/**
 * What `tenants add` was told. The proxy judges ids, addresses and names itself.
 *
 * @throws OpenShellError with code `usage`, or `unreadable` for a file with a password.
 */
export const tenantSpec = (args: Arguments): TenantSpec => {
  const recognitions = recognitionsOf(args);
  if (recognitions.length === 0)
    throw usageError(
      'nothing says how the tenant is recognised',
      'Give --listen ADDRESS:PORT, --user NAME with --password-file FILE, --source CIDR or --certificate NAME.',
    );
  const identity = args.value('identity');
  if (identity !== undefined) oneOf(identity, '--identity', ['none']);
  return {
    id: sandboxId(args.operands[0]!),
    recognitions,
    identity: identity === undefined ? 'required' : 'not-required',
    limits: limitsOf(args),
  };
};

const recognitionsOf = (args: Arguments): readonly Recognition[] => [
  ...args.values('listen').map(listener),
  ...credentials(args.values('user'), args.values('password-file')),
  ...args.values('source').map((network) => ({ kind: 'source', network }) as const),
  ...args.values('certificate').map((name) => ({ kind: 'certificate', name }) as const),
];

const ADDRESS = /^(?:\[([^\]]+)\]|([^:]*)):([0-9]+)$/;

const listener = (text: string): Recognition => {
  const [, inBrackets, plain, digits] = ADDRESS.exec(text) ?? [];
  if (digits === undefined)
    throw usageError(
      `--listen: '${text}' is not ADDRESS:PORT`,
      'Write for example 127.0.0.1:3129, [::1]:3129, or :3129 for every address.',
    );
  return { kind: 'listener', host: inBrackets ?? (plain || '::'), port: portOf(digits, 'listen', 0) };
};

const credentials = (users: readonly string[], files: readonly string[]): readonly Recognition[] => {
  if (users.length !== files.length)
    throw usageError(
      `there are ${users.length} --user and ${files.length} --password-file`,
      'Each user has a file with a password, in the same order.',
    );
  return users.map((username, index) => ({
    kind: 'credentials',
    username,
    passwordSha256: passwordHash(files[index]!),
  }));
};

const passwordHash = (path: string): string => {
  const { file, text } = readPolicyText(path);
  const password = text.replace(/\r?\n$/, '');
  if (password === '') throw usageError(`--password-file: ${file} is empty`);
  return createHash('sha256').update(password).digest('hex');
};

const limitsOf = (args: Arguments): TenantLimits => ({
  connections: limit(args, 'max-connections'),
  heldBytes: limit(args, 'max-held-bytes'),
  eventsPerSecond: limit(args, 'max-events-per-second'),
});

const limit = (args: Arguments, option: string): number | undefined => {
  const text = args.value(option);
  return text === undefined
    ? undefined
    : wholeNumber(text, option, { least: 1, most: Number.MAX_SAFE_INTEGER });
};
