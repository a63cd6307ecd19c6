/** What one package may know of the others (docs/architecture.md has the reasons). */
export interface PackageRule {
  /** Names without `@openshell/`. */
  readonly mayImport: readonly string[];
  /** Parts of Node.js that its modules may use. Absent: all. Tests and generators of documents are exempt. */
  readonly builtins?: readonly string[];
  /** Rooms that others may enter without the rest of the package: `@openshell/NAME/ROOM`, which is `src/ROOM/index.ts`. */
  readonly doors?: readonly string[];
}

/** The table of the architecture. `base` holds shared words only, so everybody but `rego` may use it. */
export const PACKAGE_RULES: Readonly<Record<string, PackageRule>> = {
  base: { mayImport: [], builtins: [] },
  // Pure: what exists on a disk or what a name resolves to is passed in. `node:net` tells addresses from names.
  policy: { mayImport: ['base'], builtins: ['crypto', 'module', 'net', 'url'] },
  rego: { mayImport: [], builtins: ['buffer', 'crypto', 'module', 'url', 'util', 'zlib'] },
  audit: { mayImport: ['base'] },
  // `audit` for the type of an event. `link` has no RPC in it; `testing` is the suite that every form of the contract must pass.
  control: { mayImport: ['base', 'policy', 'audit'], doors: ['link', 'testing'] },
  // `dns` alone, for a node whose proxy is elsewhere.
  proxy: { mayImport: ['base', 'policy', 'rego', 'audit', 'control'], doors: ['dns'] },
  runtime: { mayImport: ['base', 'audit'] },
  sandbox: { mayImport: ['base', 'policy', 'rego', 'audit', 'control', 'proxy', 'runtime'] },
  vm: { mayImport: ['base', 'audit'] },
  // `runtime` for `openshell doctor` only: what a machine can do is the runtime's knowledge. `rego` for `openshell rego` and for
  // reading rules. `control` and `audit` for `openshell proxyctl`.
  cli: { mayImport: ['base', 'policy', 'rego', 'audit', 'sandbox', 'sdk', 'runtime', 'control'] },
};

/** No module of `absent` (packages of ours or of npm) may be reached from `entry`. */
export interface ProgramRule {
  readonly entry: string;
  readonly absent: readonly string[];
  readonly because: string;
}

export const PROGRAM_RULES: readonly ProgramRule[] = [
  ...['packages/proxy/src/index.ts', 'packages/proxy/src/program.ts'].map((entry) => ({
    entry,
    absent: ['@openshell/runtime', '@openshell/sandbox', 'ssh2'],
    because: 'the proxy parses hostile input and must not bring along code that runs privileged',
  })),
  {
    entry: 'packages/runtime/src/index.ts',
    absent: ['@openshell/proxy', '@openshell/policy', '@openshell/rego', '@openshell/sandbox'],
    because: 'the runtime is privileged and must not decide or parse traffic',
  },
];

/** What the code of a program, as it is installed, must not contain. */
export interface BundleRule {
  readonly program: string;
  readonly entry: string;
  /** Modules of ours, from the root of the repository. */
  readonly absent: readonly RegExp[];
  /** The npm packages that it may need. */
  readonly packages: readonly string[];
  readonly because: string;
}

export const BUNDLE_RULES: readonly BundleRule[] = [
  {
    program: 'openshell-sandbox --proxy',
    entry: 'packages/sandbox/src/edge/program.ts',
    absent: [
      /^packages\/rego\//,
      // The name service of a sandbox is where the sandbox is; `relay/` has how it closes a connection.
      /^packages\/proxy\/src\/(?!dns\/|limits\.ts|relay\/(?:linger|reset)\.ts)/,
      // A policy is read here, for files and users and its hash; presets and weights belong to finding mistakes in it.
      /^packages\/policy\/src\/(?:learn|suggest)\//,
      /^packages\/policy\/src\/evaluate\/(?!request\/(?:presets|selection)\.ts)/,
      /^packages\/control\/src\/(?!link\/)/,
      /^packages\/sandbox\/src\/(?:egress|learn|load-engine|run)\.ts/,
    ],
    packages: ['yaml'],
    because: 'a node without a proxy decides nothing, opens no TLS and parses no traffic',
  },
];
