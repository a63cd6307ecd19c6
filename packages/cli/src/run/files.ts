import { accessSync, constants, readFileSync, realpathSync, type Stats, statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import type { EventsDestination } from '@openshell/sandbox';
import { usageError } from '../command/usage-error.ts';

/** The words for what most often keeps a file from being used. */
const reasons: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file or directory',
  EACCES: 'this user may not read it',
  ENOTDIR: 'a part of the path is not a directory',
  ELOOP: 'it goes round in symbolic links',
  ENAMETOOLONG: 'the path is too long',
};

const reasonOf = (error: unknown): string => {
  const { code = '', message } = error as NodeJS.ErrnoException;
  return reasons[code] ?? message;
};

/**
 * A file that will be read: it exists, is no directory, and this user may read it.
 *
 * @param source names the option or the place in the configuration file, for messages.
 * @throws OpenShellError with code `usage`.
 */
export const checkReadable = (path: string, source: string): void => {
  if (look(path, source).isDirectory()) throw usageError(`${source}: ${path} is a directory`, 'Name a file.');
  try {
    accessSync(path, constants.R_OK);
  } catch (error) {
    throw usageError(`${source}: ${path}: ${reasonOf(error)}`);
  }
};

/** A PEM file with at least one certificate. What is in it is the proxy's to judge. */
export const checkCertificates = (path: string, source: string): void => {
  checkReadable(path, source);
  if (!readFileSync(path, 'latin1').includes('-----BEGIN CERTIFICATE-----')) {
    throw usageError(
      `${source}: ${path} has no certificate in PEM form`,
      'It has lines that begin with -----BEGIN CERTIFICATE-----.',
    );
  }
};

/**
 * The directory that a command starts in: absolute, without symbolic links.
 *
 * @throws OpenShellError with code `usage`.
 */
export const workingDirectory = (path: string | undefined): string => {
  if (path === undefined) return currentDirectory();
  if (!look(path, '--workdir').isDirectory()) throw usageError(`--workdir: ${path} is not a directory`);
  return realpathSync(path);
};

const currentDirectory = (): string => {
  try {
    return process.cwd();
  } catch {
    throw usageError('the current directory has been removed', 'Change to another, or give --workdir.');
  }
};

/**
 * Where events go. The file is made later; here it is only found out that it can be.
 *
 * @throws OpenShellError with code `usage`.
 */
export const eventsDestination = (text: string): EventsDestination => {
  if (text === '-') return { kind: 'stdout' };
  const path = resolve(text);
  const existing = statSync(path, { throwIfNoEntry: false });
  if (existing?.isDirectory())
    throw usageError(`--events: ${text} is a directory`, 'Name a file, or - for standard output.');
  const wrong = (why: string) => usageError(`--events: ${text} cannot be written: ${why}`);
  const mustBeWritable = existing === undefined ? dirname(path) : path;
  if (existing === undefined && !look(mustBeWritable, '--events').isDirectory()) {
    throw wrong(`${mustBeWritable} is not a directory`);
  }
  try {
    accessSync(mustBeWritable, constants.W_OK);
  } catch (error) {
    const denied = (error as NodeJS.ErrnoException).code === 'EACCES';
    throw wrong(`${mustBeWritable}: ${denied ? 'this user may not write there' : reasonOf(error)}`);
  }
  return { kind: 'file', path };
};

const look = (path: string, source: string): Stats => {
  try {
    return statSync(path);
  } catch (error) {
    throw usageError(`${source}: ${path}: ${reasonOf(error)}`);
  }
};
