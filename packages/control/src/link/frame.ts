import { OpenShellError } from '@openshell/base';
import { LINK_FRAME_BYTES } from './protocol.ts';

const LENGTH_BYTES = 4;

/** What came over the link is not what the link's version says. */
export const linkFault = (what: string): OpenShellError =>
  new OpenShellError(`the other side of the link does not keep to its protocol: ${what}`, {
    code: 'link_protocol',
    remedy: 'Use versions of openshell-sandbox and openshell-proxy that belong together.',
  });

/** A message as one frame. Throws `link_protocol` where it is longer than the other side would read. */
export function encodeFrame(message: object): Buffer {
  const json = Buffer.from(JSON.stringify(message));
  if (json.length > LINK_FRAME_BYTES) throw linkFault(`a message of ${json.length} bytes`);
  const frame = Buffer.allocUnsafe(LENGTH_BYTES + json.length);
  frame.writeUInt32BE(json.length);
  json.copy(frame, LENGTH_BYTES);
  return frame;
}

/** Pieces held before they are put together: a peer that sends byte by byte costs neither much memory nor much copying. */
const MAX_PIECES = 256;

/** Collects bytes until they are frames. Its owner stops reading when it has the frames that it wants. */
export class FrameReader {
  #pieces: Buffer[] = [];
  #held = 0;
  /** Bytes without which there is nothing to look at. */
  #needed = LENGTH_BYTES;

  push(bytes: Buffer): void {
    this.#pieces.push(bytes);
    this.#held += bytes.length;
    if (this.#pieces.length > MAX_PIECES) this.#join();
  }

  /** The JSON value of the next frame; undefined until all of it is there. Throws `link_protocol`. */
  next(): { readonly value: unknown } | undefined {
    if (this.#held < this.#needed) return undefined;
    const held = this.#join();
    const length = held.readUInt32BE(0);
    if (length > LINK_FRAME_BYTES) throw linkFault(`a frame of ${length} bytes`);
    const end = LENGTH_BYTES + length;
    this.#needed = end;
    if (held.length < end) return undefined;
    const value = parse(held.subarray(LENGTH_BYTES, end));
    this.#hold(held.subarray(end));
    return { value };
  }

  /** What came behind the frames that were read, once nobody expects frames any more. */
  rest(): Buffer {
    const rest = this.#join();
    this.#hold(Buffer.alloc(0));
    return rest;
  }

  #join(): Buffer {
    const [only, ...more] = this.#pieces;
    if (only !== undefined && more.length === 0) return only;
    const joined = Buffer.concat(this.#pieces);
    this.#pieces = [joined];
    return joined;
  }

  #hold(bytes: Buffer): void {
    this.#pieces = [bytes];
    this.#held = bytes.length;
    this.#needed = LENGTH_BYTES;
  }
}

const UTF8 = new TextDecoder('utf-8', { fatal: true });

function parse(bytes: Buffer): unknown {
  try {
    return JSON.parse(UTF8.decode(bytes));
  } catch {
    // Neither the text nor the parser's words about it: they would be somebody else's bytes in our messages.
    throw linkFault('a frame that is no JSON');
  }
}
