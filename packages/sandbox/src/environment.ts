import { OpenShellError } from '@openshell/base';
import { PROXY_PORT, SANDBOX_HOME } from '@openshell/runtime';
import type { EnvironmentVariable } from './run-options.ts';

/** Variables of the caller that say how to show things, and hold no secret. The rest stays outside. */
const SHOWN = [
  'TERM',
  'COLORTERM',
  'NO_COLOR',
  'FORCE_COLOR',
  'LANG',
  'LANGUAGE',
  'TZ',
  'COLUMNS',
  'LINES',
  'CI',
];

const DEFAULT_PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

export interface EnvironmentOptions {
  readonly caller: Readonly<Record<string, string | undefined>>;
  readonly given: readonly EnvironmentVariable[];
  /** What stands for credentials, by variable. */
  readonly placeholders: Readonly<Record<string, string>>;
  readonly user: string;
  /** Inside path of a bundle of all certificate authorities to trust; absent where there are only the system's. */
  readonly caBundle?: string;
  /** Inside path of those that are not the system's. */
  readonly extraCa?: string;
}

const proxyVariables = (): Record<string, string> => {
  const url = `http://127.0.0.1:${PROXY_PORT}`;
  const local = 'localhost,127.0.0.1,::1';
  const variables: Record<string, string> = {
    NO_PROXY: local,
    no_proxy: local,
    NODE_USE_ENV_PROXY: '1',
    grpc_proxy: url,
  };
  for (const name of ['HTTP_PROXY', 'HTTPS_PROXY', 'ALL_PROXY']) {
    variables[name] = url;
    variables[name.toLowerCase()] = url;
  }
  return variables;
};

/** Programs look for authorities under many names: some add a file to their own, some want the whole bundle. */
const authorityVariables = (bundle: string, extra: string): Record<string, string> => ({
  NODE_EXTRA_CA_CERTS: extra,
  DENO_CERT: extra,
  SSL_CERT_FILE: bundle,
  CURL_CA_BUNDLE: bundle,
  REQUESTS_CA_BUNDLE: bundle,
  PIP_CERT: bundle,
  GIT_SSL_CAINFO: bundle,
  AWS_CA_BUNDLE: bundle,
  GRPC_DEFAULT_SSL_ROOTS_FILE_PATH: bundle,
  // What libpq binds a login to is the TLS connection as it sees it, which is not the server's where statements are inspected.
  PGCHANNELBINDING: 'disable',
});

/**
 * The command's environment: how to show things, where the proxy is, whom to trust, and what the caller gave by name.
 * Nothing else of the caller's: an environment is where tokens live. Of credentials it has placeholders.
 * @throws OpenShellError `credential_in_env`: a value that was given by name would take the place of a placeholder.
 */
export const sandboxEnvironment = (options: EnvironmentOptions): Record<string, string> => {
  const { caller, caBundle, extraCa } = options;
  const environment: Record<string, string> = { PATH: caller.PATH || DEFAULT_PATH };
  for (const name of Object.keys(caller)) {
    const value = caller[name];
    if (value !== undefined && (SHOWN.includes(name) || name.startsWith('LC_'))) environment[name] = value;
  }
  Object.assign(environment, {
    HOME: SANDBOX_HOME,
    USER: options.user,
    LOGNAME: options.user,
    SHELL: '/bin/sh',
    OPENSHELL_SANDBOX: '1',
    ...proxyVariables(),
    ...(caBundle && extraCa ? authorityVariables(caBundle, extraCa) : {}),
  });
  for (const { name, value } of options.given) {
    if (Object.hasOwn(options.placeholders, name)) throw givenTwice(name);
    environment[name] = value;
  }
  Object.assign(environment, options.placeholders);
  return environment;
};

const givenTwice = (name: string): OpenShellError =>
  new OpenShellError(`${name} is a credential, and its value is given with --env too`, {
    code: 'credential_in_env',
    remedy: `Leave out --env ${name}: the command gets a placeholder, and the proxy puts the value in.`,
  });
