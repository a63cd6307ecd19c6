/** `LANDLOCK_ACCESS_FS_*` of include/uapi/linux/landlock.h. */
export const FS = {
  execute: 1n << 0n,
  writeFile: 1n << 1n,
  readFile: 1n << 2n,
  readDir: 1n << 3n,
  removeDir: 1n << 4n,
  removeFile: 1n << 5n,
  makeChar: 1n << 6n,
  makeDir: 1n << 7n,
  makeReg: 1n << 8n,
  makeSock: 1n << 9n,
  makeFifo: 1n << 10n,
  makeBlock: 1n << 11n,
  makeSym: 1n << 12n,
  refer: 1n << 13n,
  truncate: 1n << 14n,
  ioctlDev: 1n << 15n,
} as const;

const FIRST_ABI_FS = (1n << 13n) - 1n;

/**
 * What is granted on a path. `list` shows the names in a directory that is only the way to others, and in all that are
 * beneath it; `device` is for terminals and device nodes that are named one by one.
 */
export type LandlockAccess = 'list' | 'read' | 'write' | 'device';

/** What lies at the path. */
export type LandlockKind = 'file' | 'directory' | 'device';

const READ = FS.execute | FS.readFile | FS.readDir;

// Device nodes are never made inside a sandbox, so makeChar and makeBlock are governed and granted to nobody.
const WRITE =
  READ |
  FS.writeFile |
  FS.removeDir |
  FS.removeFile |
  FS.makeDir |
  FS.makeReg |
  FS.makeSock |
  FS.makeFifo |
  FS.makeSym |
  FS.refer |
  FS.truncate;

/** Rights that an access means, before they are narrowed to the kind of inode and to the running kernel. */
export const RIGHTS_OF_ACCESS: Readonly<Record<LandlockAccess, bigint>> = {
  list: FS.readDir,
  read: READ,
  write: WRITE,
  // readDir for /dev/pts, whose terminals come and go; no execute: nothing in /dev is a program.
  device: FS.readFile | FS.writeFile | FS.readDir | FS.ioctlDev,
};

/** Rights that make sense for an inode. The kernel refuses a rule for a file that carries more (EINVAL). */
export const RIGHTS_OF_KIND: Readonly<Record<LandlockKind, bigint>> = {
  directory: (1n << 16n) - 1n,
  file: FS.execute | FS.readFile | FS.writeFile | FS.truncate,
  device: FS.readFile | FS.writeFile | FS.ioctlDev,
};

/** Every file-system right that a kernel with this ABI knows. */
export function fsRightsOfAbi(abi: number): bigint {
  let rights = 0n;
  if (abi >= 1) rights |= FIRST_ABI_FS;
  if (abi >= 2) rights |= FS.refer;
  if (abi >= 3) rights |= FS.truncate;
  if (abi >= 5) rights |= FS.ioctlDev;
  return rights;
}
