import { execFileSync } from 'node:child_process';
import { accessSync, constants, existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const HERE = fileURLToPath(new URL('.', import.meta.url));

/** Debian's package of each program that is compared with or needed for it. */
const PACKAGES: Readonly<Record<string, string>> = {
  bwrap: 'bubblewrap',
  squid: 'squid-openssl',
  tinyproxy: 'tinyproxy',
  mitmdump: 'mitmproxy',
  nginx: 'nginx-light',
  gcc: 'gcc libc6-dev libssl-dev',
  make: 'make',
  openssl: 'openssl',
  socat: 'socat',
  rg: 'ripgrep',
};

const canRun = (path: string): boolean => {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
};

/** Whether a program is there; if not, `note` gets its name and where it comes from. */
export function hasProgram(name: string, note: (text: string) => void): boolean {
  const places = [...(process.env.PATH ?? '').split(delimiter), '/usr/sbin', '/sbin'];
  if (places.some((place) => canRun(join(place, name)))) return true;
  note(`${name} is not installed: apt-get install ${PACKAGES[name] ?? name}`);
  return false;
}

/** Directory of the peers that npm has. Installs them when they are not there; undefined where that fails. */
export function npmPeers(note: (text: string) => void): string | undefined {
  const modules = join(HERE, 'node_modules');
  if (existsSync(join(modules, '.package-lock.json'))) return modules;
  try {
    execFileSync('npm', ['ci', '--prefix', HERE, '--no-audit', '--no-fund', '--ignore-scripts'], {
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    return modules;
  } catch {
    note('the peers of bench/peers/package.json are not installed: npm ci --prefix bench/peers');
    return undefined;
  }
}
