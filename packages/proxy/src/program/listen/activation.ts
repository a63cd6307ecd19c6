import { OpenShellError } from '@openshell/base';

/** Sockets that whoever started the program had opened already, by name; several may have one name. */
export type ActivatedSockets = ReadonlyMap<string, readonly number[]>;

/** The first descriptor that is handed over (sd_listen_fds(3)). */
const FIRST = 3;
const MAX_SOCKETS = 1024;
/** sd_listen_fds_with_names(3): what a socket without a name is called. */
const UNNAMED = 'unknown';

const VARIABLES = ['LISTEN_PID', 'LISTEN_FDS', 'LISTEN_FDNAMES', 'LISTEN_PIDFDID'];

/**
 * Takes what systemd hands over: the variables of sd_listen_fds(3), which are removed, as they are for this process and not for its
 * children. Each socket is found by its name and by its number. Throws `activation_invalid`.
 */
export function takeActivatedSockets(environment: NodeJS.ProcessEnv, pid: number): ActivatedSockets {
  const { LISTEN_PID: forPid, LISTEN_FDS: count, LISTEN_FDNAMES: names } = environment;
  for (const variable of VARIABLES) delete environment[variable];
  // Meant for another process, of which this one is a child.
  if (count === undefined || forPid !== String(pid)) return new Map();
  const sockets = Number(count);
  if (!/^[0-9]{1,4}$/.test(count) || sockets > MAX_SOCKETS)
    throw new OpenShellError(`LISTEN_FDS is ${JSON.stringify(count)}, which is no number of sockets`, {
      code: 'activation_invalid',
      remedy: 'Let systemd, or whatever starts the proxy, set it as sd_listen_fds(3) says.',
    });
  const given = names === undefined || names === '' ? [] : names.split(':');
  const found = new Map<string, number[]>();
  for (let index = 0; index < sockets; index += 1) {
    const descriptor = FIRST + index;
    found.set(String(descriptor), [descriptor]);
    const name = given[index] || UNNAMED;
    found.set(name, [...(found.get(name) ?? []), descriptor]);
  }
  return found;
}
