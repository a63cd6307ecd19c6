import { createRequire } from 'node:module';
import { gunzipSync } from 'node:zlib';
import { RegoError } from '../error.ts';
import { fromJson, type Json, jsonText, parseJson, RegoObject, type Value } from '../value/index.ts';
import { readTar, type TarFile } from './tar.ts';

export interface Bundle {
  readonly revision: string;
  /** The paths below `data` that the bundle owns; `['']` for all. */
  readonly roots: readonly string[];
  readonly version: 'v0' | 'v1';
  /** Text of the Rego files by their path in the bundle. */
  readonly modules: Readonly<Record<string, string>>;
  readonly data: Value;
  /** What else there is: `policy.wasm`. */
  readonly files: ReadonlyMap<string, Uint8Array>;
}

export interface BundleLimits {
  /** Largest size unpacked, in bytes; 64 MiB unless told. */
  readonly maxBytes?: number;
}

/**
 * Reads a bundle (`.tar.gz`).
 * Throws a RegoError (`bundle_error`) that names the file and what is wrong with it.
 */
export const readBundle = (
  archive: Uint8Array,
  { maxBytes = 64 * 1024 * 1024 }: BundleLimits = {},
): Bundle => {
  const modules: Record<string, string> = {};
  const files = new Map<string, Uint8Array>();
  let data: Value = new RegoObject();
  let manifest: Manifest = {};
  for (const file of readTar(unpack(archive, maxBytes))) {
    const path = normalise(file.path);
    const base = path.split('/').at(-1);
    if (path === '.manifest') manifest = readManifest(file);
    else if (base === 'data.json' || base === 'data.yaml' || base === 'data.yml')
      data = withFile(data, path, file);
    else if (path.endsWith('.rego')) modules[path] = textOf(file, path);
    else files.set(path, file.content);
  }
  const roots = manifest.roots ?? [''];
  checkRoots(data, roots);
  const version = manifest.rego_version === 0 ? 'v0' : 'v1';
  return { revision: manifest.revision ?? '', roots, version, modules, data, files };
};

interface Manifest {
  readonly revision?: string;
  readonly roots?: readonly string[];
  readonly rego_version?: number;
}

const bundleError = (message: string): RegoError => new RegoError('bundle_error', message);

const unpack = (archive: Uint8Array, maxBytes: number): Uint8Array => {
  try {
    return gunzipSync(archive, { maxOutputLength: maxBytes });
  } catch (cause) {
    const reason = cause instanceof RangeError ? `it is larger than ${maxBytes} bytes` : 'it is not gzip';
    throw bundleError(`the bundle cannot be unpacked: ${reason}`);
  }
};

/** Without the leading `./` or `/` that archives differ in. A path that climbs out is refused. */
const normalise = (path: string): string => {
  const parts = path.split('/').filter((part) => part !== '' && part !== '.');
  if (parts.includes('..')) throw bundleError(`the bundle has a file outside of itself: ${path}`);
  return parts.join('/');
};

const textOf = ({ content }: TarFile, path: string): string => {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(content);
  } catch {
    throw bundleError(`${path} is not UTF-8`);
  }
};

const readManifest = (file: TarFile): Manifest => {
  const path = '.manifest';
  const parsed = parseManifestJson(file, path);
  if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed))
    throw bundleError(`${path} is no object`);
  const manifest = parsed as Readonly<Record<string, unknown>>;
  const { revision, roots, rego_version: version } = manifest;
  if (revision !== undefined && typeof revision !== 'string')
    throw bundleError(`${path}: revision is no string`);
  if (roots !== undefined && !isStrings(roots)) throw bundleError(`${path}: roots is no array of strings`);
  return {
    ...(revision === undefined ? {} : { revision }),
    ...(roots === undefined ? {} : { roots: roots.map((root) => normalise(root)) }),
    ...(typeof version === 'number' ? { rego_version: version } : {}),
  };
};

const isStrings = (value: unknown): value is readonly string[] =>
  Array.isArray(value) && value.every((element) => typeof element === 'string');

const parseManifestJson = (file: TarFile, path: string): unknown => {
  try {
    return JSON.parse(textOf(file, path));
  } catch (cause) {
    throw cause instanceof RegoError ? cause : bundleError(`${path} is not JSON: ${String(cause)}`);
  }
};

/** The document with a data file's content put where its folder says. */
const withFile = (document: Value, path: string, file: TarFile): Value => {
  const folder = path.split('/').slice(0, -1);
  const content = parseData(textOf(file, path), path);
  return merge(
    document,
    folder.reduceRight<Value>((below, name) => new RegoObject([[name, below]]), content),
    path,
  );
};

const parseData = (text: string, path: string): Value => {
  try {
    return path.endsWith('.json') ? parseJson(text) : fromJson(parseYaml(text) as Json);
  } catch (cause) {
    throw bundleError(`${path} cannot be parsed: ${cause instanceof Error ? cause.message : String(cause)}`);
  }
};

/** Loaded only for bundles that have YAML. */
const parseYaml = (text: string): unknown => {
  const yaml = createRequire(import.meta.url)('yaml') as typeof import('yaml');
  return yaml.parse(text, { maxAliasCount: 100 });
};

/** Two documents in one. Throws where both have something else than objects. */
const merge = (a: Value, b: Value, path: string): Value => {
  if (!(a instanceof RegoObject) || !(b instanceof RegoObject)) {
    throw bundleError(`${path} has ${jsonText(b).slice(0, 40)} where another file has something else`);
  }
  const merged = new RegoObject(a);
  for (const [key, value] of b) {
    const known = a.get(key);
    merged.set(key, known === undefined ? value : merge(known, value, path));
  }
  return merged;
};

const checkRoots = (data: Value, roots: readonly string[]): void => {
  if (roots.includes('')) return;
  const owned = roots.map((root) => root.split('/'));
  for (const path of leaves(data)) {
    const inside = owned.some((root) => root.every((part, index) => part === path[index]));
    if (!inside) throw bundleError(`data at ${path.join('/')} is outside of the manifest's roots`);
  }
};

const leaves = function* (value: Value, path: readonly string[] = []): Generator<readonly string[]> {
  if (!(value instanceof RegoObject)) {
    yield path;
    return;
  }
  for (const [key, member] of value) yield* leaves(member, [...path, String(key)]);
};
