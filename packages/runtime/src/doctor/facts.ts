/** Everything that the doctor's judgement is made from, gathered before anything is judged. */
export interface MachineFacts {
  /** As Node.js names it: `linux`. */
  readonly platform: string;
  /** As Node.js names it: `x64`, `arm64`. */
  readonly architecture: string;
  /** As `uname -r` prints it. */
  readonly kernelRelease: string;
  readonly effectiveUser: number;
  readonly launcher: LauncherFacts;
  /** Values of the sysctls that exist, by their dotted names. */
  readonly sysctls: ReadonlyMap<string, string>;
  /** The security modules in force, in their order; absent where securityfs is not mounted. */
  readonly securityModules?: readonly string[];
  readonly cgroups: CgroupFacts;
  readonly tun: DeviceFacts;
  readonly kvm: KvmFacts;
  /** Programs that were looked for and found, by name. */
  readonly programs: ReadonlyMap<string, ProgramFacts>;
  readonly docker: DockerFacts;
}

export type LauncherFacts =
  | { readonly kind: 'absent' }
  | { readonly kind: 'failed'; readonly path: string; readonly reason: string }
  | { readonly kind: 'answered'; readonly path: string; readonly answers: ReadonlyMap<string, ProbeAnswer> };

/** One line of `launcher --probe`: `key value [errno]`. */
export interface ProbeAnswer {
  /** A version, or 1 for yes and 0 for no. */
  readonly value: number;
  /** Why not; 0 where the kernel gave no reason. */
  readonly errno: number;
}

export interface CgroupFacts {
  readonly layout: 'v2' | 'v1' | 'hybrid' | 'none';
  /** The group in which this process could make one with a limit of processes; absent where there is none. */
  readonly pidsDirectory?: string;
  /** Whether this user may make groups there. */
  readonly writable: boolean;
}

export type DeviceFacts =
  | { readonly kind: 'absent' }
  | { readonly kind: 'denied' }
  | { readonly kind: 'usable' };

export type KvmFacts =
  | Exclude<DeviceFacts, { kind: 'usable' }>
  /** The device opens, and there is nothing to try it with. */
  | { readonly kind: 'untried' }
  | { readonly kind: 'fails'; readonly reason: string }
  | { readonly kind: 'works' };

export interface ProgramFacts {
  readonly path: string;
  /** The first line of `--version`, where it was asked for and answered. */
  readonly version?: string;
}

export type DockerFacts =
  | { readonly kind: 'absent'; readonly socket: string }
  | { readonly kind: 'denied'; readonly socket: string }
  | { readonly kind: 'silent'; readonly socket: string; readonly reason: string }
  | { readonly kind: 'answers'; readonly socket: string; readonly version: string };
