import { readdirSync } from 'node:fs';
import { OpenShellError } from '@openshell/base';
import type { IdMap, MountItem } from '../spec/spec.ts';
import { type HostPath, lookUpHostPath } from './host.ts';
import { ownerMap } from './idmap.ts';

export interface FilesRequest {
  /** Absolute paths of the host, shown at the same place. */
  readonly readOnly: readonly string[];
  readonly readWrite: readonly string[];
  /** Shown and writable whatever it is, the host's /tmp included. */
  readonly workdir?: string;
  /** A private, empty, writable directory is mounted here. */
  readonly home: string;
  /** Files of ours, shown in place of the host's. */
  readonly files: readonly { readonly path: string; readonly content: Uint8Array; readonly mode: number }[];
  /** Who the workload is. */
  readonly uid: number;
  readonly gid: number;
  /** True when the launcher runs as root: writable directories are mounted so that their owner stays the owner. */
  readonly mapOwners: boolean;
}

/** A path that Landlock allows, as seen inside. */
export interface AllowedPath {
  readonly path: string;
  readonly access: 'list' | 'read' | 'write' | 'device';
  readonly kind: 'file' | 'directory' | 'device';
}

export interface FilesPlan {
  readonly mounts: readonly MountItem[];
  readonly idmaps: readonly IdMap[];
  readonly allowed: readonly AllowedPath[];
  readonly missing: readonly string[];
  /** Whether the workload could write a file at this path: then its content proves nothing before its first use. */
  writable(path: string): boolean;
  /** Whether the path, links resolved, is part of the sandbox's view. */
  visible(path: string): boolean;
}

const DEVICES = ['null', 'zero', 'full', 'random', 'urandom', 'tty'];
const MASKED = [
  'kcore',
  'keys',
  'sysrq-trigger',
  'timer_list',
  'kallsyms',
  'acpi',
  'scsi',
  'latency_stats',
  'sched_debug',
];

const under = (path: string, directory: string): boolean =>
  path === directory || path.startsWith(`${directory}/`);
const depth = (path: string): number => path.split('/').length;

/** Places that are the sandbox's own, never the host's. */
const ownPlace = (real: string): 'proc' | 'dev' | undefined =>
  under(real, '/proc') ? 'proc' : under(real, '/dev') ? 'dev' : undefined;

class Builder {
  readonly #request: FilesRequest;
  readonly #binds = new Map<string, { host: HostPath; writable: boolean }>();
  readonly #links = new Map<string, string>();
  readonly #allowed: AllowedPath[] = [{ path: '/', access: 'list', kind: 'directory' }];
  readonly missing: string[] = [];

  constructor(request: FilesRequest) {
    this.#request = request;
  }

  add(path: string, writable: boolean): void {
    const host = lookUpHostPath(path);
    if (!host) {
      this.missing.push(path);
      return;
    }
    for (const [at, text] of host.links) this.#links.set(at, text);
    if (host.real === '/') {
      this.#addRoot(writable);
      return;
    }
    const own = ownPlace(host.real);
    const inside = own === 'dev' && host.kind !== 'device' ? undefined : host.real;
    // Never /proc: whoever writes to a child's memory there borrows the child's identity.
    const access = !writable || own === 'proc' ? 'read' : host.kind === 'device' ? 'device' : 'write';
    if (inside) this.#allowed.push({ path: inside, access, kind: host.kind });
    if (own === 'proc' || (own === 'dev' && (host.kind !== 'device' || DEVICES.includes(host.real.slice(5)))))
      return;
    const known = this.#binds.get(host.real);
    this.#binds.set(host.real, { host, writable: writable || (known?.writable ?? false) });
  }

  /** "/" means each thing in it: the root itself stays ours. */
  #addRoot(writable: boolean): void {
    if (writable) {
      throw new OpenShellError('the root directory cannot be writable in a sandbox', {
        code: 'writable_root',
        remedy: 'Run in a directory below it, or name one with --workdir.',
      });
    }
    for (const name of readdirSync('/')) if (name !== 'tmp') this.add(`/${name}`, writable);
  }

  /** A bind that says nothing new about what its parent already shows is left out. */
  #needed(real: string, writable: boolean): boolean {
    let nearest: { at: string; writable: boolean } | undefined;
    for (const [at, bind] of this.#binds) {
      if (at !== real && under(real, at) && (!nearest || at.length > nearest.at.length))
        nearest = { at, writable: bind.writable };
    }
    if (!nearest) return true;
    // A private directory of ours in between hides what the parent shows.
    if (this.#privatePlaces().some((place) => under(real, place) && under(place, nearest.at))) return true;
    return nearest.writable !== writable;
  }

  #privatePlaces(): string[] {
    return ['/tmp', this.#request.home].filter((place) => !this.#binds.has(place));
  }

  #bindItems(idmaps: IdMap[]): MountItem[] {
    const { uid, gid, mapOwners } = this.#request;
    const known = new Map<string, number>();
    const items: MountItem[] = [];
    for (const [real, { host, writable }] of this.#binds) {
      if (!this.#needed(real, writable)) continue;
      const item = {
        kind: 'bind',
        source: real,
        target: real,
        readOnly: !writable,
        devices: host.kind === 'device',
      } as const;
      const foreign =
        mapOwners && writable && host.kind !== 'device' && (host.uid !== uid || host.gid !== gid);
      if (!foreign) {
        items.push(item);
        continue;
      }
      const key = `${host.uid}:${host.gid}`;
      const position = known.get(key) ?? idmaps.push(ownerMap(host, { uid, gid })) - 1;
      known.set(key, position);
      items.push({ ...item, idmap: position });
    }
    return items;
  }

  #ownItems(): MountItem[] {
    const { uid, gid, mapOwners } = this.#request;
    const owner = mapOwners ? `,uid=${uid},gid=${gid}` : '';
    const items: MountItem[] = this.#privatePlaces().map((target) => ({
      kind: 'tmpfs',
      target,
      options: target === '/tmp' ? 'mode=1777' : `mode=700${owner}`,
    }));
    items.push(
      { kind: 'proc', target: '/proc' },
      { kind: 'tmpfs', target: '/dev', options: 'mode=755,size=64k', noExec: true },
      { kind: 'devpts', target: '/dev/pts', options: 'newinstance,mode=620,ptmxmode=666' },
      { kind: 'tmpfs', target: '/dev/shm', options: 'mode=1777', noExec: true },
    );
    for (const name of DEVICES) {
      items.push({
        kind: 'bind',
        source: `/dev/${name}`,
        target: `/dev/${name}`,
        readOnly: false,
        devices: true,
        noExec: true,
      });
    }
    const links = {
      ptmx: 'pts/ptmx',
      fd: '/proc/self/fd',
      stdin: '/proc/self/fd/0',
      stdout: '/proc/self/fd/1',
      stderr: '/proc/self/fd/2',
    };
    for (const [name, text] of Object.entries(links))
      items.push({ kind: 'symlink', target: `/dev/${name}`, text });
    for (const name of MASKED) {
      const kind = lookUpHostPath(`/proc/${name}`)?.kind;
      if (kind === 'file')
        items.push({
          kind: 'bind',
          source: '/dev/null',
          target: `/proc/${name}`,
          readOnly: true,
          noExec: true,
        });
      if (kind === 'directory')
        items.push({ kind: 'tmpfs', target: `/proc/${name}`, options: 'mode=000,size=4k', noExec: true });
    }
    return items;
  }

  /** Where a file of ours goes: links of the host are followed; a directory that is shown must already have the name. */
  #fileItems(): MountItem[] {
    const items: MountItem[] = [];
    for (const { path, content, mode } of this.#request.files) {
      const host = lookUpHostPath(path);
      const target = host?.real ?? path;
      const shown = [...this.#binds.keys()].some((at) => under(target, at));
      if (shown && !host) continue;
      items.push({ kind: 'file', target, content, mode });
      for (const [at, text] of host?.links ?? []) this.#links.set(at, text);
      this.#allowed.push({ path: target, access: 'read', kind: 'file' });
    }
    return items;
  }

  finish(): FilesPlan {
    const idmaps: IdMap[] = [];
    const items = [...this.#ownItems(), ...this.#fileItems(), ...this.#bindItems(idmaps)];
    const reached = (path: string): boolean =>
      items.some((item) => item.target !== '/' && under(item.target, path));
    for (const [target, text] of this.#links) {
      // A link that stands where a directory of ours must be would lead out of the plan.
      if (!reached(target)) items.push({ kind: 'symlink', target, text });
    }
    items.sort((a, b) => depth(a.target) - depth(b.target));
    items.push({ kind: 'seal', target: '/dev' }, { kind: 'seal', target: '/' });
    const writablePlaces = [...this.#privatePlaces(), '/dev/shm'];
    for (const path of writablePlaces) this.#allowed.push({ path, access: 'write', kind: 'directory' });
    this.#allowed.push(
      { path: '/proc', access: 'read', kind: 'directory' },
      { path: '/dev', access: 'read', kind: 'directory' },
    );
    for (const name of DEVICES) {
      this.#allowed.push({
        path: `/dev/${name}`,
        access: name === 'tty' ? 'device' : 'write',
        kind: 'device',
      });
    }
    this.#allowed.push({ path: '/dev/pts', access: 'device', kind: 'directory' });

    const places = items.flatMap((item) => {
      if (item.kind === 'bind') return [{ at: item.target, writable: !item.readOnly, own: false }];
      return item.kind === 'tmpfs' ? [{ at: item.target, writable: true, own: true }] : [];
    });
    const nearest = (path: string) =>
      places.filter((place) => under(path, place.at)).sort((a, b) => b.at.length - a.at.length)[0];
    return {
      mounts: items,
      idmaps,
      allowed: dropRepeated(this.#allowed),
      missing: this.missing,
      writable: (path) => nearest(path)?.writable ?? false,
      visible: (path) => {
        const real = lookUpHostPath(path)?.real ?? path;
        const place = nearest(real);
        // In a directory of ours, what the host has at the same place is not there.
        return place !== undefined && (!place.own || place.at === real);
      },
    };
  }
}

const dropRepeated = (paths: readonly AllowedPath[]): AllowedPath[] => [
  ...new Map(paths.map((entry) => [`${entry.path} ${entry.access}`, entry])).values(),
];

/**
 * Computes the sandbox's view of files: mounts in an order in which parents come first, identity maps, and the
 * paths for Landlock.
 * A listed path that does not exist is left out and named in `missing`: what is not there cannot be touched.
 * @throws OpenShellError `writable_root`.
 */
export const planFiles = (request: FilesRequest): FilesPlan => {
  const builder = new Builder(request);
  for (const path of request.readOnly) if (path !== '/tmp') builder.add(path, false);
  // /tmp in a policy means the sandbox's own; the host's appears only where something below it is named, or work is done in it.
  for (const path of request.readWrite) if (path !== '/tmp') builder.add(path, true);
  if (request.workdir !== undefined) builder.add(request.workdir, true);
  return builder.finish();
};
