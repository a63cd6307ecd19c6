import { DEFAULT_FILESYSTEM, defaultPolicy } from '../default-policy.ts';
import { POLICY_LIMITS } from '../limits.ts';
import type { FilesystemPolicy, LandlockPolicy, Policy, ProcessPolicy } from '../policy.ts';
import type { RawFilesystem, RawPolicy } from '../schema/policy-schema.ts';
import type { Scope } from './scope.ts';

/** Checks and normalises what is fixed when a sandbox starts. */
export function readStaticPart(
  raw: RawPolicy,
  scope: Scope,
): Pick<Policy, 'filesystem' | 'landlock' | 'process'> {
  return {
    filesystem: readFilesystem(raw.filesystem_policy, scope.at('filesystem_policy')),
    landlock: readLandlock(raw, scope),
    process: readProcess(raw, scope.at('process')),
  };
}

function readFilesystem(raw: RawFilesystem | undefined, scope: Scope): FilesystemPolicy {
  if (!raw) return DEFAULT_FILESYSTEM;
  const readOnly = raw.read_only ?? [];
  const readWrite = raw.read_write ?? [];
  const count = readOnly.length + readWrite.length;
  if (count > POLICY_LIMITS.paths) {
    scope.problem(
      'too_many',
      `${count} paths; at most ${POLICY_LIMITS.paths} are accepted.`,
      'Name directories rather than files.',
    );
  }
  return {
    includeWorkdir: raw.include_workdir ?? false,
    readOnly: readPaths(readOnly, scope.at('read_only')),
    readWrite: readPaths(readWrite, scope.at('read_write'), true),
  };
}

function readPaths(paths: readonly string[], scope: Scope, writable = false): string[] {
  const normal = paths.map((path, index) =>
    path === undefined ? '' : readPath(path, scope.at(index), writable),
  );
  return [...new Set(normal)].sort();
}

function readPath(path: string, scope: Scope, writable: boolean): string {
  if (!path.startsWith('/'))
    scope.problem('relative_path', `"${path}" is not absolute.`, 'Start the path with "/".');
  const parts = path.split('/').filter((part) => part !== '' && part !== '.');
  if (parts.includes('..'))
    scope.problem('path_traversal', `"${path}" goes up with "..".`, 'Write the path that it leads to.');
  if (writable && parts.length === 0) {
    scope.problem(
      'overly_broad_path',
      'The whole file system would be writable.',
      'Name the directories that are written to.',
    );
  }
  const normal = `/${parts.join('/')}`;
  if (holdsHostSockets(normal)) {
    scope.notice(
      'host_sockets',
      `${normal} may hold sockets of services on the host (container engines, D-Bus), which are ways out of the sandbox.`,
      'Name only the files below it that are needed.',
    );
  }
  return normal;
}

const SOCKET_PLACES = ['/run', '/var/run'];

const holdsHostSockets = (path: string): boolean =>
  SOCKET_PLACES.some(
    (place) => path === '/' || path === place || path.startsWith(`${place}/`) || place.startsWith(`${path}/`),
  );

function readLandlock(raw: RawPolicy, scope: Scope): LandlockPolicy {
  const written = raw.landlock?.compatibility;
  if (written === undefined && raw.filesystem_policy) {
    scope.notice(
      'landlock_default',
      'No landlock.compatibility is given: a kernel that cannot enforce the paths is now an error rather than a warning.',
      'Write "landlock: { compatibility: best_effort }" to run with less protection there.',
    );
  }
  return written === 'best_effort' ? { compatibility: written } : defaultPolicy.landlock;
}

function readProcess(raw: RawPolicy, scope: Scope): ProcessPolicy {
  const user = readIdentity(raw.process?.run_as_user, scope.at('run_as_user'));
  const group = readIdentity(raw.process?.run_as_group, scope.at('run_as_group'));
  return { ...(user ? { runAsUser: user } : {}), ...(group ? { runAsGroup: group } : {}) };
}

const MAX_ID = 4_294_967_294;

function readIdentity(text: string | undefined, scope: Scope): string | undefined {
  if (text === undefined || text === '' || text === 'sandbox') return text;
  if (/^[1-9][0-9]{0,9}$/.test(text) && Number(text) <= MAX_ID) return text;
  scope.problem(
    'bad_process_identity',
    `"${text}" is not an identity that a sandbox may have.`,
    `Write "sandbox" or a number from 1 to ${MAX_ID} in quotes; root is never one.`,
  );
  return undefined;
}
