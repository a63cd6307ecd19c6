import { OpenShellError } from '@openshell/base';
import {
  compileGlob,
  type Endpoint,
  type Glob,
  globMatches,
  type HostPattern,
  hostMatches,
  type Policy,
  parseHostPattern,
} from '@openshell/policy';
import type { Destination } from './injection.ts';
import type { BindingSpec } from './spec.ts';

/** One place that a credential may go to. */
export interface Binding {
  /** Whether a connection there may carry the credential, whatever the request: the connection has to be opened. */
  covers(host: string, port: number): boolean;
  /** Whether this request may. */
  allows(destination: Destination): boolean;
}

const DEFAULT_PORT = 443;

/**
 * A binding that the operator wrote.
 * @throws OpenShellError of the pattern that is wrong.
 */
export function explicitBinding(spec: BindingSpec): Binding {
  const host = parseHostPattern(spec.host);
  const port = spec.port ?? DEFAULT_PORT;
  if (!Number.isInteger(port) || port < 1 || port > 65_535) {
    throw new OpenShellError(`${port} is not a port.`, {
      code: 'bad_port',
      remedy: 'Write a number from 1 to 65535.',
    });
  }
  const path = pathPattern(spec.path);
  const covers = (name: string, number: number): boolean => number === port && hostMatches(host, name);
  return {
    covers,
    allows: (to) =>
      covers(to.host, to.port) &&
      to.treatment?.learned !== true &&
      pathMatches(path, to.path) &&
      isPrivate(to, spec.insecure ?? false),
  };
}

/**
 * The bindings that a policy gives to a provider: its endpoints with `credential_binding: { provider }`. Where TLS is never opened, which such
 * an endpoint may ask for (`allow_uninspected_credentials`), there is nothing to put a value into.
 */
export function policyBindings(policy: Policy, provider: string): Binding[] {
  return policy.networkPolicies
    .flatMap(({ endpoints }) => endpoints)
    .filter((endpoint) => endpoint.credentialProvider === provider && endpoint.host !== '')
    .map((endpoint) => policyBinding(endpoint, provider));
}

function policyBinding(endpoint: Endpoint, provider: string): Binding {
  const host: HostPattern = parseHostPattern(endpoint.host);
  const path = pathPattern(endpoint.path === '' ? undefined : endpoint.path);
  const covers = (name: string, port: number): boolean =>
    endpoint.tls !== 'skip' && endpoint.ports.includes(port) && hostMatches(host, name);
  return {
    covers,
    // Where requests are inspected, the endpoint that treats this one has the word: a more specific one may leave the binding out.
    allows: (to) =>
      covers(to.host, to.port) &&
      (to.treatment ? to.treatment.endpoint.credentialProvider === provider : pathMatches(path, to.path)) &&
      isPrivate(to, false),
  };
}

const isPrivate = (to: Destination, insecure: boolean): boolean =>
  to.scheme === 'https' || insecure || to.loopback === true;

function pathPattern(text: string | undefined): Glob | undefined {
  if (text === undefined || text === '**' || text === '/**') return undefined;
  if (!text.startsWith('/')) {
    throw new OpenShellError(`"${text}" is not a pattern of paths.`, {
      code: 'bad_path',
      remedy: 'Begin it with "/", as in "/repos/**".',
    });
  }
  return compileGlob(text, '/');
}

const pathMatches = (pattern: Glob | undefined, path: string): boolean =>
  pattern === undefined || globMatches(pattern, path);
