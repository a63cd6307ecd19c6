import { relative } from 'node:path';
import { inspect } from 'node:util';
import { type ReporterLine, SUITE_MARK } from './result.ts';

/** The parts of the events of `node:test` that count here. */
interface TestEvent {
  readonly type: string;
  readonly data: {
    readonly name: string;
    readonly nesting: number;
    readonly file?: string;
    readonly skip?: string | boolean;
    readonly todo?: string | boolean;
    readonly message?: string;
    readonly details?: {
      readonly type?: string;
      readonly error?: { readonly cause?: unknown; readonly failureType?: string };
    };
  };
}

const failure = (error: { readonly cause?: unknown } | undefined): string => {
  const cause = error?.cause ?? error;
  return typeof cause === 'string' ? cause : inspect(cause, { depth: 4 });
};

const reasonOf = (skip: string | boolean | undefined): string =>
  typeof skip === 'string' && skip ? skip : 'no reason given';

/** A reporter for `node --test`: one JSON line for each test (suites are only part of the names). */
export default async function* report(source: AsyncIterable<TestEvent>): AsyncGenerator<string> {
  const titles = new Map<string, string[]>();
  for await (const { type, data } of source) {
    const file = data.file === undefined ? '' : relative(process.cwd(), data.file);
    const line = lineOf(type, data, file, titles);
    if (line) yield `${JSON.stringify(line)}\n`;
  }
}

const lineOf = (
  type: string,
  data: TestEvent['data'],
  file: string,
  titles: Map<string, string[]>,
): ReporterLine | undefined => {
  if (type === 'test:stdout' || type === 'test:stderr')
    return { outcome: 'output', file, text: data.message ?? '' };
  if (type === 'test:start') {
    const path = titles.get(file) ?? [];
    titles.set(file, [...path.slice(0, data.nesting), data.name]);
    return undefined;
  }
  if (type !== 'test:pass' && type !== 'test:fail') return undefined;
  const name = [...(titles.get(file) ?? []).slice(0, data.nesting), data.name].join(SUITE_MARK);
  if (type === 'test:fail') return failedLine(data, file, name);
  if (data.skip !== undefined && data.skip !== false)
    return { outcome: 'skipped', file, name, detail: reasonOf(data.skip) };
  return data.details?.type === 'suite' ? undefined : { outcome: 'passed', file, name };
};

const failedLine = ({ details }: TestEvent['data'], file: string, name: string): ReporterLine | undefined => {
  // Its failed members were told already.
  if (details?.error?.failureType === 'subtestsFailed') return undefined;
  return { outcome: 'failed', file, name, detail: failure(details?.error) };
};
