import { writeFileSync } from 'node:fs';

export interface TestEndpoint {
  readonly host: string;
  readonly port: number;
  readonly allowed_ips?: readonly string[];
  /** Set where requests are decided, too; then `access`, `rules` and what else the protocol has. */
  readonly protocol?: string;
  readonly [field: string]: unknown;
}

export interface TestPolicy {
  /** Names and ports that `binaries` may reach. Absent: no network. */
  readonly endpoints?: readonly TestEndpoint[];
  /** Paths or patterns. */
  readonly binaries?: readonly string[];
  /** Beside the system's directories. */
  readonly readOnly?: readonly string[];
  readonly readWrite?: readonly string[];
  readonly includeWorkdir?: boolean;
  readonly process?: Readonly<Record<string, string>>;
  /** As under `network_middlewares`. */
  readonly middlewares?: Readonly<Record<string, object>>;
}

/** Writes a policy file (JSON is YAML) and returns its path. */
export const writePolicy = (path: string, policy: TestPolicy): string => {
  const {
    endpoints = [],
    binaries = [],
    readOnly = [],
    readWrite = [],
    includeWorkdir = true,
    process,
    middlewares,
  } = policy;
  const document = {
    version: 1,
    filesystem_policy: {
      include_workdir: includeWorkdir,
      read_only: ['/usr', '/lib', '/etc', '/proc', '/dev/urandom', ...readOnly],
      read_write: ['/tmp', '/dev/null', ...readWrite],
    },
    ...(process ? { process } : {}),
    ...(middlewares ? { network_middlewares: middlewares } : {}),
    network_policies:
      endpoints.length > 0
        ? { test: { endpoints, binaries: binaries.map((binary) => ({ path: binary })) } }
        : {},
  };
  writeFileSync(path, JSON.stringify(document, undefined, 2));
  return path;
};
