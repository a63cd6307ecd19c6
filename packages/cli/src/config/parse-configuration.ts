import { dirname, resolve } from 'node:path';
import { OpenShellError } from '@openshell/base';
import type { RuntimeKind } from '@openshell/sandbox';
import { parse, TomlError, type TomlTable } from 'smol-toml';
import { nearest } from '../command/nearest.ts';
import { checkCertificates, checkReadable } from '../run/files.ts';
import { parseResolveRule } from '../run/resolve-rule.ts';
import { parseRuntimeKind } from '../run/runtime-kind.ts';
import { type Configuration, noConfiguration } from './configuration.ts';
import { lineOf } from './line-of.ts';

/** As the options of `openshell run`, with underscores. */
const keys = [
  'resolve',
  'upstream_ca',
  'client_certificate',
  'upstream_proxy',
  'upstream_proxy_auth',
  'upstream_no_proxy',
  'middleware',
  'credential',
  'credentials',
  'inference_routes',
  'runtime',
] as const;

const PROXY_KEYS = {
  url: 'upstream_proxy',
  authFile: 'upstream_proxy_auth',
  noProxy: 'upstream_no_proxy',
} as const;

/** Keys whose texts the proxy's own readers understand; these are loaded only for them. */
const READ = [
  'client_certificate',
  'middleware',
  'credential',
  'credentials',
  'inference_routes',
  ...Object.values(PROXY_KEYS),
] as const;

/**
 * Reads the text of a configuration file. Paths in it are relative to the file's directory.
 *
 * @throws OpenShellError naming the file and the line.
 */
export const parseConfiguration = async (text: string, file: string): Promise<Configuration> => {
  const table = parseToml(text, file);
  const at = (key: string, value?: string): string => `${file}:${lineOf(text, key, value)}: ${key}`;
  for (const key of Object.keys(table)) {
    if (!(keys as readonly string[]).includes(key)) throw unknownKey(key, at(key));
  }
  const reader: Reader = { table, at, directory: dirname(file) };
  const runtime = runtimeKind(reader);
  return {
    ...noConfiguration,
    resolve: strings(reader, 'resolve').map((rule) => parseResolveRule(rule, at('resolve', rule))),
    upstreamCa: authorities(reader),
    ...(READ.some((key) => table[key] !== undefined) ? await readWords(reader) : {}),
    ...(runtime === undefined ? {} : { runtime }),
  };
};

interface Reader {
  readonly table: TomlTable;
  /** Where a key, and a value of it, stands. */
  readonly at: (key: string, value?: string) => string;
  readonly directory: string;
}

const parseToml = (text: string, file: string): TomlTable => {
  try {
    return parse(text);
  } catch (error) {
    if (!(error instanceof TomlError)) throw error;
    const [reason = ''] = error.message.split('\n', 1);
    throw invalid(`${file}:${error.line}:${error.column}: ${reason.replace(/^Invalid TOML document: /, '')}`);
  }
};

const authorities = (reader: Reader): readonly string[] =>
  strings(reader, 'upstream_ca').map((written) => {
    const path = resolve(reader.directory, written);
    checkCertificates(path, reader.at('upstream_ca', written));
    return path;
  });

type Words = Omit<Configuration, 'resolve' | 'upstreamCa' | 'runtime'>;

const readWords = async (reader: Reader): Promise<Words> => {
  const { at, directory } = reader;
  const { loadOperatorReaders } = await import('@openshell/sandbox');
  const read = await loadOperatorReaders();
  const clientCertificates = strings(reader, 'client_certificate').map((written) => {
    const source = at('client_certificate', written);
    const found = read.parseClientCertificate(written, { source, directory });
    checkCertificates(found.certificate, source);
    checkReadable(found.key, source);
    return found;
  });
  const { url, authFile, noProxy } = PROXY_KEYS;
  const proxy = read.parseUpstreamProxy(
    {
      url: string(reader, url, 'http://HOST:PORT'),
      authFile: filePath(reader, authFile),
      noProxy: string(reader, noProxy, 'HOST,…'),
    },
    (text) => ({ source: at(PROXY_KEYS[text]), directory }),
  );
  const credentials = filePath(reader, 'credentials');
  const routes = filePath(reader, 'inference_routes');
  return {
    clientCertificates,
    ...(proxy === undefined ? {} : { upstreamProxy: proxy }),
    middlewares: read.parseMiddlewares(strings(reader, 'middleware'), (written) => at('middleware', written)),
    credentials: [
      ...strings(reader, 'credential').map((written) =>
        read.parseCredentialOption(written, at('credential', written)),
      ),
      ...(credentials === undefined ? [] : read.readCredentialFile(credentials)),
    ],
    routes: routes === undefined ? [] : read.readRouteFile(routes),
  };
};

/** A file that can be read, as an absolute path. */
const filePath = (reader: Reader, key: string): string | undefined => {
  const written = string(reader, key, 'FILE');
  if (written === undefined) return undefined;
  const path = resolve(reader.directory, written);
  checkReadable(path, reader.at(key));
  return path;
};

const runtimeKind = (reader: Reader): RuntimeKind | undefined => {
  const value = string(reader, 'runtime', 'process');
  return value === undefined ? undefined : parseRuntimeKind(value, reader.at('runtime'));
};

const string = ({ table, at }: Reader, key: string, example: string): string | undefined => {
  const value = table[key];
  if (value === undefined || (typeof value === 'string' && value !== '')) return value;
  throw invalid(`${at(key)}: this is not text`, `Write ${key} = "${example}".`);
};

const strings = ({ table, at }: Reader, key: string): readonly string[] => {
  const value = table[key];
  if (value === undefined) return [];
  const isList =
    Array.isArray(value) && value.every((item): item is string => typeof item === 'string' && item !== '');
  if (!isList) throw invalid(`${at(key)}: this is not a list of texts`, `Write ${key} = ["…"].`);
  return value as readonly string[];
};

const unknownKey = (key: string, place: string): OpenShellError => {
  const meant = nearest(key, keys);
  return invalid(
    `${place}: there is no such key`,
    meant === undefined ? `The keys are ${keys.join(', ')}.` : `Did you mean ${meant}?`,
  );
};

const invalid = (message: string, remedy?: string): OpenShellError =>
  new OpenShellError(message, { code: 'configuration', ...(remedy === undefined ? {} : { remedy }) });
