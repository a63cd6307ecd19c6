import { isatty } from 'node:tty';
import { configEvent, type EventSink, findingEvent, processEvent, RefusalReporter } from '@openshell/audit';
import { messageOf, OpenShellError, type SandboxId, sandboxId } from '@openshell/base';
import type { Policy } from '@openshell/policy';
import type { EvidenceSource, Tenant } from '@openshell/proxy';
import { ProcessRuntime, type Sandbox, type SandboxFile } from '@openshell/runtime';
import { authorityFiles, CA_BUNDLE, EXTRA_CA } from './authorities.ts';
import { type Egress, prepareEgress } from './egress.ts';
import { sandboxEnvironment } from './environment.ts';
import { openEvents } from './events.ts';
import { evidenceOf } from './evidence.ts';
import { EXIT_FAILED, EXIT_TIMEOUT, exitCodeOf, exitCodeOfFailure } from './exit-code.ts';
import { LEARNING_WARNING, Learning } from './learn.ts';
import { loadPolicy } from './load-policy.ts';
import { Messages } from './messages.ts';
import type { RunOptions } from './run-options.ts';
import { forwardSignals } from './signals.ts';
import { releaseStreams } from './streams.ts';

/** After --timeout's SIGTERM, how long the command may take to end by itself, in milliseconds. */
const TIMEOUT_GRACE_MS = 2000;
const SIGTERM = 15;

/** What a sandbox calls itself; programs look it up. */
const HOSTNAME = 'sandbox';

/** Names come from the proxy's DNS front and from nowhere else: what the host's own files say of names would hide them from policy. */
const nameFiles: readonly SandboxFile[] = [
  {
    path: '/etc/resolv.conf',
    content: Buffer.from(
      '# Answered by OpenShell: names that the policy could allow, and no others.\nnameserver 127.0.0.1\noptions timeout:2 attempts:2\n',
    ),
    mode: 0o444,
  },
  {
    path: '/etc/hosts',
    content: Buffer.from(`127.0.0.1 localhost ${HOSTNAME}\n::1 localhost ip6-localhost ip6-loopback\n`),
    mode: 0o444,
  },
];

/** Descriptors that are terminals get the sandbox's own terminal in their place; pipes and files are passed on as they are. */
const terminalDescriptors = (): (0 | 1 | 2)[] => ([0, 1, 2] as const).filter((fd) => isatty(fd));

/** Says who asked, and reports a program that is not what it was. */
const evidenceSource = (sandbox: Sandbox, id: SandboxId, sink: EventSink): EvidenceSource => ({
  async identify(flow) {
    const identity = await sandbox.identify(flow);
    if (identity.kind === 'unknown' && identity.code === 'binary_changed') {
      const title = 'Program changed while the sandbox ran';
      sink.write(
        findingEvent({
          sandbox: id,
          uid: 'binary-changed',
          title,
          description: identity.reason,
          action: 'denied',
          severity: 'high',
        }),
      );
    }
    return evidenceOf(identity);
  },
});

const startSandbox = (
  options: RunOptions,
  id: SandboxId,
  policy: Policy,
  egress: Egress,
  terminal: (0 | 1 | 2)[],
): Promise<Sandbox> => {
  const { filesystem, landlock } = policy;
  const { upstreamCa } = options.operator;
  const authorities = authorityFiles({ upstreamCa, proxyCa: egress.authority });
  return new ProcessRuntime().start({
    id,
    hostname: HOSTNAME,
    readOnly: filesystem.readOnly,
    readWrite: filesystem.readWrite,
    ...(filesystem.includeWorkdir ? { workdir: options.workdir } : {}),
    landlock: landlock.compatibility,
    user: {
      ...(policy.process.runAsUser ? { user: policy.process.runAsUser } : {}),
      ...(policy.process.runAsGroup ? { group: policy.process.runAsGroup } : {}),
    },
    files: [...nameFiles, ...authorities],
    command: {
      argv: options.command,
      env: (user) =>
        sandboxEnvironment({
          caller: process.env,
          given: options.env,
          placeholders: egress.first.environment,
          user,
          ...(authorities.length > 0 ? { caBundle: CA_BUNDLE, extraCa: EXTRA_CA } : {}),
        }),
      cwd: options.workdir,
      terminal,
      stdio: ['inherit', 'inherit', 'inherit'],
    },
  });
};

/** Ends the command when its time is up. `expired` tells whether that happened. */
class Deadline implements Disposable {
  expired = false;
  #timers: NodeJS.Timeout[] = [];

  constructor(seconds: number | undefined, sandbox: Sandbox) {
    if (seconds === undefined) return;
    const expire = (): void => {
      this.expired = true;
      sandbox.signal(SIGTERM, 'group');
      this.#timers.push(setTimeout(() => sandbox.kill(), TIMEOUT_GRACE_MS));
    };
    this.#timers.push(setTimeout(expire, seconds * 1000));
  }

  [Symbol.dispose](): void {
    for (const timer of this.#timers) clearTimeout(timer);
  }
}

const describe = (error: unknown): string =>
  error instanceof OpenShellError && error.remedy ? `${error.message}\n${error.remedy}` : messageOf(error);

/** Tells what this machine or policy could not give to the sandbox: on stderr what matters to the person, all of it as events. */
const reportNotes = (
  sandbox: Sandbox,
  id: SandboxId,
  sink: EventSink,
  options: RunOptions,
  messages: Messages,
): void => {
  for (const note of sandbox.notes) {
    if (note.feature === 'path' && !options.quiet)
      messages.write(`openshell: the policy lists ${note.detail}, which does not exist here; it is left out`);
    if (note.feature.startsWith('tproxy')) {
      const message = `capture is off for ${note.feature.endsWith('4') ? 'IPv4' : 'IPv6'} (${note.reason}): programs reach the network through the proxy variables only`;
      sink.write(configEvent({ sandbox: id, state: 'disabled', message, severity: 'low' }));
      continue;
    }
    sink.write(
      configEvent({
        sandbox: id,
        state: 'degraded',
        message: `${note.feature}: ${note.reason} ${note.detail}`.trim(),
        severity: 'low',
      }),
    );
  }
  if (sandbox.directory !== options.workdir && !options.quiet) {
    messages.write(
      `openshell: the policy does not show ${options.workdir}, so the command starts in ${sandbox.directory}. Set filesystem_policy.include_workdir to work there.`,
    );
  }
};

/** The sandbox, its proxy and its command, from the first `run` to the last byte. */
const superviseCommand = async (
  options: RunOptions,
  id: SandboxId,
  policy: Policy,
  sink: EventSink,
  messages: Messages,
  terminal: (0 | 1 | 2)[],
): Promise<number> => {
  const learning = options.learn === undefined ? undefined : new Learning(options.learn, options.policy);
  if (learning !== undefined) messages.write(LEARNING_WARNING);
  await using egress = await prepareEgress(options, policy, learning);
  for (const notice of options.quiet ? [] : egress.first.notices) messages.write(`openshell: ${notice}`);
  const refusals = new RefusalReporter({
    write: options.quiet ? () => {} : messages.write,
    color: messages.color,
  });
  await using sandbox = await startSandbox(options, id, policy, egress, terminal);
  releaseStreams(options.events?.kind === 'stdout');
  const stopForwarding = forwardSignals(sandbox);
  let tenant: Tenant | undefined;
  try {
    tenant = egress.proxy.addTenant({
      id,
      listeners: sandbox.listeners,
      evidence: evidenceSource(sandbox, id, sink),
      settings: egress.first.settings,
      events: (event) => sink.write(event),
      refusals: (refusal) => {
        learning?.refused(refusal);
        refusals.report(refusal);
      },
    });
    reportNotes(sandbox, id, sink, options, messages);
    const [name] = options.command;
    const pid = await sandbox.run();
    sink.write(processEvent({ sandbox: id, activity: 'launch', process: { name, pid } }));
    using deadline = new Deadline(options.timeoutSeconds, sandbox);
    const exit = await sandbox.wait();
    const code = deadline.expired ? EXIT_TIMEOUT : exitCodeOf(exit);
    if (exit.kind === 'lost' && !deadline.expired)
      messages.write('openshell: the sandbox was killed from outside');
    sink.write(processEvent({ sandbox: id, activity: 'terminate', process: { name, pid }, exitCode: code }));
    return code;
  } finally {
    stopForwarding();
    await tenant?.close();
    refusals.close();
    // Whatever the command came to: what it asked for until then is worth keeping.
    for (const line of learning?.finish(policy) ?? []) messages.write(`openshell: ${line}`);
  }
};

/**
 * `openshell run`: one command in one sandbox, supervised until nothing of it is left. Resolves to the exit code: the
 * command's, 128 + signal, 124 on timeout, 126 or 127 as a shell, 125 when OpenShell could not start it (the reason is on stderr).
 */
export const runSandbox = async (options: RunOptions): Promise<number> => {
  const terminal = terminalDescriptors();
  const messages = new Messages({
    rawTerminal: terminal.includes(0),
    noColor: Boolean(process.env.NO_COLOR),
  });
  // Tells sandboxes apart; nothing is kept secret by it.
  const id = sandboxId(
    Math.floor(Math.random() * 2 ** 32)
      .toString(16)
      .padStart(8, '0'),
  );
  try {
    const policy = loadPolicy(options.policy);
    const sink = await openEvents(options.events, (error) =>
      messages.write(`openshell: events are lost from here on: ${error.message}`),
    );
    try {
      return await superviseCommand(options, id, policy, sink, messages, terminal);
    } finally {
      await sink.close();
    }
  } catch (error) {
    messages.write(`openshell: ${describe(error)}`);
    return error instanceof OpenShellError ? exitCodeOfFailure(error) : EXIT_FAILED;
  }
};
