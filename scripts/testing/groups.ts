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

/** As root the whole-program tests run twice: sandboxes are made in another way for an ordinary user. */
export const planGroups = ({ root, unitOnly, only }: GroupSelection): GroupPlan => {
  const isRoot = process.geteuid?.() === 0;
  const unit = find(root, UNIT);
  const whole = unitOnly ? [] : find(root, WHOLE);
  const matching = (files: readonly string[]): string[] =>
    files.filter((file) => !only || file.includes(only));
  const byName = only !== undefined && matching([...unit, ...whole]).length === 0;
  const chosen = (files: readonly string[]): readonly string[] => (byName ? files : matching(files));
  const groups: TestGroup[] = [
    { title: 'packages', files: chosen(unit), as: 'caller' },
    { title: `programs, as ${isRoot ? 'root' : 'this user'}`, files: chosen(whole), as: 'caller' },
    ...(isRoot
      ? [{ title: 'programs, as an ordinary user', files: chosen(whole), as: 'ordinary user' as const }]
      : []),
  ];
  return { groups: groups.filter(({ files }) => files.length > 0), ...(byName ? { namePattern: only } : {}) };
};
