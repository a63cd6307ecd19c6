import { isUtf8 } from 'node:buffer';

/** Token counts as a backend reports them. */
export interface TokenUsage {
  readonly input: number;
  readonly output: number;
}

/** Reads counts from a response's JSON as it passes; the last ones told are the sum. */
export class UsageReader {
  #input: number | undefined;
  #output: number | undefined;

  get usage(): TokenUsage | undefined {
    if (this.#input === undefined && this.#output === undefined) return undefined;
    return { input: this.#input ?? 0, output: this.#output ?? 0 };
  }

  /**
   * A `usage` member: `prompt_tokens` and `completion_tokens` of OpenAI's older APIs, `input_tokens` and `output_tokens` of its newer one
   * and of Anthropic's. A count that is absent is the one that was told before.
   */
  take(usage: unknown): void {
    if (typeof usage !== 'object' || usage === null) return;
    const counts = usage as Record<string, unknown>;
    this.#input = count(counts.input_tokens) ?? count(counts.prompt_tokens) ?? this.#input;
    this.#output = count(counts.output_tokens) ?? count(counts.completion_tokens) ?? this.#output;
  }

  /** The data of one event: counts stand at the top, in Anthropic's `message` or in OpenAI's `response`. */
  takeEvent(event: Buffer): void {
    if (!event.includes('"usage"')) return;
    const data = dataOf(event);
    if (typeof data !== 'object' || data === null) return;
    const { usage, message, response } = data as Record<string, unknown>;
    this.take(usage);
    for (const inner of [message, response])
      if (typeof inner === 'object' && inner !== null) this.take((inner as Record<string, unknown>).usage);
  }
}

const count = (value: unknown): number | undefined =>
  Number.isSafeInteger(value) && (value as number) >= 0 ? (value as number) : undefined;

/** The JSON of an event (WHATWG HTML section 9.2.6); undefined where there is none. */
function dataOf(event: Buffer): unknown {
  if (!isUtf8(event)) return undefined;
  const lines = event.toString('utf8').split(/\r\n|\n|\r/);
  const data = lines.flatMap((line) => (line.startsWith('data:') ? [line.slice(5)] : []));
  return parsed(data.join('\n'));
}

export function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // Somebody else's data: counting is all that is lost.
    return undefined;
  }
}
