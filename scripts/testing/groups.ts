import { globSync } from 'node:fs';

export interface TestGroup {
  readonly title: string;
  /** From the root of the repository. */
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

const find = (root: string, patterns: readonly string[]): string[] =>
  globSync(patterns, { cwd: root, exclude: (name) => name.endsWith('node_modules') }).sort();

export interface GroupPlan {
  readonly groups: readonly TestGroup[];
  /** `only` named no file, so it is for the names of tests. */
  readonly namePattern?: string;
}

/**
 * Pure code, and what only talks over sockets of its own: who runs it makes no difference, so once is enough. The rooms of the proxy are
 * among it; its adapters, its tenants and the whole of it are not.
 */
const THE_SAME_FOR_EVERYBODY =
  /^(packages\/(base|policy|rego|audit|proxy\/src\/(?!adapters|tenant)[\w-]+)|tests\/hostile\/http|scripts|bench)\//;

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
    const again = chosen.filter((file) => !THE_SAME_FOR_EVERYBODY.test(file));
    return isRoot
      ? [asCaller, { title: `${title}, as an ordinary user`, files: again, as: 'ordinary user' }]
      : [asCaller];
  });
  return { groups: groups.filter(({ files }) => files.length > 0), ...(byName ? { namePattern: only } : {}) };
};
