import type { BodySource } from '../exchange/body.ts';
import type { ResponseHead } from '../exchange/exchange.ts';
import type { HeaderField } from '../http/request-head.ts';
import { decodedBody, type Encoding, encodingOf } from './decoded-body.ts';
import { EncodedSearch, type Hit } from './encoded.ts';
import { StreamSearch, searched } from './guard.ts';
import { injectionFailed, isRefusal, type MaskedResponse, type Refusal, type Used } from './injection.ts';
import type { SecretValue } from './secret.ts';

/** Shorter values are not looked for: they would be found in text that has nothing to do with them. In bytes. */
const MASKED_FROM = 6;

/** A value that must not come back, and what stands for it. */
export interface Masked {
  readonly value: SecretValue;
  readonly placeholder: string;
}

/** Replaces the values of one host's credentials, in whatever common writing, by their placeholders. */
export class Mask {
  readonly #masked: readonly Masked[];
  readonly #search: EncodedSearch;

  constructor(masked: readonly Masked[]) {
    this.#masked = masked.filter(({ value }) => Buffer.byteLength(value.reveal()) >= MASKED_FROM);
    this.#search = new EncodedSearch(
      this.#masked.map(({ value }) => ({ bytes: Buffer.from(value.reveal()).toString('latin1') })),
    );
  }

  get isEmpty(): boolean {
    return this.#masked.length === 0;
  }

  text(text: string): string {
    const bytes = Buffer.from(text);
    if (!this.#search.test(bytes.toString('latin1'))) return text;
    const stream = this.#stream();
    return Buffer.concat([stream.push(bytes)!, stream.end()!]).toString();
  }

  fields(fields: readonly HeaderField[]): readonly HeaderField[] {
    const masked = fields.map((field) => {
      const value = this.#latin1(field.value);
      return value === field.value ? field : { ...field, value };
    });
    return masked.some((field, index) => field !== fields[index]) ? masked : fields;
  }

  body(source: BodySource): BodySource {
    return {
      length: undefined,
      start: (receiver) =>
        source.start(searched(receiver, this.#search, this.#onHit, (trailers) => this.fields(trailers))),
      resume: () => source.resume(),
      cancel: () => source.cancel(),
    };
  }

  readonly #onHit = {
    kind: 'replace',
    with: ({ needle }: Hit): string => this.#masked[needle]!.placeholder,
  } as const;

  #stream(): StreamSearch {
    return new StreamSearch(this.#search, this.#onHit);
  }

  /** Header values are bytes as latin1 already. */
  #latin1(text: string): string {
    if (!this.#search.test(text)) return text;
    const stream = this.#stream();
    return Buffer.concat([stream.push(Buffer.from(text, 'latin1'))!, stream.end()!]).toString('latin1');
  }
}

/** What comes back for one request to a host that credentials are bound to. The mask is asked for late: values may become known meanwhile. */
export class MaskedExchange implements Used {
  readonly #names = new Set<string>();
  readonly #method: string;
  readonly #mask: () => Mask;

  constructor(method: string, mask: () => Mask) {
    this.#method = method;
    this.#mask = mask;
  }

  get names(): readonly string[] {
    return [...this.#names];
  }

  add(name: string): void {
    this.#names.add(name);
  }

  response(head: ResponseHead, body: BodySource): MaskedResponse | Refusal {
    const mask = this.#mask();
    if (mask.isEmpty) return { head, body };
    const masked = { ...head, fields: mask.fields(head.fields) };
    if (hasNoBody(this.#method, head.status, body)) return { head: masked, body };
    const encoding = encodingOf(head.fields);
    if (encoding === 'identity') return { head: masked, body: mask.body(body) };
    if (encoding === 'unknown') return UNREADABLE;
    return decodedAndMasked(mask, masked, body, encoding);
  }

  fields(fields: readonly HeaderField[]): readonly HeaderField[] {
    return this.#mask().fields(fields);
  }
}

function decodedAndMasked(
  mask: Mask,
  head: ResponseHead,
  body: BodySource,
  encoding: Encoding,
): MaskedResponse | Refusal {
  // Part of an encoded body cannot be decoded (RFC 9110 section 14.4: ranges count encoded bytes).
  if (head.status === 206) return UNREADABLE;
  const decoded = decodedBody(body, encoding);
  if (isRefusal(decoded)) return decoded;
  const fields = head.fields.filter(({ lowerName }) => lowerName !== 'content-encoding');
  return { head: { ...head, fields }, body: mask.body(decoded) };
}

/** RFC 9110 section 6.4.1. */
const hasNoBody = (method: string, status: number, body: BodySource): boolean =>
  method === 'HEAD' || status === 204 || status === 304 || body.length === 0;

const UNREADABLE: Refusal = {
  ...injectionFailed(
    'the response is encoded in a way that cannot be searched for credentials',
    'Ask for it without Content-Encoding: this host gets credentials, so what it answers is looked through.',
  ),
  status: 502,
};
