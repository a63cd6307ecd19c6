import { ContentReader, type Handling } from './wire.ts';

/** What a client says after its start-up packet (manual, section 55.7), as far as it matters. */
export type FrontendMessage =
  | { readonly kind: 'query'; readonly text: Buffer }
  | { readonly kind: 'parse'; readonly statement: string; readonly text: Buffer }
  | { readonly kind: 'bind'; readonly portal: string; readonly statement: string }
  | { readonly kind: 'execute'; readonly portal: string }
  | { readonly kind: 'describe' | 'close' }
  | { readonly kind: 'sync' | 'flush' | 'terminate' | 'function-call' }
  /** The end of data that COPY takes in. */
  | { readonly kind: 'copy-end' }
  | { readonly kind: 'malformed'; readonly reason: string };

export const handlingOfFrontend = (type: string): Handling => {
  if (type === 'd') return 'stream';
  return 'QPBEDCSHFcfXp'.includes(type) ? 'whole' : 'unknown';
};

/** Reads a message strictly: nothing missing, nothing left over. */
export function readFrontend(type: string, bytes: Buffer): FrontendMessage {
  const content = new ContentReader(bytes);
  const read = readContent(type, content);
  return read.kind === 'malformed' || content.complete
    ? read
    : { kind: 'malformed', reason: `its message of the type ${type} is malformed` };
}

function readContent(type: string, content: ContentReader): FrontendMessage {
  switch (type) {
    case 'Q':
      return { kind: 'query', text: content.string() };
    case 'P': {
      const statement = nameOf(content.string());
      const text = content.string();
      content.take(content.int16() * 4);
      return { kind: 'parse', statement, text };
    }
    case 'B':
      return bind(content);
    case 'E': {
      const portal = nameOf(content.string());
      content.int32();
      return { kind: 'execute', portal };
    }
    case 'D':
    case 'C': {
      const what = content.take(1)?.[0];
      content.string();
      if (what !== 0x53 && what !== 0x50) content.overrun = true;
      return { kind: type === 'D' ? 'describe' : 'close' };
    }
    case 'S':
      return { kind: 'sync' };
    case 'H':
      return { kind: 'flush' };
    case 'X':
      return { kind: 'terminate' };
    case 'F':
      content.rest();
      return { kind: 'function-call' };
    case 'c':
      return { kind: 'copy-end' };
    case 'f':
      content.string();
      return { kind: 'copy-end' };
    default:
      return { kind: 'malformed', reason: `a message of the type ${JSON.stringify(type)} has no place here` };
  }
}

function bind(content: ContentReader): FrontendMessage {
  const portal = nameOf(content.string());
  const statement = nameOf(content.string());
  content.take(content.int16() * 2);
  const parameters = content.int16() & 0xffff;
  for (let i = 0; i < parameters && !content.overrun; i++) {
    const length = content.int32();
    // -1 is NULL.
    if (length !== -1) content.take(length);
  }
  content.take(content.int16() * 2);
  return { kind: 'bind', portal, statement };
}

/** Names of statements and portals are only compared, byte for byte, and the server compares no more than 63 bytes. */
const nameOf = (bytes: Buffer): string => bytes.toString('latin1', 0, Math.min(bytes.length, 63));
