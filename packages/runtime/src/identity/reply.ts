/** One process in a launcher's answer. The stat fields together name a file content (as long as ctime is honest). */
export interface ProcessFacts {
  readonly pid: number;
  readonly dev: bigint;
  readonly ino: bigint;
  readonly size: bigint;
  /** Seconds and nanoseconds, as text. */
  readonly mtime: string;
  readonly ctime: string;
  /** What the kernel says /proc/PID/exe is. */
  readonly exe: string;
}

/** A holder of the socket, then its ancestors up to the sandbox's init. */
export type OwnerChain = readonly [ProcessFacts, ...ProcessFacts[]];

export type WhoReply =
  | { readonly id: number; readonly owners: readonly OwnerChain[] }
  | { readonly id: number; readonly problem: string };

const FIELDS = 7;

const isNumber = (word: string | undefined): boolean => word !== undefined && /^[0-9]+$/.test(word);

/** Process, device, inode and size are numbers; the rest is text. */
const isReadable = (words: readonly string[], at: number): boolean =>
  at + FIELDS <= words.length && [0, 1, 2, 3].every((field) => isNumber(words[at + field]));

const readProcess = (words: readonly string[], at: number): ProcessFacts => ({
  pid: Number(words[at]),
  dev: BigInt(words[at + 1]!),
  ino: BigInt(words[at + 2]!),
  size: BigInt(words[at + 3]!),
  mtime: words[at + 4]!,
  ctime: words[at + 5]!,
  exe: Buffer.from(words[at + 6]!, 'hex').toString(),
});

/** Reads `who ID ok owner … owner …` or `who ID no REASON` (launcher/PROTOCOL.md). Undefined for anything else. */
export const readWhoReply = (line: string): WhoReply | undefined => {
  const words = line.split(' ');
  const id = Number(words[1]);
  if (words[0] !== 'who' || !Number.isInteger(id)) return undefined;
  if (words[2] !== 'ok') return { id, problem: words[3] ?? 'unreadable' };
  const owners: ProcessFacts[][] = [];
  for (let at = 3; at < words.length; ) {
    if (words[at] === 'owner') {
      owners.push([]);
      at += 1;
      continue;
    }
    if (!isReadable(words, at)) return { id, problem: 'unreadable' };
    owners.at(-1)?.push(readProcess(words, at));
    at += FIELDS;
  }
  const complete = owners.filter((chain): chain is [ProcessFacts, ...ProcessFacts[]] => chain.length > 0);
  return complete.length === owners.length && owners.length > 0
    ? { id, owners: complete }
    : { id, problem: 'none' };
};
