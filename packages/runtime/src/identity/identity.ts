/** One executable as the kernel names it inside the sandbox. */
export interface ExecutableIdentity {
  readonly path: string;
  /** Lower-case hex of the content that runs. */
  readonly sha256: string;
  /** False when the workload itself could have written the file before its first use. */
  readonly pinned: boolean;
}

/** Who holds the client's end of a connection. */
export type ProcessIdentity =
  | {
      readonly kind: 'process';
      /** Inside the sandbox. */
      readonly pid: number;
      readonly executable: ExecutableIdentity;
      /** Parent first, up to (not including) the sandbox's init. */
      readonly ancestors: readonly ExecutableIdentity[];
      /** Shown, never trusted. */
      readonly argv: readonly string[];
    }
  | { readonly kind: 'unknown'; readonly code: UnknownCode; readonly reason: string };

export type UnknownCode =
  /** The connection or its process ended before it could be looked at. */
  | 'gone'
  /** Processes of different executables hold the same socket. */
  | 'shared'
  /** The content of an executable changed since its first use in this sandbox. */
  | 'binary_changed'
  /** A program that is no file, and so has no name. */
  | 'anonymous'
  /** The kernel or the launcher gave no usable answer. */
  | 'unreadable';

/** One TCP connection, as the proxy accepted it. Addresses in their usual text form. */
export interface Flow {
  readonly family: 4 | 6;
  readonly clientAddress: string;
  readonly clientPort: number;
  readonly serverAddress: string;
  readonly serverPort: number;
}
