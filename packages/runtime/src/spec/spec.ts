/**
 * A launcher specification: everything the launcher needs, computed. The binary form is in `encode.ts` and in
 * `launcher/PROTOCOL.md`; this is the readable one.
 */
export interface LauncherSpec {
  /** True for an ordinary user: the sandbox gets a user namespace with these maps. */
  readonly userNamespace?: { readonly uidMap: string; readonly gidMap: string };
  readonly uid: number;
  readonly gid: number;
  readonly groups: readonly number[];
  readonly hostname: string;
  /** An existing host directory on which the new root is put together. It is not visible afterwards. */
  readonly base: string;
  readonly idmaps: readonly IdMap[];
  readonly mounts: readonly MountItem[];
  readonly listeners: readonly ListenerItem[];
  /** Sent before the listeners are opened, in this order. */
  readonly netlinks: readonly NetlinkItem[];
  readonly rlimits: readonly { readonly resource: number; readonly soft: bigint; readonly hard: bigint }[];
  readonly landlock?: LandlockItem;
  readonly seccomp: Uint8Array;
  /** Absent: the sandbox starts with its init alone. */
  readonly command?: CommandItem;
}

export interface IdMap {
  readonly uidMap: string;
  readonly gidMap: string;
}

export type MountItem =
  | { readonly kind: 'directory'; readonly target: string; readonly mode: number }
  | { readonly kind: 'symlink'; readonly target: string; readonly text: string }
  | { readonly kind: 'file'; readonly target: string; readonly mode: number; readonly content: Uint8Array }
  | {
      readonly kind: 'bind';
      readonly source: string;
      readonly target: string;
      readonly readOnly: boolean;
      readonly devices?: boolean;
      readonly noExec?: boolean;
      /** Position in `idmaps`. */
      readonly idmap?: number;
    }
  | {
      readonly kind: 'tmpfs' | 'devpts';
      readonly target: string;
      readonly options: string;
      readonly noExec?: boolean;
    }
  | { readonly kind: 'proc'; readonly target: string }
  /** Makes the mount at target read-only, after everything was put into it. */
  | { readonly kind: 'seal'; readonly target: string };

export interface ListenerItem {
  /** Lower-case letters and digits. */
  readonly name: string;
  readonly transport: 'tcp' | 'udp';
  /** 4 or 16 bytes. */
  readonly address: Uint8Array;
  readonly port: number;
  readonly transparent?: boolean;
}

/** Messages for one netlink protocol, built completely. */
export interface NetlinkItem {
  /** For messages to people. */
  readonly name: string;
  readonly protocol: number;
  /** False: a refusal by the kernel is noted and the sandbox goes on without. */
  readonly required: boolean;
  /** Sequence number of the message whose acknowledgement ends the exchange. */
  readonly lastSequence: number;
  readonly bytes: Uint8Array;
}

export interface LandlockItem {
  /** Bytes of the attribute structure that the running kernel's ABI knows: 8, 16 or 24. */
  readonly attributeSize: number;
  readonly handledAccessFs: bigint;
  readonly handledAccessNet: bigint;
  readonly scoped: bigint;
  readonly restrictFlags: number;
  readonly rules: readonly { readonly path: string; readonly access: bigint }[];
}

export interface CommandItem {
  readonly argv: readonly string[];
  readonly env: readonly string[];
  readonly cwd: string;
  /** Which of the descriptors 0 to 2 are the sandbox's own terminal. */
  readonly terminal: readonly (0 | 1 | 2)[];
  readonly window?: { readonly rows: number; readonly columns: number };
}
