import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { bundleOf, bundleViolations } from './boundaries/bundle.ts';
import { boundaryViolations, formatViolation, type Workspace } from './boundaries/check.ts';
import { importsOf } from './boundaries/imports.ts';
import { BUNDLE_RULES, PACKAGE_RULES } from './boundaries/rules.ts';
import { readWorkspace } from './boundaries/sources.ts';

const root = fileURLToPath(new URL('..', import.meta.url));

const madeUp = (files: Readonly<Record<string, string>>): Workspace => ({
  sources: new Map(Object.entries(files)),
  dependencies: new Map([['policy', new Set(['yaml'])]]),
});

const whats = (files: Readonly<Record<string, string>>): string[] =>
  boundaryViolations(madeUp(files)).map(({ what }) => what);

test('the packages import only what the architecture lets them', () => {
  const violations = boundaryViolations(readWorkspace(root));
  assert.equal(violations.length, 0, `\n${violations.map(formatViolation).join('\n')}`);
});

describe('the bundle of', () => {
  for (const rule of BUNDLE_RULES)
    test(`${rule.program} has nothing that it must not have`, async () => {
      const bundle = await bundleOf(root, rule.entry);
      assert.ok(bundle.modules.includes(rule.entry));
      assert.deepEqual(bundleViolations(bundle, rule), [], rule.because);
    });

  test('a made-up program shows what it must not have', () => {
    const modules = ['packages/a/src/fine.ts', 'packages/a/src/secret/x.ts'];
    const rule = {
      program: 'a',
      entry: modules[0]!,
      absent: [/\/secret\//],
      packages: ['yaml'],
      because: '',
    };
    assert.deepEqual(bundleViolations({ modules, packages: ['yaml', 'left-pad'] }, rule), [
      'packages/a/src/secret/x.ts',
      'left-pad',
    ]);
  });
});

test('every package of the workspace is in the table, and all of its files are read', () => {
  const { sources, dependencies } = readWorkspace(root);
  for (const name of dependencies.keys()) {
    assert.ok(name in PACKAGE_RULES, `${name} is not in scripts/boundaries/rules.ts`);
    assert.ok(sources.has(`packages/${name}/src/index.ts`), `${name} has no src/index.ts`);
  }
  for (const path of sources.keys()) assert.ok(existsSync(`${root}/${path}`));
});

describe('an import is found', () => {
  const forms: readonly (readonly [string, string, number])[] = [
    ['a default', "import x from 'a';", 1],
    ['a list over several lines', "import {\n  x,\n  type Y,\n} from 'a';", 4],
    ['types', "import type { X } from 'a';", 1],
    ['a side effect', "import 'a';", 1],
    ['an export from', "export { x } from 'a';", 1],
    ['an export of everything', "export * from 'a';", 1],
    ['a late import', "const f = async () => await import('a');", 1],
    ['a type of a module', "type M = typeof import('a');", 1],
    ['a require', "\nconst yaml = require('a') as X;", 2],
    ['double quotes', 'import x from "a";', 1],
  ];
  for (const [name, source, line] of forms) {
    test(name, () => assert.deepEqual(importsOf(source), [{ specifier: 'a', line }]));
  }
  test('and comments and strings are not taken for one', () => {
    assert.deepEqual(
      importsOf("// import x from 'a'\n/** import('a') */\n * import y from 'b'\nconst s = \"from 'a'\";"),
      [],
    );
  });
});

describe('a made-up violation is found', () => {
  const cases: readonly (readonly [string, Readonly<Record<string, string>>, RegExp])[] = [
    [
      'a package that the table does not grant',
      { 'packages/policy/src/a.ts': "import '@openshell/audit';" },
      /policy may import base, not audit/,
    ],
    [
      'rego, which may not even know base',
      { 'packages/rego/src/a.ts': "import '@openshell/base';" },
      /rego may import no other package/,
    ],
    [
      'a type of such a package',
      { 'packages/policy/src/a.ts': "import type { E } from '@openshell/audit';" },
      /not audit/,
    ],
    [
      'a path into another package',
      { 'packages/audit/src/a.ts': "import '../../policy/src/hash.ts';" },
      /crosses into the package policy by a path/,
    ],
    [
      'a path out of all packages',
      { 'packages/audit/src/a.ts': "import '../../../scripts/check.ts';" },
      /leaves the package audit/,
    ],
    [
      'a second door of a package',
      { 'packages/proxy/src/a.ts': "import '@openshell/policy/src/hash.ts';" },
      /no door of the package/,
    ],
    [
      'a package that is not in the table',
      { 'packages/new/src/a.ts': "import '@openshell/base';" },
      /not in the table/,
    ],
    [
      'a file inside another room',
      {
        'packages/runtime/src/a.ts': "import './seccomp/bpf.ts';",
        'packages/runtime/src/seccomp/index.ts': '',
      },
      /reaches into the room packages\/runtime\/src\/seccomp/,
    ],
    [
      'input and output in a pure package',
      { 'packages/policy/src/a.ts': "import { readFileSync } from 'node:fs';" },
      /policy is pure and may not use node:fs/,
    ],
    ['an absolute path', { 'packages/policy/src/a.ts': "import '/somewhere/a.ts';" }, /is an absolute path/],
    [
      'an npm package that is not declared',
      { 'packages/policy/src/a.ts': "import 'left-pad';" },
      /left-pad is not among the dependencies/,
    ],
  ];
  for (const [name, files, expected] of cases) {
    test(name, () => {
      const [what = '', ...more] = whats(files);
      assert.match(what, expected);
      assert.deepEqual(more, []);
    });
  }

  test('a program that contains a forbidden module two steps away, with the chain that leads there', () => {
    const [violation] = boundaryViolations(
      madeUp({
        'packages/proxy/src/index.ts': "export * from './proxy.ts';",
        'packages/proxy/src/proxy.ts': "import '@openshell/policy';",
        'packages/policy/src/index.ts': "import '../../runtime/src/launcher.ts';",
      }),
    ).filter(({ what }) => what.includes('contains'));
    assert.match(violation?.what ?? '', /packages\/proxy\/src\/index\.ts contains @openshell\/runtime/);
    assert.deepEqual(violation?.where.split('\n    → '), [
      'packages/proxy/src/index.ts',
      'packages/proxy/src/proxy.ts',
      'packages/policy/src/index.ts',
      'packages/runtime/src/launcher.ts',
    ]);
  });
});

describe('what is no violation', () => {
  const cases: readonly (readonly [string, Readonly<Record<string, string>>])[] = [
    [
      'a room through its door',
      {
        'packages/runtime/src/a.ts': "import './seccomp/index.ts';",
        'packages/runtime/src/seccomp/index.ts': '',
      },
    ],
    [
      'neighbours in one room',
      {
        'packages/runtime/src/seccomp/a.ts': "import './bpf.ts';",
        'packages/runtime/src/seccomp/index.ts': '',
      },
    ],
    ['a folder without a door', { 'packages/proxy/src/a.ts': "import './http/framing.ts';" }],
    ['a declared npm package', { 'packages/policy/src/a.ts': "import 'yaml/dist';" }],
    ['files in a test of a pure package', { 'packages/policy/src/a.test.ts': "import 'node:fs';" }],
  ];
  for (const [name, files] of cases) test(name, () => assert.deepEqual(whats(files), []));
});
