import { inspect } from 'node:util';
import { SUITE_MARK, type TestResult } from './result.ts';

/** The parts of the events of `node:test` that count here. */
export interface TestEvent {
  readonly type: string;
  readonly data: {
    readonly name: string;
    readonly nesting: number;
    readonly skip?: string | boolean;
    readonly message?: string;
    readonly success?: boolean;
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

const reasonOf = (skip: string | boolean): string =>
  typeof skip === 'string' && skip ? skip : 'no reason given';

/** Makes results of the events of one file: one for each test (suites are only part of the names). */
export class EventReader {
  readonly #file: string;
  readonly #diagnostics: string[] = [];
  #titles: string[] = [];
  #failed = false;

  constructor(file: string) {
    this.#file = file;
  }

  read({ type, data }: TestEvent): TestResult | undefined {
    switch (type) {
      case 'test:start':
        this.#titles = [...this.#titles.slice(0, data.nesting), data.name];
        return undefined;
      case 'test:diagnostic':
        this.#diagnostics.push(data.message ?? '');
        return undefined;
      case 'test:fail':
        this.#failed = true;
        return this.#failure(data);
      case 'test:pass':
        return this.#success(data);
      case 'test:summary':
        return this.#summary(data);
      default:
        return undefined;
    }
  }

  #nameOf({ nesting, name }: TestEvent['data']): string {
    return [...this.#titles.slice(0, nesting), name].join(SUITE_MARK);
  }

  #failure(data: TestEvent['data']): TestResult | undefined {
    const error = data.details?.error;
    // Its failed members were told already.
    if (error?.failureType === 'subtestsFailed') return undefined;
    return { outcome: 'failed', file: this.#file, name: this.#nameOf(data), detail: failure(error) };
  }

  #success(data: TestEvent['data']): TestResult | undefined {
    const { skip = false, details } = data;
    const result = { file: this.#file, name: this.#nameOf(data) };
    if (skip !== false) return { outcome: 'skipped', ...result, detail: reasonOf(skip) };
    return details?.type === 'suite' ? undefined : { outcome: 'passed', ...result };
  }

  /** What failed outside all tests, such as an error that was thrown when they were over, is told by diagnostics alone. */
  #summary({ success = true }: TestEvent['data']): TestResult | undefined {
    if (success || this.#failed) return undefined;
    return { outcome: 'failed', file: this.#file, name: this.#file, detail: this.#diagnostics.join('\n') };
  }
}
