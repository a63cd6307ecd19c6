import type { Transform } from 'node:stream';
import { createBrotliDecompress, createUnzip, createZstdDecompress } from 'node:zlib';
import type { BodySource } from '../exchange/body.ts';
import type { HeaderField } from '../http/request-head.ts';
import { LIMITS } from '../limits.ts';

/** Content codings that can be undone (RFC 9110 section 8.4.1, RFC 7932, RFC 8878). */
export type Encoding = 'zip' | 'br' | 'zstd';

const ENCODINGS: Readonly<Record<string, Encoding | 'identity'>> = {
  identity: 'identity',
  gzip: 'zip',
  'x-gzip': 'zip',
  deflate: 'zip',
  br: 'br',
  zstd: 'zstd',
};

/** How a body is encoded; `unknown` also where it is so more than once. */
export function encodingOf(fields: readonly HeaderField[]): Encoding | 'identity' | 'unknown' {
  const values = fields.filter(({ lowerName }) => lowerName === 'content-encoding');
  if (values.length === 0) return 'identity';
  const only = values.length === 1 ? values[0]!.value.trim().toLowerCase() : '';
  return Object.hasOwn(ENCODINGS, only) ? ENCODINGS[only]! : 'unknown';
}

/**
 * A body without its encoding. Nothing is gathered: what is decoded waits in the decoder until it is taken, and what comes waits until it
 * is decoded. A body that becomes larger than the limit fails.
 */
export function decodedBody(
  source: BodySource,
  encoding: Encoding,
  maxBytes: number = LIMITS.decodedResponseBytes.value,
): BodySource {
  const decoder = decoderFor(encoding);
  return {
    length: undefined,
    start(receiver) {
      let trailers: readonly HeaderField[] = [];
      let total = 0;
      let over = false;
      const fail = (reason: string): void => {
        if (over) return;
        over = true;
        decoder.destroy();
        receiver.fail(reason);
      };
      decoder.on('data', (bytes: Buffer) => {
        total += bytes.length;
        if (total > maxBytes) {
          source.cancel();
          fail(`the decoded response is larger than ${maxBytes} bytes`);
        } else if (!over && !receiver.data(bytes)) decoder.pause();
      });
      decoder.on('end', () => {
        if (over) return;
        over = true;
        receiver.end(trailers);
      });
      decoder.on('error', () => {
        source.cancel();
        fail('the response is not encoded as it says');
      });
      decoder.on('drain', () => source.resume());
      source.start({
        data: (bytes) => !over && decoder.write(Buffer.from(bytes)),
        end(fields) {
          trailers = fields;
          decoder.end();
        },
        fail,
      });
    },
    resume: () => {
      decoder.resume();
    },
    cancel() {
      source.cancel();
      decoder.destroy();
    },
  };
}

function decoderFor(encoding: Encoding): Transform {
  switch (encoding) {
    case 'zip':
      return createUnzip();
    case 'br':
      return createBrotliDecompress();
    case 'zstd':
      return createZstdDecompress();
    default:
      return encoding satisfies never;
  }
}
