import { isatty } from 'node:tty';
import {
  configEvent,
  type EventSink,
  findingEvent,
  processEvent,
  type Refusal,
  RefusalReporter,
  type SecurityEvent,
} from '@openshell/audit';
import { messageOf, OpenShellError, type SandboxId } from '@openshell/base';
import type { Evidence, Policy } from '@openshell/policy';
import {
  type Flow,
  ProcessRuntime,
  type Sandbox,
  type SandboxFile,
  type SandboxListeners,
} from '@openshell/runtime';
import { authorityFiles, CA_BUNDLE, EXTRA_CA } from './authorities.ts';
import { Deadline } from './deadline.ts';
import { sandboxEnvironment } from './environment.ts';
import { evidenceOf } from './evidence.ts';
import { EXIT_FAILED, EXIT_TIMEOUT, exitCodeOf, exitCodeOfFailure } from './exit-code.ts';
import { Messages } from './messages.ts';
import type { RunOptions } from './run-options.ts';
import { forwardSignals } from './signals.ts';
import { releaseStreams } from './streams.ts';

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

/** A sandbox that is about to run, as whoever lets it out sees it. */
export interface ServedSandbox {
  readonly id: SandboxId;
  /** Whoever serves them owns them. */
  readonly listeners: SandboxListeners;
  readonly evidence: { identify(flow: Flow): Promise<Evidence> };
  readonly events: (event: SecurityEvent) => void;
  /** For the person. */
  readonly refusals: (refusal: Refusal) => void;
}

/** How a sandbox gets out: by a proxy in this process, or by one elsewhere. */
export interface WayOut {
  /** What programs have to trust (PEM). Undefined where nothing is ever opened. */
  readonly authority: string | undefined;
  /** What stands for credentials, by variable. */
  readonly placeholders: Readonly<Record<string, string>>;
  /** Serves the sandbox from this moment on, until it is closed. */
  serve(sandbox: ServedSandbox): { close(): Promise<void> };
}

export interface SupervisedCommand
  extends Pick<RunOptions, 'command' | 'workdir' | 'env' | 'timeoutSeconds' | 'events' | 'quiet'> {
  readonly id: SandboxId;
  /** With the baseline paths of this machine. */
  readonly policy: Policy;
  /** PEM files of the operator's. */
  readonly upstreamCa: readonly string[];
}

/** What a run has before there is a sandbox. */
export interface RunContext {
  readonly messages: Messages;
  /** Descriptors that are terminals get the sandbox's own terminal in their place; pipes and files are passed on as they are. */
  readonly terminal: (0 | 1 | 2)[];
}

/** One run of the program: what goes wrong is said on stderr. Resolves to the exit code. */
export const reportingFailures = async (run: (context: RunContext) => Promise<number>): Promise<number> => {
  const terminal = ([0, 1, 2] as const).filter((fd) => isatty(fd));
  const messages = new Messages({
    rawTerminal: terminal.includes(0),
    noColor: Boolean(process.env.NO_COLOR),
  });
  try {
    return await run({ messages, terminal });
  } catch (error) {
    messages.write(`openshell: ${describe(error)}`);
    return error instanceof OpenShellError ? exitCodeOfFailure(error) : EXIT_FAILED;
  }
};

const describe = (error: unknown): string =>
  error instanceof OpenShellError && error.remedy ? `${error.message}\n${error.remedy}` : messageOf(error);

/** Says who asked, and reports a program that is not what it was. */
const evidenceSource = (sandbox: Sandbox, id: SandboxId, sink: EventSink): ServedSandbox['evidence'] => ({
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
  run: SupervisedCommand,
  { authority, placeholders }: WayOut,
  terminal: RunContext['terminal'],
): Promise<Sandbox> => {
  const { filesystem, landlock, process: identity } = run.policy;
  const authorities = authorityFiles({ upstreamCa: run.upstreamCa, proxyCa: authority });
  return new ProcessRuntime().start({
    id: run.id,
    hostname: HOSTNAME,
    readOnly: filesystem.readOnly,
    readWrite: filesystem.readWrite,
    ...(filesystem.includeWorkdir ? { workdir: run.workdir } : {}),
    landlock: landlock.compatibility,
    user: {
      ...(identity.runAsUser ? { user: identity.runAsUser } : {}),
      ...(identity.runAsGroup ? { group: identity.runAsGroup } : {}),
    },
    files: [...nameFiles, ...authorities],
    command: {
      argv: run.command,
      env: (user) =>
        sandboxEnvironment({
          caller: process.env,
          given: run.env,
          placeholders,
          user,
          ...(authorities.length > 0 ? { caBundle: CA_BUNDLE, extraCa: EXTRA_CA } : {}),
        }),
      cwd: run.workdir,
      terminal,
      stdio: ['inherit', 'inherit', 'inherit'],
    },
  });
};

/** Tells what this machine or policy could not give to the sandbox: on stderr what matters to the person, all of it as events. */
const reportNotes = (
  sandbox: Sandbox,
  { id, workdir, quiet }: SupervisedCommand,
  sink: EventSink,
  messages: Messages,
): void => {
  for (const note of sandbox.notes) {
    if (note.feature === 'path' && !quiet)
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
  if (sandbox.directory !== workdir && !quiet) {
    messages.write(
      `openshell: the policy does not show ${workdir}, so the command starts in ${sandbox.directory}. Set filesystem_policy.include_workdir to work there.`,
    );
  }
};

/** One command in one sandbox, from its boundary to its last byte. Resolves to the exit code when nothing of it is left. */
export const superviseCommand = async (
  run: SupervisedCommand,
  wayOut: WayOut,
  sink: EventSink,
  { messages, terminal }: RunContext,
): Promise<number> => {
  const { id } = run;
  const refusals = new RefusalReporter({
    write: run.quiet ? () => {} : messages.write,
    color: messages.color,
  });
  await using sandbox = await startSandbox(run, wayOut, terminal);
  releaseStreams(run.events?.kind === 'stdout');
  const stopForwarding = forwardSignals(sandbox);
  let served: { close(): Promise<void> } | undefined;
  try {
    served = wayOut.serve({
      id,
      listeners: sandbox.listeners,
      evidence: evidenceSource(sandbox, id, sink),
      events: (event) => sink.write(event),
      refusals: (refusal) => refusals.report(refusal),
    });
    reportNotes(sandbox, run, sink, messages);
    const [name] = run.command;
    const pid = await sandbox.run();
    sink.write(processEvent({ sandbox: id, activity: 'launch', process: { name, pid } }));
    using deadline = new Deadline(run.timeoutSeconds, sandbox);
    const exit = await sandbox.wait();
    const code = deadline.expired ? EXIT_TIMEOUT : exitCodeOf(exit);
    if (exit.kind === 'lost' && !deadline.expired)
      messages.write('openshell: the sandbox was killed from outside');
    sink.write(processEvent({ sandbox: id, activity: 'terminate', process: { name, pid }, exitCode: code }));
    return code;
  } finally {
    stopForwarding();
    await served?.close();
    refusals.close();
  }
};
