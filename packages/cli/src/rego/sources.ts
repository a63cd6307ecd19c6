import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { messageOf } from '@openshell/base';
import { type JsonObject, RegoError, type RegoVersion, readBundle, toJson } from '@openshell/rego';
import { usageError } from '../command/usage-error.ts';
import { isJsonObject, mergeData, parseData } from './data-file.ts';

/** Largest file that is read, in bytes, and the most files. */
const LIMITS = { fileBytes: 64 * 1024 * 1024, files: 10_000 } as const;

/** What rules consist of. */
export interface Sources {
  /** Texts by file name. */
  readonly modules: Readonly<Record<string, string>>;
  readonly data: JsonObject;
  /** `v0` where a bundle says so. */
  readonly version: RegoVersion;
  /** `policy.wasm` of a bundle. */
  readonly wasm?: Uint8Array<ArrayBuffer>;
}

export interface ReadOptions {
  /** `leave-out`: files of directories whose names end in `_test.rego` are not read. */
  readonly tests?: 'leave-out';
}

/**
 * Reads rules and data: `.rego`, `.json`, `.yaml` and `.yml` files, OPA bundles (`.tar.gz`), and directories of the former. Data of a file
 * that was named stands at the root, data in a directory below the names of the directories in between, as OPA has it.
 * @throws OpenShellError with code `usage`: unreadable, not parsed, in conflict, or of no known kind
 */
export const readSources = (paths: readonly string[], options: ReadOptions = {}): Sources => {
  const reader = new SourceReader(options);
  for (const path of paths) reader.read(path);
  return reader.sources();
};

class SourceReader {
  readonly #options: ReadOptions;
  readonly #modules = new Map<string, string>();
  #data: JsonObject = {};
  #version: RegoVersion = 'v1';
  #wasm: Uint8Array<ArrayBuffer> | undefined;
  #files = 0;

  constructor(options: ReadOptions) {
    this.#options = options;
  }

  sources(): Sources {
    const common = { modules: Object.fromEntries(this.#modules), data: this.#data, version: this.#version };
    return this.#wasm === undefined ? common : { ...common, wasm: this.#wasm };
  }

  read(path: string): void {
    if (isDirectory(path)) this.#readDirectory(path, []);
    else if (!this.#readFile(path, [])) {
      throw usageError(
        `${path} is no Rego, data or bundle`,
        'Such files end in .rego, .json, .yaml, .yml or .tar.gz.',
      );
    }
  }

  /** In the order of names, so that messages are the same everywhere. Links to directories are not followed. */
  #readDirectory(directory: string, place: readonly string[]): void {
    const entries = attempt(directory, () => readdirSync(directory, { withFileTypes: true }));
    for (const entry of entries.toSorted((a, b) => (a.name < b.name ? -1 : 1))) {
      if (entry.name.startsWith('.')) continue;
      const path = join(directory, entry.name);
      if (entry.isDirectory()) this.#readDirectory(path, [...place, entry.name]);
      else if (this.#isWanted(entry.name)) this.#readFile(path, place);
    }
  }

  #isWanted(name: string): boolean {
    if (name.endsWith('.tar.gz')) return false;
    return this.#options.tests !== 'leave-out' || !name.endsWith('_test.rego');
  }

  /** Whether the file was of a kind that is known. */
  #readFile(path: string, place: readonly string[]): boolean {
    if (!/\.(?:rego|json|ya?ml|tar\.gz)$/.test(path)) return false;
    this.#files++;
    if (this.#files > LIMITS.files)
      throw usageError(`there are more than ${LIMITS.files} files of rules and data`);
    const bytes = readBounded(path);
    if (path.endsWith('.tar.gz')) this.#addBundle(path, bytes);
    else if (path.endsWith('.rego')) this.#modules.set(path, textOf(path, bytes));
    else this.#addData(path, parseData(path, textOf(path, bytes)), place);
    return true;
  }

  #addBundle(path: string, bytes: Uint8Array): void {
    try {
      const { modules, data, version, files } = readBundle(bytes);
      for (const [name, text] of Object.entries(modules)) this.#modules.set(`${path}:${name}`, text);
      this.#addData(path, toJson(data), []);
      if (version === 'v0') this.#version = version;
      const wasm = files.get('policy.wasm');
      if (wasm !== undefined) this.#wasm = new Uint8Array(wasm);
    } catch (error) {
      throw error instanceof RegoError ? usageError(`${path}: ${error.message}`) : error;
    }
  }

  #addData(path: string, value: ReturnType<typeof parseData>, place: readonly string[]): void {
    const document = place.reduceRight<typeof value>((below, name) => ({ [name]: below }), value);
    if (!isJsonObject(document))
      throw usageError(`${path} has no names at its top`, 'Data is a map of names to values.');
    this.#data = mergeData(this.#data, document, path);
  }
}

const isDirectory = (path: string): boolean => attempt(path, () => statSync(path)).isDirectory();

const readBounded = (path: string): Uint8Array =>
  attempt(path, () => {
    const { size } = statSync(path);
    if (size > LIMITS.fileBytes) throw new Error(`it is larger than ${LIMITS.fileBytes} bytes`);
    return readFileSync(path);
  });

const textOf = (path: string, bytes: Uint8Array): string => {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw usageError(`${path} is not text in UTF-8`);
  }
};

const attempt = <T>(path: string, work: () => T): T => {
  try {
    return work();
  } catch (cause) {
    const missing = (cause as NodeJS.ErrnoException).code === 'ENOENT';
    throw usageError(
      `${path} cannot be read: ${missing ? 'there is no such file or directory' : messageOf(cause)}`,
    );
  }
};
