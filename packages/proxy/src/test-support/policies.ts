import { sandboxId } from '@openshell/base';
import { type Evidence, type Intent, type Policy, parsePolicy } from '@openshell/policy';
import fc from 'fast-check';

const HOSTS = [
  'a.example.com',
  'b.example.com',
  'x.a.example.com',
  'example.com',
  'a.example.org',
  'localhost',
  '__proto__',
  '10.0.0.1',
  '2001:db8::1',
];
const PATTERNS = [
  'a.example.com',
  'b.example.com',
  'x.a.example.com',
  'a.example.org',
  '__proto__',
  '10.0.0.1',
  '2001:db8::1',
  '*.example.com',
  '**.example.com',
  'a*.example.com',
  '*.a.example.com',
  '*.example.org',
  '',
];
const PROGRAMS = ['/bin/a', '/bin/b', '/bin/*', '/bin/aé', '/opt/x/y', '/opt/x/b/y', '/opt/z', '/opt/x\ny'];
const BINARIES = [
  '/bin/a',
  '/bin/*',
  '/bin/a?',
  '/bin/\\*',
  '/bin/[!a]',
  '/bin/{a,b*}',
  '/opt/**',
  '/opt/**/y',
  '/opt/x/[a-z]/y',
  '/opt/?',
  '/**',
];
const PORTS = [80, 443, 8443];
const ADDRESSES = [['10.0.0.0/16'], ['2001:db8::/32', '10.0.0.1/32'], ['::ffff:0:0/96']];

const endpoint = fc
  .record({
    host: fc.constantFrom(...PATTERNS),
    ports: fc.uniqueArray(fc.constantFrom(...PORTS), { minLength: 1 }),
    allowed_ips: fc.option(fc.constantFrom(...ADDRESSES), { nil: undefined }),
    tls: fc.constantFrom(undefined, 'skip'),
  })
  .map(({ host, ...rest }) =>
    host === '' ? { ...rest, allowed_ips: rest.allowed_ips ?? ADDRESSES[0] } : { host, ...rest },
  );

const network = fc.record({
  name: fc.constantFrom('m', 'n', 'o', 'é', 'a "quoted" name'),
  endpoints: fc.array(endpoint, { maxLength: 4 }),
  binaries: fc
    .uniqueArray(fc.constantFrom(...BINARIES), { maxLength: 3 })
    .map((paths) => paths.map((path) => ({ path }))),
});

/** Valid policies over a small world of hosts, ports and programs, so that much of it overlaps. */
export const policies: fc.Arbitrary<Policy> = fc
  .uniqueArray(fc.tuple(fc.constantFrom('p', 'q', 'r', 's', 't'), network), {
    selector: ([key]) => key,
    maxLength: 5,
  })
  // JSON is YAML. An ambiguous policy never reaches an engine.
  .map((entries) =>
    parsePolicy(JSON.stringify({ version: 1, network_policies: Object.fromEntries(entries) })),
  )
  .filter((result) => result.ok)
  .map((result): Policy => result.policy);

const identity = (path: string) => ({ path, sha256: '0'.repeat(64), pinned: true });

/** Evidence of a program and those that started it, the nearest first. */
export const processEvidence = (path: string, ancestors: readonly string[] = []): Evidence => ({
  kind: 'process',
  pid: 7,
  executable: identity(path),
  ancestors: ancestors.map(identity),
  argv: ['sh', '/usr/share/script'],
});

export const intentFor = (host: string, port: number, who: Evidence | string): Intent => ({
  sandbox: sandboxId('test'),
  adapter: 'connect',
  host,
  port,
  evidence: typeof who === 'string' ? processEvidence(who) : who,
});

const evidence: fc.Arbitrary<Evidence> = fc.oneof(
  {
    weight: 5,
    arbitrary: fc
      .tuple(fc.constantFrom(...PROGRAMS), fc.array(fc.constantFrom(...PROGRAMS), { maxLength: 2 }))
      .map(([path, up]) => processEvidence(path, up)),
  },
  { weight: 1, arbitrary: fc.constant<Evidence>({ kind: 'unknown', reason: 'the socket has gone' }) },
);

/** Attempts in the same world. */
export const intents: fc.Arbitrary<Intent> = fc
  .tuple(fc.constantFrom(...HOSTS), fc.constantFrom(...PORTS), evidence)
  .map(([host, port, who]) => intentFor(host, port, who));

/** Addresses that programs dial without a name. */
export const addresses: fc.Arbitrary<string> = fc.constantFrom(
  '10.0.0.1',
  '10.0.0.2',
  '10.9.0.1',
  '2001:db8::1',
  '2001:db8:0::2',
  '::ffff:10.0.0.1',
  'example.com',
);
