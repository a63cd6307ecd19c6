import { execFileSync } from 'node:child_process';
import {
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  realpathSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';

/** The user that images run as unless they are told otherwise. */
export const NONROOT = 65_532;

/** Shared libraries that are loaded by name while a program runs: names are looked up by them. */
const LOADED_LATER = ['libresolv.so.2', 'libnss_dns.so.2', 'libnss_files.so.2'];
const CERTIFICATES = '/etc/ssl/certs/ca-certificates.crt';

/**
 * Writes a root file system to `out` in which Node.js runs and nothing else: its binary without symbols, the libraries that it names, the machine's
 * authorities, two users. Throws where this machine has no such library.
 */
export function writeBaseRoot(node: string, out: string): void {
  const binary = join(out, 'usr/local/bin/node');
  for (const folder of ['etc/ssl/certs', 'usr/local/bin', 'usr/lib', 'proc', 'sys', 'dev', 'run', 'app'])
    mkdirSync(join(out, folder), { recursive: true });
  mkdirSync(join(out, 'tmp'), { mode: 0o1777 });
  // As Debian does: what names /lib finds /usr/lib.
  for (const name of ['lib', 'lib64']) {
    mkdirSync(join(out, 'usr', name), { recursive: true });
    symlinkSync(`usr/${name}`, join(out, name));
  }
  copyFileSync(node, binary);
  // A quarter of the file is symbols that only a debugger reads. Without `strip` the image is larger, and nothing else.
  try {
    execFileSync('strip', ['--strip-all', binary], { stdio: 'ignore' });
  } catch {
    copyFileSync(node, binary);
  }
  for (const library of librariesOf(node)) {
    const place = join(out, 'usr', library.replace(/^\/usr/, ''));
    mkdirSync(dirname(place), { recursive: true });
    copyFileSync(realpathSync(library), place);
  }
  if (existsSync(CERTIFICATES)) cpSync(CERTIFICATES, join(out, CERTIFICATES), { dereference: true });
  const write = (path: string, text: string): void => writeFileSync(join(out, path), text);
  write(
    'etc/passwd',
    `root:x:0:0:root:/:/nonexistent\nnonroot:x:${NONROOT}:${NONROOT}:nonroot:/tmp:/nonexistent\n`,
  );
  write('etc/group', `root:x:0:\nnonroot:x:${NONROOT}:\n`);
  write('etc/nsswitch.conf', 'hosts: files dns\n');
}

/** Absolute paths, the loader included. */
function librariesOf(program: string): string[] {
  const listing = execFileSync('ldd', [program], { encoding: 'utf8' });
  const named = [...listing.matchAll(/(?:=> )?(\/\S+) \(0x/g)].map(([, path]) => path!);
  const folder = dirname(named.find((path) => path.endsWith('/libc.so.6')) ?? '/lib/libc.so.6');
  const later = LOADED_LATER.map((name) => join(folder, name)).filter((path) => existsSync(path));
  if (named.length === 0) throw new Error(`ldd names no library of ${program}`);
  return [...named, ...later];
}
