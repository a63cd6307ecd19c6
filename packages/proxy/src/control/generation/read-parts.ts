import { OpenShellError } from '@openshell/base';
import type { ControlProblem } from '@openshell/control';
import {
  formatFinding,
  type IdentityMode,
  type Notice,
  type Policy,
  type PolicySource,
  parsePolicy,
} from '@openshell/policy';
import { SecretValue } from '../../credentials/secret.ts';
import type { SourceKinds } from '../../credentials/source-kinds.ts';
import { variablesOf } from '../../credentials/source-pool.ts';
import type { CredentialSource, CredentialSpec } from '../../credentials/spec.ts';
import type { InferenceRoute } from '../../inference/routes.ts';
import type { ProcessRole } from '../tenants/served-tenant.ts';
import { generationRefused, problemAt, problemOf } from './problems.ts';
import type { NamedText, ResolvedParts } from './resolve-parts.ts';

export type Environment = Readonly<Record<string, string | undefined>>;

export interface ReadOptions {
  readonly sources: SourceKinds;
  /** What variables stand for. */
  readonly environment: Environment;
  /** Whether programs have to be known. */
  readonly identity: IdentityMode;
  readonly role: ProcessRole;
}

/** What the texts of a generation mean. */
export interface ReadParts {
  readonly policy: Policy;
  readonly credentials: readonly CredentialSpec[];
  readonly routes: readonly InferenceRoute[];
  /** Of the credentials; absent where there are none. */
  readonly credentialPlaces: PolicySource | undefined;
  readonly notices: readonly string[];
}

/** A file's readers are loaded with the first tenant that has such a file. */
interface ReadFile<Item> {
  readonly items: readonly Item[];
  readonly source?: PolicySource;
  readonly problems: readonly ControlProblem[];
}

/** Reads every part, so that all that is wrong with any of them is said at once. Throws `generation_refused`. */
export async function readParts(parts: ResolvedParts, options: ReadOptions): Promise<ReadParts> {
  const { name, text } = parts.policy;
  const policy = parsePolicy(text, { file: name });
  const [credentials, routes] = await Promise.all([
    readCredentialPart(parts.credentials, options),
    readRoutePart(parts.routes, options),
  ]);
  const problems = [
    ...(policy.ok ? [] : policy.problems.map((problem) => problemOf('policy', parts.policy, problem))),
    ...credentials.problems,
    ...routes.problems,
  ];
  if (!policy.ok || problems.length > 0) throw generationRefused(problems);
  const sources = [...credentials.items.map(({ source }) => source), ...routes.items.flatMap(keyOf)];
  return {
    policy: policy.policy,
    credentials: credentials.items,
    routes: routes.items,
    credentialPlaces: credentials.source,
    notices: [
      ...policy.notices
        .filter((notice) => isTrue(notice, options))
        .map((notice) => formatFinding(forTenant(notice))),
      ...unusedSecrets(parts.secrets?.values, sources),
    ],
  };
}

async function readCredentialPart(
  part: NamedText | undefined,
  options: ReadOptions,
): Promise<ReadFile<CredentialSpec>> {
  if (part === undefined) return { items: [], problems: [] };
  const { readCredentials } = await import('../../credentials/spec-file.ts');
  const result = readCredentials(part.text, part.name, options.sources);
  if (!result.ok)
    return { items: [], problems: result.problems.map((one) => problemOf('credentials', part, one)) };
  const { specs, source } = result;
  const problems = specs.flatMap((spec, index) =>
    faultsOf(spec.source, spec.name, options).map((fault) =>
      problemAt('credentials', part, source, ['credentials', index], fault),
    ),
  );
  return { items: specs, source, problems };
}

async function readRoutePart(
  part: NamedText | undefined,
  options: ReadOptions,
): Promise<ReadFile<InferenceRoute>> {
  if (part === undefined) return { items: [], problems: [] };
  const { parseRoutes } = await import('../../inference/route-file.ts');
  const result = parseRoutes(part.text, part.name, options.sources);
  if (!result.ok)
    return { items: [], problems: result.problems.map((one) => problemOf('routes', part, one)) };
  const { routes, source } = result;
  const problems = routes.flatMap((route, index) =>
    keyOf(route)
      .flatMap((key) => faultsOf(key, `of the route ${route.name}`, options))
      .map((fault) => problemAt('routes', part, source, ['routes', index, 'auth'], fault)),
  );
  return { items: routes, source, problems };
}

/** Readers of policies say what is so where programs are known. */
const isTrue = ({ code }: Notice, { identity }: ReadOptions): boolean =>
  code !== 'no_binaries' || identity === 'required';

/** What the reader of a policy cannot know: that who registers a tenant may do without programs. */
const forTenant = (notice: Notice): Notice =>
  notice.code === 'no_binaries'
    ? {
        ...notice,
        fix: `${notice.fix} Or register the tenant with identity not-required (--identity none): then any program may.`,
      }
    : notice;

const keyOf = ({ auth }: InferenceRoute): readonly CredentialSource[] =>
  auth.kind === 'none' ? [] : [auth.credential];

/** What is wrong with the values of a source's variables. No value is ever in a message. */
const faultsOf = (source: CredentialSource, name: string, options: ReadOptions): readonly string[] => [
  ...variablesOf(source).flatMap((variable) => faultOf(variable, name, options) ?? []),
  ...(options.role === 'worker' && isRefreshed(source)
    ? [
        `Credential ${name}: issuers replace refresh tokens when they are used, so several processes cannot share one. Run the proxy with --workers 1, or use the client_credentials grant.`,
      ]
    : []),
];

const isRefreshed = (source: CredentialSource): boolean =>
  source.kind === 'oauth2' && source.grant.type === 'refresh_token';

function faultOf(variable: string, name: string, { sources, environment }: ReadOptions): string | undefined {
  const value = environment[variable];
  if (!value)
    return sources === 'pushed'
      ? `Credential ${name}: no value was pushed for ${variable}. Push it beside this file.`
      : `Credential ${name}: the environment variable ${variable} is not set. Set it for the proxy, or say where else the value is.`;
  try {
    new SecretValue(value, name);
    return undefined;
  } catch (thrown) {
    if (thrown instanceof OpenShellError) return `${thrown.message} ${thrown.remedy ?? ''}`.trimEnd();
    throw thrown;
  }
}

function unusedSecrets(
  values: ReadonlyMap<string, string> | undefined,
  sources: readonly CredentialSource[],
): readonly string[] {
  if (values === undefined) return [];
  const used = new Set(sources.flatMap(variablesOf));
  const unused = [...values.keys()].filter((name) => !used.has(name));
  return unused.length === 0
    ? []
    : [`Values were pushed that neither credentials nor routes name: ${unused.join(', ')}.`];
}
