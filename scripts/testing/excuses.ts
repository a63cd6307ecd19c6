import { accessSync, constants, existsSync } from 'node:fs';
import { arch, networkInterfaces } from 'node:os';
import { checkDestination } from '@openshell/policy';
import { SUITE_MARK, type TestResult } from './result.ts';

const isProgram = (name: string): boolean =>
  (process.env.PATH ?? '').split(':').some((directory) => {
    try {
      accessSync(`${directory}/${name}`, constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });

/** Other than those of loopback. */
const hasOwnAddress = (): boolean =>
  Object.values(networkInterfaces())
    .flatMap((addresses = []) => addresses.map(({ address }) => address))
    .some((address) => checkDestination([address], { host: address, port: 443, exactHost: true }).ok);

interface Excuse {
  readonly reason: RegExp;
  /** Asks the machine, given what the pattern caught: a reason that is not true excuses nothing. */
  holds(caught: string): boolean;
}

const EXCUSES: readonly Excuse[] = [
  { reason: /^(\S+) is not (?:on this machine|installed)/, holds: (program) => !isProgram(program) },
  { reason: /^no address of its own that policies allow on this machine/, holds: () => !hasOwnAddress() },
  { reason: /^no (\S+) on this machine/, holds: (program) => !isProgram(program) },
  { reason: /IPv6/, holds: () => !existsSync('/proc/net/if_inet6') },
  { reason: /arm64/, holds: () => arch() !== 'arm64' },
  { reason: /x86-64|x32|ia32|32-bit/, holds: () => arch() !== 'x64' },
  // The kernel's switch is one of two bars; the other (no policy can name such a program) has a test that is never skipped.
  { reason: /^vm\.memfd_noexec is not 2 here/, holds: () => true },
  { reason: /KVM/, holds: () => !existsSync('/dev/kvm') },
];

const identityOf = ({ file, name }: TestResult): string => `${file}\0${name}`;

/** Of the test and of the suites around it: a whole suite may be skipped elsewhere. */
const identitiesOf = ({ file, name }: TestResult): string[] =>
  name.split(SUITE_MARK).map((_, index, titles) => `${file}\0${titles.slice(0, index + 1).join(SUITE_MARK)}`);

/**
 * The skips that nothing excuses: the test did not run in any other group either (as root what only an ordinary user
 * can do, and the other way around), and this machine has what the reason says is missing.
 */
export const unexcusedSkips = (results: readonly TestResult[]): TestResult[] => {
  const ran = new Set(results.filter(({ outcome }) => outcome !== 'skipped').flatMap(identitiesOf));
  const isExcused = ({ detail = '' }: TestResult): boolean =>
    EXCUSES.some(({ reason, holds }) => {
      const match = reason.exec(detail);
      return match !== null && holds(match[1] ?? '');
    });
  return results.filter(
    (result) => result.outcome === 'skipped' && !ran.has(identityOf(result)) && !isExcused(result),
  );
};
