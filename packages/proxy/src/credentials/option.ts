import { OpenShellError } from '@openshell/base';
import type { BindingSpec, CredentialSpec, ValueSource } from './spec.ts';

/**
 * Reads the value of `--credential`: `NAME[@HOST[:PORT][/PATH]]...[@provider:PROVIDER][=SOURCE]`, where SOURCE is `env:VARIABLE`, `file:PATH` or
 * `command:PROGRAM ARGUMENTS`. Without a source the value is that of the caller's variable NAME. Hosts stand before the source, so
 * that paths and commands may hold anything.
 * @param origin names where the text stands, for messages.
 * @throws OpenShellError `bad_credential_option`
 */
export function parseCredentialOption(text: string, origin = '--credential'): CredentialSpec {
  const bad = (remedy: string): OpenShellError =>
    new OpenShellError(`${origin} is not understood.`, { code: 'bad_credential_option', remedy });
  const at = text.indexOf('=');
  const subject = at < 0 ? text : text.slice(0, at);
  const [name = '', ...places] = subject.split('@');
  if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(name))
    throw bad('It begins with the name of an environment variable, as in GITHUB_TOKEN@api.github.com.');
  const providers = places
    .filter((place) => PROVIDER.test(place))
    .map((place) => place.slice('provider:'.length));
  if (providers.length > 1) throw bad('A credential has one provider.');
  return {
    name,
    source: at < 0 ? { kind: 'env', variable: name } : readSource(text.slice(at + 1), name, bad),
    bindings: places.filter((place) => !PROVIDER.test(place)).map((written) => readPlace(written, bad)),
    ...(providers[0] === undefined ? {} : { provider: providers[0] }),
  };
}

/** What `credential_binding` calls a credential; digits alone would be the port of a host of that name. */
const PROVIDER = /^provider:(?!\d+$)[^:/]+$/;

type Bad = (remedy: string) => OpenShellError;

function readSource(text: string, name: string, bad: Bad): ValueSource {
  const [, kind, value = ''] = /^(env|file|command):(.+)$/s.exec(text) ?? [];
  switch (kind) {
    case 'env':
      return { kind, variable: value };
    case 'file':
      return { kind, path: value };
    case 'command':
      return { kind, argv: value.split(' ').filter((part) => part !== '') };
    default:
      // What was written is not repeated: it may be the secret.
      throw bad(
        `Behind "=" stands env:VARIABLE, file:PATH or command:PROGRAM. A value itself is not accepted: every user of this machine could see it. Put it into the environment and write "${name}".`,
      );
  }
}

/** The host ends at the path, the port at the host's last colon outside brackets. */
function readPlace(text: string, bad: Bad): BindingSpec {
  const [, host, port, path] =
    /^(?<host>\[[0-9A-Fa-f:.]+\]|[^:/[\]]+)(?::(?<port>\d{1,5}))?(?<path>\/.*)?$/.exec(text) ?? [];
  if (host === undefined) throw bad(`"${text}" is not HOST, HOST:PORT or HOST:PORT/PATH.`);
  return {
    host: host.replace(/^\[|\]$/g, ''),
    ...(port === undefined ? {} : { port: Number(port) }),
    ...(path === undefined ? {} : { path }),
  };
}
