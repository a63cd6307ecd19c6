import type { Middleware } from '@openshell/policy';
import type { BodyReceiver } from '../../exchange/body.ts';
import type { HeaderField } from '../../http/request-head.ts';
import type { Limits } from '../../limits.ts';
import { StageFault } from '../fault.ts';
import type {
  ResponseFilterOptions,
  Stage,
  StageAnswer,
  StageFinding,
  StageNeeds,
  StageRequest,
} from '../stage.ts';
import { type RegexConfig, readRegexConfig } from './config.ts';
import { Scanner, ScannerIndex } from './scanner.ts';

/** What policies call this stage. */
export const REGEX_NAME = 'openshell/regex';

/**
 * Looks for things that have the form of a secret. Request bodies are read as a whole, so that a refusal comes before the first byte has
 * left; responses are read as they stream. It cannot change a target, so a match there is refused in either mode. It knows forms, not secrets: what
 * is encoded otherwise goes past it.
 */
export class RegexStage implements Stage {
  readonly needs: StageNeeds;
  readonly filterResponse?: (options: ResponseFilterOptions) => BodyReceiver;
  readonly #config: RegexConfig;
  readonly #index: ScannerIndex;

  /** @throws OpenShellError `bad_middleware_config` */
  constructor(middleware: Middleware, limits: Limits) {
    this.#config = readRegexConfig(middleware);
    this.#index = new ScannerIndex(this.#config.detectors);
    this.needs = { requestBody: this.#config.requests, maxBodyBytes: limits.regexBodyBytes };
    if (this.#config.responses)
      this.filterResponse = (options) =>
        new RegexResponse(this.#config.mode, new Scanner(this.#index), options);
  }

  evaluate({ target, fields, body }: StageRequest): StageAnswer {
    if (!this.#config.requests) return { kind: 'allow', findings: [] };
    const inTarget = new Scanner(this.#index);
    inTarget.push(decoded(target), true);
    if (inTarget.found)
      return {
        kind: 'deny',
        reasonCode: 'match_in_target',
        targetIsSecret: true,
        findings: findingsOf(inTarget, 'refused'),
      };
    if (body === undefined || body.length === 0) return { kind: 'allow', findings: [] };
    if (fields.some(isCoded)) throw new StageFault('the body has a content coding and cannot be read', 403);
    const scanner = new Scanner(this.#index);
    const changed = scanner.push(body, true);
    if (!scanner.found) return { kind: 'allow', findings: [] };
    if (this.#config.mode === 'deny')
      return { kind: 'deny', reasonCode: 'match_in_body', findings: findingsOf(scanner, 'refused') };
    const changes = { setFields: [], removeFields: [], body: changed };
    return { kind: 'allow', changes, findings: findingsOf(scanner, 'redacted') };
  }
}

/** A response on its way to the client. */
class RegexResponse implements BodyReceiver {
  readonly #mode: RegexConfig['mode'];
  readonly #scanner: Scanner;
  readonly #receiver: BodyReceiver;
  readonly #onFinding: ResponseFilterOptions['onFinding'];
  #ended = false;

  constructor(mode: RegexConfig['mode'], scanner: Scanner, { receiver, onFinding }: ResponseFilterOptions) {
    this.#mode = mode;
    this.#scanner = scanner;
    this.#receiver = receiver;
    this.#onFinding = onFinding;
  }

  data(bytes: Buffer): boolean {
    return !this.#ended && this.#forward(bytes, false);
  }

  end(trailers: readonly HeaderField[]): void {
    if (this.#ended) return;
    this.#forward(Buffer.alloc(0), true);
    if (this.#ended) return;
    this.#ended = true;
    this.#tell('redacted');
    this.#receiver.end(trailers);
  }

  fail(reason: string): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#tell('redacted');
    this.#receiver.fail(reason);
  }

  #forward(bytes: Buffer, last: boolean): boolean {
    const clean = this.#scanner.push(bytes, last);
    if (this.#mode === 'deny' && this.#scanner.found) {
      this.#ended = true;
      this.#tell('refused');
      this.#receiver.fail('a middleware refused the response');
      return false;
    }
    return clean.length === 0 || this.#receiver.data(clean);
  }

  #tell(what: 'redacted' | 'refused'): void {
    for (const finding of findingsOf(this.#scanner, what)) this.#onFinding(finding);
  }
}

const isCoded = ({ lowerName, value }: HeaderField): boolean =>
  lowerName === 'content-encoding' && value.toLowerCase() !== 'identity';

/** A target's bytes, its percent-encoding undone. */
const decoded = (target: string): Buffer =>
  Buffer.from(
    target.replace(/%([0-9A-Fa-f]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16))),
    'latin1',
  );

const findingsOf = (scanner: Scanner, what: 'redacted' | 'refused'): StageFinding[] =>
  [...scanner.counts].map(([name, count]) => ({
    code: name,
    message: `Something that looks like a secret (${name}) was ${what}.`,
    severity: 'medium',
    count,
  }));
