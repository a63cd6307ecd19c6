import { globSync } from 'node:fs';

export interface TestGroup {
  readonly title: string;
  /** From the root of the repository, in the order in which they are started. */
  readonly files: readonly string[];
  readonly as: 'caller' | 'ordinary user';
}

export interface GroupSelection {
  readonly root: string;
  readonly unitOnly: boolean;
  /** Only files whose path contains this; where there are none, only tests whose name matches it. */
  readonly only?: string;
}

const UNIT = [
  'packages/*/{src,test}/**/*.test.ts',
  'scripts/**/*.test.ts',
  'examples/**/*.test.ts',
  'bench/**/*.test.ts',
];
const WHOLE = ['tests/**/*.test.ts'];

export interface GroupPlan {
  readonly groups: readonly TestGroup[];
  /** `only` named no file, so it is for the names of tests. */
  readonly namePattern?: string;
}

/**
 * Pure code, and what only talks over sockets of its own: who runs it makes no difference, so once is enough. The rooms of the proxy are
 * among it; its adapters, its tenants and the whole of it are not. Of the whole programs it is what asks how proxy and clients, rules and
 * middleware get on with each other, and not what a command in the sandbox can do or find.
 */
const THE_SAME_FOR_EVERYBODY = [
  /^packages\/(base|policy|rego|audit|control|proxy\/src\/(?!adapters|tenant)[\w-]+)\//,
  /^tests\/(hostile\/http|e2e\/clients\/clients\.|e2e\/(middleware|rego)\.|launcher\/fuzz\.)/,
  /^(scripts|bench)\//,
];

/** Started first, so that no process works at the end while the others have nothing left to do: these take seconds, the longest first. */
export const LONGEST = [
  'tests/e2e/clients/clients.test.ts',
  'tests/hostile/hostile.test.ts',
  'tests/e2e/clients/credentials.test.ts',
  'tests/e2e/destination.test.ts',
  'tests/e2e/exit-codes.test.ts',
  'tests/e2e/network.test.ts',
  'tests/e2e/rego.test.ts',
  'tests/e2e/middleware.test.ts',
  'tests/e2e/leftovers.test.ts',
  'tests/e2e/identity.test.ts',
  'packages/proxy/src/engines/rego-engine.property.test.ts',
  'packages/policy/src/parse.test.ts',
  'packages/proxy/src/sql/psql.test.ts',
  'packages/rego/src/value/value.test.ts',
  'packages/proxy/src/engines/requests.property.test.ts',
  'packages/proxy/src/inspect/reload.test.ts',
  'packages/proxy/src/program.test.ts',
];

const longestFirst = (files: readonly string[]): string[] => {
  const long = LONGEST.filter((file) => files.includes(file));
  return [...new Set([...long, ...files])];
};

const find = (root: string, patterns: readonly string[]): string[] =>
  longestFirst(globSync(patterns, { cwd: root, exclude: (name) => name.endsWith('node_modules') }).sort());

/** As root the rest runs twice: an ordinary user's sandboxes are made in another way, and root may do too much for some tests. */
export const planGroups = ({ root, unitOnly, only }: GroupSelection): GroupPlan => {
  const isRoot = process.geteuid?.() === 0;
  const kinds = [
    { title: 'packages', files: find(root, UNIT) },
    { title: 'programs', files: unitOnly ? [] : find(root, WHOLE) },
  ];
  const matching = (files: readonly string[]): string[] =>
    files.filter((file) => !only || file.includes(only));
  const byName = only !== undefined && kinds.every(({ files }) => matching(files).length === 0);
  const groups = kinds.flatMap(({ title, files }): TestGroup[] => {
    const chosen = byName ? files : matching(files);
    const asCaller: TestGroup = {
      title: `${title}, as ${isRoot ? 'root' : 'this user'}`,
      files: chosen,
      as: 'caller',
    };
    const again = chosen.filter((file) => !THE_SAME_FOR_EVERYBODY.some((files) => files.test(file)));
    return isRoot
      ? [asCaller, { title: `${title}, as an ordinary user`, files: again, as: 'ordinary user' }]
      : [asCaller];
  });
  return { groups: groups.filter(({ files }) => files.length > 0), ...(byName ? { namePattern: only } : {}) };
};
