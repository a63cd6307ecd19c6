import type { BodySource } from '../exchange/body.ts';
import { type WholeBody, wholeBody } from '../inspect/whole-body.ts';
import { isJsonObject, type JsonObject, writeJson } from '../json/json-value.ts';
import { KnownNames } from '../json/known-names.ts';
import { type JsonLimits, parseStrictJson } from '../json/strict-json.ts';
import { type Holding, NO_MEMORY } from '../tenant/byte-budget.ts';
import type { ApiError } from './api-error.ts';

/** The body of a request, understood. */
export class ModelRequest {
  readonly #members: JsonObject;

  constructor(members: JsonObject) {
    this.#members = members;
  }

  /** Undefined: it names none. */
  get model(): string | undefined {
    const model = this.#members.get('model');
    return typeof model === 'string' ? model : undefined;
  }

  /** Written anew: nothing goes out that was not understood. */
  render(model: string | undefined): Buffer {
    const members = model === undefined ? this.#members : new Map([...this.#members, ['model', model]]);
    return Buffer.from(writeJson(members));
  }
}

/** By these a route is chosen: a reader further on must not find another one. */
const NAMES = new KnownNames(['model']);

const bad = (message: string): ApiError => ({ status: 400, code: 'invalid_request', message });

/** Reads a request's JSON object, or says what is wrong with it. */
export function readModelRequest(bytes: Buffer, limits: JsonLimits): ModelRequest | ApiError {
  const result = parseStrictJson(bytes, limits);
  if (result.kind === 'fault')
    return bad(`The body is not JSON that can be read: ${result.reason} (byte ${result.offset}).`);
  if (!isJsonObject(result.value)) return bad('The body is not a JSON object.');
  const similar = NAMES.mistakable([...result.value.keys()]);
  if (similar !== undefined) return bad(`The body has a member that could be mistaken for "${similar}".`);
  const model = result.value.get('model');
  if (model !== undefined && (typeof model !== 'string' || model.length > MODEL_LENGTH))
    return bad(`"model" is not a text of at most ${MODEL_LENGTH} characters.`);
  return new ModelRequest(result.value);
}

const MODEL_LENGTH = 256;

export interface BodyLimits {
  readonly bytes: number;
  readonly time: number;
  /** What the caller holds in memory. */
  readonly held: Holding;
}

/** Reads a body within its bounds, or says which it broke. `undefined`: the client has gone. */
export async function readBody(
  source: BodySource,
  limits: BodyLimits,
  signal: AbortSignal,
): Promise<Buffer | ApiError | undefined> {
  const late = Promise.withResolvers<'late' | 'gone'>();
  const timer = setTimeout(() => late.resolve('late'), limits.time);
  const gone = (): void => late.resolve('gone');
  signal.addEventListener('abort', gone, { once: true });
  try {
    const read = await Promise.race<WholeBody | 'late' | 'gone'>([
      wholeBody(source, limits.bytes, limits.held),
      late.promise,
    ]);
    if (read === 'gone') return undefined;
    if (read === 'late') {
      source.cancel();
      return {
        status: 408,
        code: 'request_timeout',
        message: `The body did not come within ${limits.time} ms.`,
      };
    }
    switch (read.kind) {
      case 'whole':
        return read.bytes;
      case 'too_large':
        return {
          status: 413,
          code: 'request_too_large',
          message: `The body is longer than ${limits.bytes} bytes.`,
        };
      case 'no_memory':
        return { status: NO_MEMORY.status, code: NO_MEMORY.code, message: `${NO_MEMORY.detail}.` };
      case 'failed':
        return bad('The body ended too early.');
      default:
        return read satisfies never;
    }
  } finally {
    clearTimeout(timer);
    signal.removeEventListener('abort', gone);
  }
}
