import type { ExitCode, OptionSpec } from '../command.ts';

const file = { placeholder: 'FILE', kind: 'file' } as const;

/** How every `openshell proxyctl` finds its proxy, and shows who it is. */
export const connection = [
  {
    name: 'control',
    value: { placeholder: 'WHERE', kind: 'text' },
    summary: 'where the proxy is controlled',
    details:
      'The control address of the proxy, as openshell-proxy --control has it: unix:PATH, or HOST:PORT. Default: what the variable OPENSHELL_PROXY_CONTROL says.',
  },
  {
    name: 'control-ca',
    value: file,
    summary: 'who signs the certificate of the proxy',
    details:
      'Authorities (PEM) that the certificate of the proxy at HOST:PORT has to be from. Default: those that Node.js trusts.',
  },
  {
    name: 'control-cert',
    value: file,
    summary: 'certificate to show',
    details: 'The certificate (PEM) that is shown to the proxy at HOST:PORT. With --control-key.',
  },
  {
    name: 'control-key',
    value: file,
    summary: 'key of that certificate',
    details: 'Its unencrypted key (PEM).',
  },
  {
    name: 'token-file',
    value: file,
    summary: 'file with the token of the proxy',
    details:
      'The file with the token that the proxy asks for (openshell-proxy --control-token-file). The token itself never stands on a command line.',
  },
] as const satisfies readonly OptionSpec[];

/** For commands that are one question and one answer. */
export const patience = {
  name: 'timeout',
  value: { placeholder: 'SECONDS', kind: 'text' },
  summary: 'how long to wait for the proxy',
  details: 'How long the whole command may take. Default: 30.',
} as const satisfies OptionSpec;

/** For commands that change something. */
export const takeOver = {
  name: 'take-over',
  summary: 'end the session of another controller',
  details:
    'Ends the session of whoever controls the proxy now. Without it the command is refused while there is such a session; a proxy that follows files on its own machine always has one, and leaves its files aside from then on.',
} as const satisfies OptionSpec;

export const json = {
  name: 'json',
  summary: 'print JSON',
  details: 'Prints one JSON document instead of text.',
} as const satisfies OptionSpec;

/** For commands about one tenant. */
export const tenant = {
  name: 'tenant',
  value: { placeholder: 'ID', kind: 'text' },
  summary: 'which tenant',
  details: 'The tenant. Default: the only one that the proxy has.',
} as const satisfies OptionSpec;

export const failed: ExitCode = {
  code: '2',
  meaning:
    'a mistake in the command line, a file that cannot be read, or a proxy that cannot be reached or refuses',
};
