import { OpenShellError, type SandboxId, sandboxId } from '@openshell/base';
import {
  type ControllerHello,
  ControlRefusal,
  type ControlSession,
  connectProxy,
  PROTOCOL,
} from '@openshell/control';
import type { Arguments } from '../command/arguments.ts';
import type { Io } from '../io.ts';
import { parseSeconds } from '../run/seconds.ts';
import { controlTarget } from './target.ts';

const PATIENCE_SECONDS = 30;

/** Who comes to the proxy, and for how long. */
export interface Visit {
  readonly args: Arguments;
  readonly io: Io;
  readonly role: ControllerHello['role'];
  /** Absent: as `--timeout` says. */
  readonly seconds?: number | undefined;
}

/**
 * Runs something with a session, which ends with it.
 *
 * @throws OpenShellError: what `controlTarget` throws, and each `ControlRefusal`, with what to write instead.
 */
export const visit = async <Result>(
  { args, io, role, seconds = patienceOf(args) }: Visit,
  use: (session: ControlSession) => Promise<Result>,
): Promise<Result> => {
  const control = connectProxy(controlTarget(args, io.env));
  const late = AbortSignal.timeout(seconds * 1000);
  try {
    await using session = await control.connect(helloOf(role, args), { signal: late });
    return await use(session);
  } catch (thrown) {
    if (late.aborted && thrown instanceof ControlRefusal)
      throw new OpenShellError(`the proxy has not answered within ${seconds} s`, {
        code: 'unavailable',
        remedy: 'Try again, or give it more time with --timeout SECONDS.',
        cause: thrown,
      });
    throw withAdvice(thrown);
  }
};

/** What a command says of itself. */
export const helloOf = (role: ControllerHello['role'], args: Arguments): ControllerHello => ({
  name: 'proxyctl',
  protocol: PROTOCOL,
  role,
  takeOver: args.has('take-over'),
});

/** The tenant that a command is about: the one that is named, or the only one that there is. */
export const tenantOf = async (args: Arguments, session: ControlSession): Promise<SandboxId> => {
  const named = args.value('tenant');
  if (named !== undefined) return sandboxId(named);
  const { tenants } = await session.status();
  const [only, ...others] = tenants;
  if (only !== undefined && others.length === 0) return only.id;
  throw only === undefined
    ? new OpenShellError('the proxy has no tenant yet', {
        code: 'tenant_unknown',
        remedy: "'openshell proxyctl tenants add' says whom it serves.",
      })
    : new OpenShellError(`the proxy has ${tenants.length} tenants`, {
        code: 'usage',
        remedy: "Name one with --tenant ID; 'openshell proxyctl tenants list' lists them.",
      });
};

const patienceOf = (args: Arguments): number => {
  const text = args.value('timeout');
  return text === undefined ? PATIENCE_SECONDS : parseSeconds(text, '--timeout');
};

/** A proxy does not know our options. */
const withAdvice = (thrown: unknown): unknown => {
  if (!(thrown instanceof ControlRefusal)) return thrown;
  const remedy = remedyFor(thrown);
  const { message, code } = thrown;
  return remedy === undefined ? thrown : new OpenShellError(message, { code, remedy, cause: thrown });
};

const remedyFor = ({ code }: ControlRefusal): string | undefined => {
  switch (code) {
    case 'controlled_by_another':
      return 'Write --take-over to end its session and go on; it is told so, and the proxy keeps what is installed.';
    case 'unauthenticated':
      return 'Give what the proxy asks for: --control-cert and --control-key, or --token-file; at a Unix socket be its user, root, or one of its --control-uid.';
    case 'tenant_unknown':
      return "'openshell proxyctl tenants list' lists those that there are.";
    default:
      return undefined;
  }
};
