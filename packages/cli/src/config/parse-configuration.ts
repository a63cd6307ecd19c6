import { dirname, resolve } from 'node:path';
import { OpenShellError } from '@openshell/base';
import type { ResolveRule, RuntimeKind } from '@openshell/sandbox';
import { parse, TomlError, type TomlTable } from 'smol-toml';
import { nearest } from '../command/nearest.ts';
import { checkCertificates } from '../run/files.ts';
import { parseResolveRule } from '../run/resolve-rule.ts';
import { parseRuntimeKind } from '../run/runtime-kind.ts';
import type { Configuration } from './configuration.ts';
import { lineOf } from './line-of.ts';

const keys = ['resolve', 'upstream_ca', 'runtime'] as const;

/**
 * Reads the text of a configuration file. Paths in it are relative to the file's directory.
 *
 * @throws OpenShellError with code `configuration` or `usage`, naming the file and the line.
 */
export const parseConfiguration = (text: string, file: string): Configuration => {
  const table = parseToml(text, file);
  const at = (key: string, value?: string): string => `${file}:${lineOf(text, key, value)}: ${key}`;
  for (const key of Object.keys(table)) {
    if (!(keys as readonly string[]).includes(key)) throw unknownKey(key, at(key));
  }
  const runtime = runtimeKind(table, at);
  return {
    resolve: resolveRules(table, at),
    upstreamCa: authorities(table, at, dirname(file)),
    ...(runtime === undefined ? {} : { runtime }),
  };
};

/** Where a key, and a value of it, stands. */
type Place = (key: string, value?: string) => string;

const parseToml = (text: string, file: string): TomlTable => {
  try {
    return parse(text);
  } catch (error) {
    if (!(error instanceof TomlError)) throw error;
    const [reason = ''] = error.message.split('\n', 1);
    throw invalid(`${file}:${error.line}:${error.column}: ${reason.replace(/^Invalid TOML document: /, '')}`);
  }
};

const resolveRules = (table: TomlTable, at: Place): readonly ResolveRule[] =>
  strings(table, 'resolve', at).map((rule) => parseResolveRule(rule, at('resolve', rule)));

const authorities = (table: TomlTable, at: Place, directory: string): readonly string[] =>
  strings(table, 'upstream_ca', at).map((written) => {
    const path = resolve(directory, written);
    checkCertificates(path, at('upstream_ca', written));
    return path;
  });

const runtimeKind = (table: TomlTable, at: Place): RuntimeKind | undefined => {
  const value = table.runtime;
  if (value === undefined) return undefined;
  if (typeof value !== 'string')
    throw invalid(`${at('runtime')}: this is not text`, 'Write runtime = "process".');
  return parseRuntimeKind(value, at('runtime'));
};

const strings = (table: TomlTable, key: string, at: Place): readonly string[] => {
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
