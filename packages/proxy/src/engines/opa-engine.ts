import { Agent as HttpAgent, type IncomingMessage, request as requestHttp } from 'node:http';
import { Agent as HttpsAgent, request as requestHttps } from 'node:https';
import { type Generation, messageOf, OpenShellError } from '@openshell/base';
import {
  type ConnectDecision,
  canonicalAddress,
  type Intent,
  isAddressLiteral,
  type Middleware,
  type PolicyEngine,
  type RequestDecision,
  type RequestFacts,
} from '@openshell/policy';
import { fromJson, type Json, type JsonObject, type Value } from '@openshell/rego';
import { LIMITS } from '../limits.ts';
import { AnswerReader } from './answer.ts';
import { connectInput, PACKAGE, QUESTIONS, type Question, requestInput } from './questions.ts';
import { concludeElsewhere, RequestAnswerReader } from './request-answer.ts';

export interface OpaEngineOptions {
  readonly generation: Generation;
  /** Where OPA serves, a path before `/v1` included: `http://127.0.0.1:8181`. The operator's word: any address will do. */
  readonly url: string;
  /** Of the policy: what answers can name. */
  readonly middlewares?: readonly Middleware[];
  /** Shorter than the limit; for tests. */
  readonly timeMs?: number;
}

/**
 * An OPA that runs elsewhere, asked with its data API: `POST /v1/data/openshell/sandbox/egress_authorization` (OPA, "REST API",
 * "Get a Document (with Input)"). Redirects are not followed, one connection is kept, and what goes wrong is a denial.
 */
export class OpaEngine implements PolicyEngine {
  readonly generation: Generation;
  /** Where the rules of our package are. */
  readonly #package: URL;
  readonly #agent: HttpAgent;
  readonly #reader: AnswerReader;
  readonly #requests: RequestAnswerReader;
  readonly #time: number;

  /** @throws OpenShellError `bad_opa_url` */
  constructor({ generation, url, middlewares, timeMs = LIMITS.opaTime.value }: OpaEngineOptions) {
    this.generation = generation;
    this.#package = packageOf(url);
    const pool = { keepAlive: true, maxSockets: LIMITS.opaConnections.value, maxFreeSockets: 1 };
    this.#agent = this.#package.protocol === 'https:' ? new HttpsAgent(pool) : new HttpAgent(pool);
    const { origin } = this.#package;
    this.#reader = new AnswerReader({ generation, origin }, middlewares);
    this.#requests = new RequestAnswerReader({ generation, origin });
    this.#time = timeMs;
  }

  async authorizeConnect(intent: Intent): Promise<ConnectDecision> {
    try {
      return this.#reader.decide(await this.#ask('connect', connectInput(intent)), intent);
    } catch (thrown) {
      return this.#reader.failed(messageOf(thrown));
    }
  }

  async authorizeRequest(intent: Intent, request: RequestFacts): Promise<RequestDecision> {
    try {
      const input = requestInput(intent, request);
      const dialogue = this.#requests.ask(intent, request);
      return await concludeElsewhere(dialogue, (question) => this.#ask(question, input));
    } catch (thrown) {
      return this.#requests.failed(messageOf(thrown));
    }
  }

  /** Names are answered without asking OPA, with addresses that lead nowhere but here: the connection is what OPA decides about. */
  couldAllowName(host: string): boolean {
    return !isAddressLiteral(host);
  }

  couldAllowAddress(address: string): boolean {
    return canonicalAddress(address) !== undefined;
  }

  /** Closes the connection that is kept. An idle one keeps no process alive. */
  close(): void {
    this.#agent.destroy();
  }

  /** The value of a rule; undefined when OPA has none. */
  async #ask(question: Question, input: JsonObject): Promise<Value | undefined> {
    const { result } = await this.#post(new URL(QUESTIONS[question], this.#package), input);
    return result === undefined ? undefined : fromJson(result);
  }

  #post(url: URL, input: JsonObject): Promise<{ readonly result?: Json }> {
    const { promise, resolve, reject } = Promise.withResolvers<{ readonly result?: Json }>();
    const body = JSON.stringify({ input });
    const send = this.#package.protocol === 'https:' ? requestHttps : requestHttp;
    const signal = AbortSignal.timeout(this.#time);
    const request = send(url, {
      method: 'POST',
      agent: this.#agent,
      signal,
      headers: {
        'content-type': 'application/json',
        accept: 'application/json',
        'content-length': Buffer.byteLength(body),
      },
    });
    request.on('response', (response) => readAnswer(response).then(resolve, reject));
    request.on('error', (error) =>
      reject(signal.aborted ? new Error(`OPA has not answered within ${this.#time} ms`) : error),
    );
    request.end(body);
    return promise;
  }
}

const readAnswer = async (response: IncomingMessage): Promise<{ readonly result?: Json }> => {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    size += chunk.length;
    // Leaving the loop early destroys the response and its connection.
    if (size > LIMITS.opaAnswerBytes.value)
      throw new Error(`OPA's answer is longer than ${LIMITS.opaAnswerBytes.value} bytes`);
    chunks.push(chunk);
  }
  const text = Buffer.concat(chunks).toString('utf8');
  if (response.statusCode !== 200)
    throw new Error(`OPA answers with status ${response.statusCode}${detailOf(text)}`);
  const answer = parsed(text);
  if (typeof answer !== 'object' || answer === null || Array.isArray(answer))
    throw new Error("OPA's answer is no object");
  return answer as { readonly result?: Json };
};

const parsed = (text: string): unknown => {
  try {
    return JSON.parse(text);
  } catch {
    throw new Error("OPA's answer is not JSON");
  }
};

/** OPA's own message, where the body is one of its errors. */
const detailOf = (text: string): string => {
  try {
    const { code, message } = JSON.parse(text) as { code?: unknown; message?: unknown };
    return typeof message === 'string' ? ` (${String(code)}: ${message.slice(0, 200)})` : '';
  } catch {
    return ''; // some other server's page
  }
};

const packageOf = (text: string): URL => {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  const isPlain =
    url !== undefined && url.search === '' && url.hash === '' && url.username === '' && url.password === '';
  if (!isPlain || (url.protocol !== 'http:' && url.protocol !== 'https:')) {
    throw new OpenShellError(`"${text}" is not the address of an OPA server`, {
      code: 'bad_opa_url',
      remedy: 'Write it as http://HOST:PORT or https://HOST:PORT, with a path where OPA is behind one.',
    });
  }
  url.pathname = `${url.pathname.replace(/\/$/, '')}/v1/data/${PACKAGE.join('/')}/`;
  return url;
};
