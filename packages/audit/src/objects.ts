/** A program, as the kernel named it. */
export interface ProcessOptions {
  readonly name: string;
  readonly pid?: number | undefined;
  /** Path inside the sandbox. */
  readonly path?: string | undefined;
  /** Lower-case hex. */
  readonly sha256?: string | undefined;
}

/** OCSF object `process`. */
export interface OcsfProcess {
  readonly name: string;
  readonly pid?: number;
  readonly file?: {
    readonly name: string;
    readonly path: string;
    readonly hashes?: readonly [
      { readonly algorithm: 'SHA-256'; readonly algorithm_id: 3; readonly value: string },
    ];
  };
}

/** One side of a connection: a name or an address, and a port. */
export interface EndpointOptions {
  readonly host: string;
  readonly port?: number | undefined;
}

/** OCSF object `network_endpoint`. */
export interface OcsfEndpoint {
  readonly domain?: string;
  readonly ip?: string;
  readonly port?: number;
}

/** The policy that decided, and which engine asked it. */
export interface RuleOptions {
  readonly name: string;
  readonly type: string;
  /** The rule's place in the policy, where one rule decided. */
  readonly place?: string | undefined;
}

/** OCSF object `firewall_rule`. */
export interface OcsfRule {
  readonly name: string;
  readonly type: string;
  readonly uid?: string;
}

const looksLikeAddress = (host: string): boolean => host.includes(':') || /^[0-9.]+$/.test(host);

export const baseName = (path: string): string => path.slice(path.lastIndexOf('/') + 1);

export function ocsfProcess(options: ProcessOptions): OcsfProcess {
  const { name, pid, path, sha256 } = options;
  return {
    name,
    ...(pid !== undefined && { pid }),
    ...(path !== undefined && {
      file: {
        name: baseName(path),
        path,
        ...(sha256 !== undefined && {
          hashes: [{ algorithm: 'SHA-256', algorithm_id: 3, value: sha256 }] as const,
        }),
      },
    }),
  };
}

export function ocsfEndpoint({ host, port }: EndpointOptions): OcsfEndpoint {
  return {
    ...(looksLikeAddress(host) ? { ip: host } : { domain: host }),
    ...(port !== undefined && { port }),
  };
}

export const ocsfRule = ({ name, type, place }: RuleOptions): OcsfRule =>
  place === undefined ? { name, type } : { name, type, uid: place };
