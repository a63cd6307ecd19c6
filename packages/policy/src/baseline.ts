import { deepFreeze } from './freeze.ts';
import type { Policy } from './policy.ts';

/** Tells whether a path exists where the sandbox will run. */
export type PathExists = (path: string) => boolean;

/** What nearly every program reads to start at all. */
const BASE_READ_ONLY = [
  '/usr',
  '/lib',
  '/lib64',
  '/bin',
  '/sbin',
  '/etc',
  '/app',
  '/var/log',
  '/proc',
  '/dev/urandom',
];
const BASE_READ_WRITE = ['/tmp'];

const GPU_MARKS = ['/dev/nvidiactl', '/dev/dxg'];
const GPU_READ_ONLY = ['/run/nvidia-persistenced', '/usr/lib/wsl'];
const GPU_READ_WRITE = [
  '/dev/nvidiactl',
  '/dev/nvidia-uvm',
  '/dev/nvidia-uvm-tools',
  '/dev/nvidia-modeset',
  '/dev/dxg',
];
const MAX_GPUS = 16;

/**
 * Adds the paths without which programs do not start, as far as they exist, and those of a GPU where there is one. A path that the
 * policy gives read-only stays read-only. Only `/proc` becomes writable with a GPU: CUDA names its threads there.
 */
export function withBaseline(policy: Policy, exists: PathExists): Policy {
  const gpu = GPU_MARKS.some(exists);
  const cards = Array.from({ length: MAX_GPUS }, (_, index) => `/dev/nvidia${index}`);
  const present = (paths: readonly string[]) => paths.filter(exists);
  const wanted = new Set([
    ...policy.filesystem.readWrite,
    ...present(BASE_READ_WRITE),
    ...(gpu ? present([...GPU_READ_WRITE, ...cards]) : []),
  ]);
  const given = new Set(policy.filesystem.readOnly);
  const readWrite = [...wanted].filter(
    (path) => policy.filesystem.readWrite.includes(path) || !given.has(path),
  );
  if (gpu && !readWrite.includes('/proc')) readWrite.push('/proc');
  const readOnly = [...given, ...present(BASE_READ_ONLY), ...(gpu ? present(GPU_READ_ONLY) : [])];
  const filesystem = {
    includeWorkdir: policy.filesystem.includeWorkdir,
    readOnly: [...new Set(readOnly)].filter((path) => !readWrite.includes(path)).sort(),
    readWrite: readWrite.sort(),
  };
  return deepFreeze({ ...policy, filesystem });
}
