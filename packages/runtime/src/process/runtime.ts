import type { Socket as DatagramSocket } from 'node:dgram';
import { createServer, type Server } from 'node:net';
import { OpenShellError } from '@openshell/base';
import { type FilesPlan, planFiles } from '../files/plan.ts';
import { HashCache } from '../identity/hash-cache.ts';
import { IdentityResolver } from '../identity/resolver.ts';
import { type LandlockCompatibility, landlockPlan, landlockRequirement } from '../landlock/index.ts';
import { sandboxNetwork } from '../network/index.ts';
import { buildSeccompProgram, seccompArchitecture } from '../seccomp/index.ts';
import { encodeSpec } from '../spec/encode.ts';
import type { LandlockItem, ListenerItem } from '../spec/spec.ts';
import { launcherPath } from './launcher-binary.ts';
import {
  errnoName,
  type LauncherEvent,
  LauncherProcess,
  launcherError,
  type ReceivedHandle,
  type StdioTarget,
} from './launcher-process.ts';
import { workloadLimits } from './limits.ts';
import { Sandbox, type SandboxExit, type SandboxNote } from './sandbox.ts';
import { planUserForRoot, planUserForUser, type RequestedUser, type UserPlan } from './user.ts';

/** Where the sandbox reaches the proxy from inside. */
export const PROXY_PORT = 3128;
/** Where captured connections arrive. */
export const CAPTURE_PORT = 15001;
const DNS_PORT = 53;

/** The workload's home: private, empty, gone with the sandbox. */
export const SANDBOX_HOME = '/home/sandbox';

export interface SandboxFile {
  readonly path: string;
  readonly content: Uint8Array;
  readonly mode: number;
}

export interface SandboxCommand {
  readonly argv: readonly [string, ...string[]];
  /** Made for the name of the user that the command runs as. */
  readonly env: (user: string) => Readonly<Record<string, string>>;
  /** Absolute, as seen inside. */
  readonly cwd: string;
  /** Which of its descriptors 0 to 2 are the sandbox's own terminal. */
  readonly terminal: readonly (0 | 1 | 2)[];
  readonly stdio: readonly [StdioTarget, StdioTarget, StdioTarget];
}

export interface SandboxSpec {
  readonly id: string;
  readonly hostname: string;
  readonly readOnly: readonly string[];
  readonly readWrite: readonly string[];
  /** A directory of the host that is shown and writable. */
  readonly workdir?: string;
  readonly landlock: LandlockCompatibility;
  readonly user: RequestedUser;
  /** Files of ours, e.g. `/etc/resolv.conf`. */
  readonly files: readonly SandboxFile[];
  /** Absent: the sandbox starts with its init alone. */
  readonly command?: SandboxCommand;
}

const NETWORK = sandboxNetwork(CAPTURE_PORT);

/** What composes runtime and proxy may ask of a kind before using it. */
export interface RuntimeCapabilities {
  readonly binaryIdentity: boolean;
  readonly transparentCapture: boolean;
  readonly pty: boolean;
  readonly snapshots: boolean;
}

const loopback4 = Uint8Array.of(127, 0, 0, 1);
const any4 = new Uint8Array(4);
const any6 = new Uint8Array(16);

const LISTENERS: readonly ListenerItem[] = [
  { name: 'connect', transport: 'tcp', address: loopback4, port: PROXY_PORT },
  { name: 'capture4', transport: 'tcp', address: any4, port: CAPTURE_PORT, transparent: true },
  { name: 'capture6', transport: 'tcp', address: any6, port: CAPTURE_PORT, transparent: true },
  { name: 'dnsudp', transport: 'udp', address: loopback4, port: DNS_PORT },
  { name: 'dnstcp', transport: 'tcp', address: loopback4, port: DNS_PORT },
];

const planUser = (spec: SandboxSpec): UserPlan => {
  const uid = process.geteuid?.() ?? 0;
  return uid === 0
    ? planUserForRoot(spec.user, SANDBOX_HOME)
    : planUserForUser(uid, process.getegid?.() ?? 0);
};

const planLandlock = (files: FilesPlan, abi: number): LandlockItem | undefined => {
  const plan = landlockPlan({ abi, paths: files.allowed });
  return plan.attributeSize === 0 ? undefined : plan;
};

/** What this kernel's Landlock lacks, as notes. @throws OpenShellError `landlock_missing`. */
const landlockNotes = (abi: number, compatibility: LandlockCompatibility): SandboxNote[] =>
  landlockRequirement(abi, compatibility).missing.map(({ kernel, consequence }) => ({
    feature: 'landlock',
    reason: `needs Linux ${kernel}`,
    detail: consequence,
  }));

/** Connections that wait to be accepted; with Node's 511 a burst would cost its clients a second each (SYN sent again). */
const BACKLOG = 4096;

/** A listening server around a raw handle. Accepted sockets wait, half-open, until the proxy takes them. */
const serve = (handle: object): Server => {
  const server = createServer({ allowHalfOpen: true, pauseOnConnect: true, noDelay: true });
  server.listen(handle, BACKLOG);
  return server;
};

/** Everything that one start needs, computed but for what the kernel has to say first. */
interface Launch {
  readonly id: string;
  readonly spec: SandboxSpec;
  readonly files: FilesPlan;
  /** Where the command starts. */
  readonly directory: string;
  readonly encode: (landlockAbi: number) => Buffer;
}

/** The runtime kind `process`. One object serves any number of sandboxes. */
export class ProcessRuntime {
  readonly kind = 'process';
  readonly capabilities: RuntimeCapabilities = {
    binaryIdentity: true,
    transparentCapture: true,
    pty: true,
    snapshots: false,
  };
  readonly #hashes = new HashCache();
  /** The same for every sandbox, and 2 ms of work. */
  readonly #seccomp = buildSeccompProgram({ arch: seccompArchitecture(process.arch) });
  /** Said by the first launcher; the kernel does not change while we run. */
  #landlockAbi: number | undefined;

  /**
   * Builds a sandbox around `spec.command` and returns when its boundary stands and its listeners are open.
   * The command starts with `run()`.
   * @throws OpenShellError `launcher_missing`, `launch_failed` (the message names the step),  `writable_root`, `landlock_missing`.
   */
  start(spec: SandboxSpec): Promise<Sandbox> {
    const { id } = spec;
    const { user, passwd, group } = planUser(spec);
    const mapOwners = process.geteuid?.() === 0;
    const files = planFiles({
      readOnly: spec.readOnly,
      readWrite: spec.readWrite,
      ...(spec.workdir === undefined ? {} : { workdir: spec.workdir }),
      home: SANDBOX_HOME,
      files: [
        ...spec.files,
        ...(passwd ? [{ path: '/etc/passwd', content: passwd, mode: 0o444 }] : []),
        ...(group ? [{ path: '/etc/group', content: group, mode: 0o444 }] : []),
      ],
      uid: user.uid,
      gid: user.gid,
      mapOwners,
    });
    const wanted = spec.command?.cwd ?? '/';
    const directory = files.visible(wanted) ? wanted : '/';
    const encode = (abi: number): Buffer => {
      const landlock = planLandlock(files, abi);
      const { command } = spec;
      return encodeSpec({
        ...(mapOwners
          ? {}
          : { userNamespace: { uidMap: `${user.uid} ${user.uid} 1`, gidMap: `${user.gid} ${user.gid} 1` } }),
        uid: user.uid,
        gid: user.gid,
        groups: [],
        hostname: spec.hostname,
        base: '/tmp',
        idmaps: files.idmaps,
        mounts: files.mounts,
        listeners: LISTENERS,
        netlinks: NETWORK,
        rlimits: workloadLimits(),
        ...(landlock ? { landlock } : {}),
        seccomp: this.#seccomp,
        ...(command
          ? {
              command: {
                argv: command.argv,
                env: Object.entries(command.env(user.name)).map(([name, value]) => `${name}=${value}`),
                cwd: directory,
                terminal: command.terminal,
              },
            }
          : {}),
      });
    };
    return this.#launch({ id, spec, files, directory, encode });
  }

  #launch({ id, spec, files, directory, encode }: Launch): Promise<Sandbox> {
    const built = Promise.withResolvers<Sandbox>();
    const started = Promise.withResolvers<number>();
    const ended = Promise.withResolvers<SandboxExit>();
    started.promise.catch(() => {}); // whoever runs the command hears of it; before that, `built` tells
    const handles = new Map<string, object>();
    const notes: SandboxNote[] = [];
    let exit: SandboxExit = { kind: 'lost' };
    let ready: Extract<LauncherEvent, { kind: 'ready' }> | undefined;

    const complete = (): void => {
      if (!ready || handles.size < ready.listeners) return;
      const server = (name: string): Server[] => {
        const handle = handles.get(name);
        return handle ? [serve(handle)] : [];
      };
      const udp = handles.get('dnsudp');
      built.resolve(
        new Sandbox({
          id,
          launcher,
          initPid: ready.initPid,
          listeners: {
            connect: server('connect'),
            capture: [...server('capture4'), ...server('capture6')],
            dns: { udp: udp ? [udp as DatagramSocket] : [], tcp: server('dnstcp') },
          },
          identities: new IdentityResolver({
            hashes: this.#hashes,
            procPath: `/proc/${launcher.pid}/fd/${ready.procFd}`,
            writable: files.writable,
          }),
          started: started.promise,
          ended: ended.promise,
          directory,
          notes: [
            ...notes,
            ...files.missing.map((detail) => ({ feature: 'path', reason: 'missing', detail })),
          ],
        }),
      );
    };

    const onEvent = (event: LauncherEvent): void => {
      switch (event.kind) {
        case 'hello':
          if (this.#landlockAbi !== undefined) return;
          this.#landlockAbi = event.landlockAbi;
          sendSpec(event.landlockAbi);
          return;
        case 'ready':
          ready = event;
          complete();
          return;
        case 'started':
          started.resolve(event.pid);
          return;
        case 'note':
          notes.push({ feature: event.step, reason: errnoName(event.errno), detail: event.detail });
          return;
        case 'failed': {
          const error = launchFailure(event, spec.command?.argv[0]);
          built.reject(error);
          started.reject(error);
          return;
        }
        case 'exit':
          exit = event.signal ? { kind: 'signal', signal: event.signal } : { kind: 'code', code: event.code };
          return;
        case 'lost':
          exit = { kind: 'lost' };
          return;
        default:
          event satisfies never;
      }
    };
    const sendSpec = (abi: number): void => {
      try {
        notes.push(...landlockNotes(abi, spec.landlock));
        launcher.send(encode(abi));
      } catch (error) {
        built.reject(error);
        launcher.destroy();
      }
    };
    const onClose = (): void => {
      const gone = new OpenShellError('the launcher ended before the sandbox was ready', {
        code: 'launch_failed',
        remedy: "Run 'openshell doctor' to see what this machine supports.",
      });
      built.reject(gone);
      started.reject(gone);
      ended.resolve(exit);
    };
    const launcher = new LauncherProcess(
      launcherPath(),
      spec.command?.stdio ?? ['ignore', 'ignore', 'ignore'],
      {
        onEvent,
        onHandle: ({ name, handle }: ReceivedHandle) => {
          handles.set(name, handle);
          complete();
        },
        onClose,
      },
    );
    if (this.#landlockAbi !== undefined) sendSpec(this.#landlockAbi);
    return built.promise;
  }
}

/** A command that cannot be executed is told apart from a boundary that cannot be built, as a shell does: 127 and 126. */
const launchFailure = (event: Extract<LauncherEvent, { kind: 'failed' }>, command = ''): OpenShellError => {
  if (event.step !== 'exec') return launcherError(event);
  const ENOENT = 2;
  return event.errno === ENOENT
    ? new OpenShellError(`${command}: command not found in the sandbox`, {
        code: 'command_not_found',
        remedy: 'The sandbox shows only what filesystem_policy lists; check PATH and read_only.',
      })
    : new OpenShellError(`${command}: cannot be executed: ${errnoName(event.errno)}`, {
        code: 'command_not_executable',
      });
};
