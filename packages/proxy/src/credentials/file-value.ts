import { constants } from 'node:fs';
import { open, rename, rm, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { messageOf } from '@openshell/base';
import { LIMITS } from '../limits.ts';
import { type Eventually, isRefusal, type Refusal, unavailable } from './injection.ts';
import type { SecretValue } from './secret.ts';
import { KnownValues, type SecretSource, secretOr } from './secret-source.ts';

/** The content of a file, without the line break at its end. The file is looked at again from time to time and read when it has changed. */
export class FileValue implements SecretSource {
  readonly #path: string;
  readonly #name: string;
  readonly #now: () => number;
  readonly #known = new KnownValues();
  #value: SecretValue | undefined;
  #version = '';
  #checkedAt = Number.NEGATIVE_INFINITY;
  #reading: Promise<SecretValue | Refusal> | undefined;

  constructor(path: string, name: string, now: () => number) {
    this.#path = path;
    this.#name = name;
    this.#now = now;
  }

  get known(): readonly SecretValue[] {
    return this.#known.values;
  }

  get(): Eventually<SecretValue | Refusal> {
    const age = this.#now() - this.#checkedAt;
    if (this.#value && age >= 0 && age < LIMITS.credentialFileAge.value) return this.#value;
    this.#reading ??= this.#read().finally(() => {
      this.#reading = undefined;
    });
    return this.#reading;
  }

  /** What a person should know about the file: others may read it. */
  async notice(): Promise<string | undefined> {
    const { mode } = await stat(this.#path);
    if ((mode & 0o077) === 0) return undefined;
    const shown = (mode & 0o777).toString(8).padStart(4, '0');
    return `Credential ${this.#name}: ${this.#path} has mode ${shown}, so others may read it; chmod 600 it.`;
  }

  /** Puts another value in the file's place, all at once. The file is then the owner's alone. */
  async replace(value: SecretValue): Promise<void> {
    const beside = join(dirname(this.#path), `.${process.pid}-${Date.now().toString(36)}.openshell`);
    try {
      await writeFile(beside, `${value.reveal()}\n`, { mode: 0o600, flag: 'wx', flush: true });
      await rename(beside, this.#path);
    } catch (thrown) {
      await rm(beside, { force: true });
      throw thrown;
    }
    this.#checkedAt = Number.NEGATIVE_INFINITY;
  }

  async #read(): Promise<SecretValue | Refusal> {
    try {
      await this.#refresh();
    } catch (thrown) {
      this.#value = undefined;
      this.#version = '';
      return this.#unavailable(messageOf(thrown));
    }
    this.#checkedAt = this.#now();
    return this.#value ?? this.#unavailable('it holds nothing that can be used');
  }

  async #refresh(): Promise<void> {
    // Without O_NONBLOCK, opening a named pipe would wait for somebody to write.
    await using file = await open(this.#path, constants.O_RDONLY | constants.O_NONBLOCK);
    const found = await file.stat({ bigint: true });
    if (!found.isFile()) throw new Error('it is not a file');
    const version = [found.mtimeNs, found.ctimeNs, found.size, found.ino].join();
    if (version === this.#version) return;
    const buffer = Buffer.alloc(LIMITS.credentialBytes.value + 2);
    const { bytesRead } = await file.read(buffer, 0, buffer.length, 0);
    const text = buffer.toString('utf8', 0, bytesRead).replace(/\r?\n$/, '');
    const value = secretOr(text, this.#name, '');
    if (isRefusal(value)) throw new Error(value.detail);
    this.#version = version;
    this.#value = value;
    this.#known.add(value);
  }

  #unavailable(why: string): Refusal {
    return unavailable(
      `credential ${this.#name} cannot be read from its file: ${why}`,
      `Make ${this.#path} a readable file that holds nothing but the value.`,
    );
  }
}
