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
  readonly user: string;
  /** Inside path of a bundle with the system's and the operator's certificate authorities; absent where the operator adds none. */
  readonly caBundle?: string;
  /** Inside path of the operator's authorities alone. */
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
});

/**
 * The command's environment: how to show things, where the proxy is, whom to trust, and what the caller gave by name.
 * Nothing else of the caller's: an environment is where tokens live.
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
  for (const { name, value } of options.given) environment[name] = value;
  return environment;
};
