import type { Separator } from '../glob/glob.ts';

/** One pattern with texts on both sides of its edge. The documentation shows these; a test holds the matcher to them. */
export interface PatternExample {
  readonly separator: Separator;
  readonly pattern: string;
  readonly matches: readonly string[];
  readonly refuses: readonly string[];
}

export const PATH_EXAMPLES: readonly PatternExample[] = [
  {
    separator: '/',
    pattern: '/repos/*',
    matches: ['/repos/a', '/repos/'],
    refuses: ['/repos', '/repos/a/b'],
  },
  {
    separator: '/',
    pattern: '/repos/**',
    matches: ['/repos/a', '/repos/a/b', '/repos/'],
    refuses: ['/repos', '/reposx'],
  },
  {
    separator: '/',
    pattern: '/a/**/z',
    matches: ['/a/z', '/a/b/z', '/a/b/c/z'],
    refuses: ['/az', '/a/bz', '/a/z/b'],
  },
  { separator: '/', pattern: '**', matches: ['/', '/a/b'], refuses: [] },
  { separator: '/', pattern: '/v?', matches: ['/v1'], refuses: ['/v', '/v12', '/v/'] },
  { separator: '/', pattern: '/v[12]/x', matches: ['/v1/x'], refuses: ['/v3/x', '/v12/x'] },
  { separator: '/', pattern: '/v[!1]/x', matches: ['/v2/x'], refuses: ['/v1/x', '/v//x'] },
  { separator: '/', pattern: '/{a,b/c}/x', matches: ['/a/x', '/b/c/x'], refuses: ['/b/x', '/{a,b/c}/x'] },
  {
    separator: '/',
    pattern: '/usr/bin/python3*',
    matches: ['/usr/bin/python3', '/usr/bin/python3.11'],
    refuses: ['/usr/bin/python3/x'],
  },
  { separator: '/', pattern: '/a\\*', matches: ['/a*'], refuses: ['/ab'] },
];

export const VALUE_EXAMPLES: readonly PatternExample[] = [
  {
    separator: 'none',
    pattern: 'delete_*',
    matches: ['delete_x', 'delete_x.y', 'delete_a/b'],
    refuses: ['undelete_x'],
  },
  { separator: 'none', pattern: 'v?', matches: ['v1', 'v.', 'v/'], refuses: ['v', 'v12'] },
];

/** Hosts have wildcards of their own: see `host-pattern.ts`. */
export const HOST_EXAMPLES: readonly Omit<PatternExample, 'separator'>[] = [
  { pattern: 'api.example.com', matches: ['api.example.com'], refuses: ['example.com', 'x.api.example.com'] },
  { pattern: '*.example.com', matches: ['a.example.com'], refuses: ['example.com', 'a.b.example.com'] },
  {
    pattern: '**.example.com',
    matches: ['a.example.com', 'a.b.example.com'],
    refuses: ['example.com', 'notexample.com'],
  },
  {
    pattern: 'api-*.example.com',
    matches: ['api-1.example.com'],
    refuses: ['api.example.com', 'api-1.x.example.com'],
  },
  {
    pattern: '*.s3.*.example.com',
    matches: ['a.s3.eu.example.com'],
    refuses: ['a.s3.example.com', 'a.s3.x.y.example.com'],
  },
];

/** Host patterns that are refused when a policy is loaded. */
export const REFUSED_HOSTS = [
  '*',
  '**',
  '*.com',
  '**.com',
  'api-*.com',
  '*.*.com',
  'a.**.example.com',
  'x**.example.com',
  'a.b*.example.com',
  '{a,b}.example.com',
  '*.0.1',
] as const;
