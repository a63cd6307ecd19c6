import { OpenShellError } from '@openshell/base';
import type { LandlockItem, LauncherSpec, ListenerItem, MountItem, NetlinkItem } from './spec.ts';

/** "OSL1", little endian. */
const MAGIC = 0x314c534f;

const Tag = {
  flags: 1,
  ids: 2,
  groups: 3,
  maps: 4,
  hostname: 5,
  base: 6,
  mount: 7,
  idmap: 8,
  listen: 9,
  netlink: 10,
  argv: 11,
  env: 12,
  cwd: 13,
  rlimit: 14,
  landlock: 15,
  rule: 16,
  seccomp: 17,
  window: 18,
} as const;

const Flag = { userNamespace: 1, terminal0: 2, hold: 16 } as const;
const MountKind = {
  directory: 1,
  symlink: 2,
  file: 3,
  bind: 4,
  tmpfs: 5,
  proc: 6,
  devpts: 7,
  seal: 8,
} as const;
const MountFlag = { readOnly: 1, noExec: 2, devices: 4 } as const;

/** Grows as it is written; text is NUL-terminated, numbers are little endian. */
class Writer {
  #bytes = Buffer.allocUnsafe(16384);
  #size = 8;

  #reserve(more: number): number {
    const at = this.#size;
    if (at + more > this.#bytes.length) {
      const larger = Buffer.allocUnsafe(Math.max(this.#bytes.length * 2, at + more));
      this.#bytes.copy(larger, 0, 0, at);
      this.#bytes = larger;
    }
    this.#size += more;
    return at;
  }

  u32(value: number): this {
    const at = this.#reserve(4);
    this.#bytes.writeUInt32LE(value >>> 0, at);
    return this;
  }

  u64(value: bigint): this {
    const at = this.#reserve(8);
    this.#bytes.writeBigUInt64LE(value, at);
    return this;
  }

  bytes(value: Uint8Array): this {
    const at = this.#reserve(value.length);
    this.#bytes.set(value, at);
    return this;
  }

  text(value: string): this {
    if (value.includes('\0')) {
      throw new OpenShellError(`${JSON.stringify(value)} contains a NUL character`, {
        code: 'nul_in_text',
        remedy: 'Remove it: no path, argument or variable can hold one.',
      });
    }
    const length = Buffer.byteLength(value);
    const at = this.#reserve(length + 1);
    this.#bytes.write(value, at);
    this.#bytes[at + length] = 0;
    return this;
  }

  texts(values: readonly string[]): this {
    for (const value of values) this.text(value);
    return this;
  }

  record(tag: number, content: () => void): this {
    this.u32(tag);
    const at = this.#reserve(4);
    content();
    this.#bytes.writeUInt32LE(this.#size - at - 4, at);
    return this;
  }

  finish(): Buffer {
    this.#bytes.writeUInt32LE(MAGIC, 0);
    this.#bytes.writeUInt32LE(this.#size - 8, 4);
    return this.#bytes.subarray(0, this.#size);
  }
}

const writeMount = (to: Writer, item: MountItem): void => {
  const flags =
    (('readOnly' in item && item.readOnly) || item.kind === 'file' ? MountFlag.readOnly : 0) |
    (('noExec' in item && item.noExec) || item.kind === 'proc' || item.kind === 'devpts'
      ? MountFlag.noExec
      : 0) |
    (('devices' in item && item.devices) || item.kind === 'devpts' ? MountFlag.devices : 0);
  const idmap = item.kind === 'bind' && item.idmap !== undefined ? item.idmap + 1 : 0;
  to.u32(MountKind[item.kind])
    .u32(flags)
    .u32('mode' in item ? item.mode : 0)
    .u32(idmap)
    .text(item.target);
  switch (item.kind) {
    case 'symlink':
      to.text(item.text);
      break;
    case 'bind':
      to.text(item.source);
      break;
    case 'tmpfs':
    case 'devpts':
      to.text(item.options);
      break;
    case 'directory':
    case 'file':
    case 'proc':
    case 'seal':
      to.text('');
      break;
    default:
      item satisfies never;
  }
  if (item.kind === 'file') to.bytes(item.content);
};

const writeListener = (to: Writer, item: ListenerItem): void => {
  const address = new Uint8Array(16);
  address.set(item.address);
  to.u32(item.transport === 'udp' ? 1 : 0)
    .u32(item.address.length === 16 ? 1 : 0)
    .u32(item.port)
    .u32(item.transparent ? 1 : 0)
    .bytes(address)
    .text(item.name);
};

const writeLandlock = (to: Writer, item: LandlockItem): void => {
  to.record(Tag.landlock, () => {
    to.u32(item.attributeSize).u32(item.restrictFlags);
    to.u64(item.handledAccessFs).u64(item.handledAccessNet).u64(item.scoped);
  });
  for (const rule of item.rules) to.record(Tag.rule, () => to.u64(rule.access).text(rule.path));
};

const writeNetlinks = (to: Writer, items: readonly NetlinkItem[]): void => {
  for (const item of items) {
    to.record(Tag.netlink, () => {
      to.u32(item.protocol)
        .u32(item.required ? 1 : 0)
        .u32(item.lastSequence)
        .text(item.name)
        .bytes(item.bytes);
    });
  }
};

/** What the launcher's `--probe` is to try beside what it tries by itself. */
export const encodeProbe = (netlinks: readonly NetlinkItem[]): Buffer => {
  const to = new Writer();
  writeNetlinks(to, netlinks);
  return to.finish();
};

/**
 * The bytes of a specification, header included, as `launcher/PROTOCOL.md` says.
 * @throws OpenShellError `nul_in_text` when a path, argument or variable holds a NUL character.
 */
export const encodeSpec = (spec: LauncherSpec): Buffer => {
  const to = new Writer();
  const terminal = spec.command?.terminal.reduce<number>((bits, fd) => bits | (Flag.terminal0 << fd), 0) ?? 0;
  const flags = (spec.userNamespace ? Flag.userNamespace : 0) | terminal | (spec.command ? 0 : Flag.hold);
  const { userNamespace, command, landlock } = spec;
  to.record(Tag.flags, () => to.u32(flags));
  to.record(Tag.ids, () => to.u32(spec.uid).u32(spec.gid));
  to.record(Tag.groups, () => {
    for (const group of spec.groups) to.u32(group);
  });
  if (userNamespace) to.record(Tag.maps, () => to.text(userNamespace.uidMap).text(userNamespace.gidMap));
  to.record(Tag.hostname, () => to.text(spec.hostname));
  to.record(Tag.base, () => to.text(spec.base));
  for (const map of spec.idmaps) to.record(Tag.idmap, () => to.text(map.uidMap).text(map.gidMap));
  for (const item of spec.mounts) to.record(Tag.mount, () => writeMount(to, item));
  writeNetlinks(to, spec.netlinks);
  for (const item of spec.listeners) to.record(Tag.listen, () => writeListener(to, item));
  for (const limit of spec.rlimits) {
    to.record(Tag.rlimit, () => to.u32(limit.resource).u64(limit.soft).u64(limit.hard));
  }
  if (landlock) writeLandlock(to, landlock);
  to.record(Tag.seccomp, () => to.bytes(spec.seccomp));
  if (command) {
    to.record(Tag.argv, () => to.texts(command.argv));
    to.record(Tag.env, () => to.texts(command.env));
    to.record(Tag.cwd, () => to.text(command.cwd));
    const { window } = command;
    if (window) to.record(Tag.window, () => to.u32(window.rows).u32(window.columns));
  }
  return to.finish();
};
