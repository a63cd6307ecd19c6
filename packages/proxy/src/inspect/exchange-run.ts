import { messageOf } from '@openshell/base';
import type {
  Endpoint,
  Intent,
  QueryParameter,
  RequestDecision,
  RequestFacts,
  Treatment,
} from '@openshell/policy';
import { treatmentOf, wantsServerMessages } from '@openshell/policy';
import { type Destination, type Injection, isRefusal } from '../credentials/injection.ts';
import { livesOnLoopback } from '../destination/overrides.ts';
import type { BodySource } from '../exchange/body.ts';
import type { ClientExchange, OutgoingRequest, RequestMessage } from '../exchange/exchange.ts';
import type { GraphqlReader } from '../graphql/graphql-reader.ts';
import { canonicalTarget, queryParameters } from '../http/canonical-target.ts';
import { field, type HeaderField } from '../http/request-head.ts';
import type { MiddlewareStages } from '../middleware/chain.ts';
import { Holding, NO_MEMORY } from '../tenant/byte-budget.ts';
import type { Grant } from '../tenant/connection.ts';
import { nothingKnown, ofRequest } from '../tracing/attributes.ts';
import type { RequestTrace } from '../tracing/request-trace.ts';
import { denial, give } from './answers.ts';
import { describeContent, inspectedBodyBytes, readContent } from './content.ts';
import { type ForwardEnd, type Forwarded, forward } from './forward.ts';
import { authorityOf } from './grants.ts';
import type { RequestRecord } from './record.ts';
import { GONE, type Outcome, Refused, refuse, refusedBy } from './refused.ts';
import type { InspectionContext } from './session.ts';
import { planUpgrade, type UpgradePlan } from './upgrade.ts';
import { BytesBody, type WholeBody, wholeBody } from './whole-body.ts';

/** Methods are case-sensitive, and not all servers know: a rule against DELETE is one against `delete`. */
function inUpperCase(request: RequestMessage): RequestMessage {
  const method = request.method.toUpperCase();
  return method === request.method ? request : { ...request, method };
}

/**
 * One request, from its head to the end of its response: what it is, whether it may, what goes along, where to. It waits only where
 * there is something to wait for; a request of known shape with everything at hand goes out in the turn in which it came in.
 */
export class ExchangeRun {
  readonly #context: InspectionContext;
  readonly #exchange: ClientExchange;
  readonly #startedAt = performance.now();
  readonly #traceId: string;
  readonly #trace: RequestTrace | undefined;
  /** The request as policy is asked about it. */
  readonly #judged: RequestMessage;
  /** Of bodies that somebody has to see all of. */
  readonly #held: Holding;
  #grant: Grant | undefined;
  /** What it was for, where an event has said already that it was refused. */
  #reported: Intent | undefined;
  #path = '-';
  #protocol = 'rest';
  #operation: string | undefined;
  #facts: RequestFacts | undefined;
  #outcome: Outcome = { action: 'allowed' };
  #forwarded: Forwarded | undefined;
  #gone: string | undefined;
  #revoked: string | undefined;
  #bytesOut = 0;
  #recorded = false;

  constructor(context: InspectionContext, exchange: ClientExchange) {
    this.#context = context;
    this.#exchange = exchange;
    const { fields } = exchange.request;
    this.#trace = context.trace.request(fields);
    this.#traceId = this.#trace?.id ?? context.trace.idOf(fields);
    this.#judged = inUpperCase(exchange.request);
    this.#held = new Holding(context.held);
    exchange.onAbort = (reason) => {
      this.#gone = reason;
      this.#forwarded?.abort(reason);
    };
  }

  /** Never rejects. */
  async run(): Promise<void> {
    this.#context.runs.add(this);
    try {
      await this.#serve();
    } catch (thrown) {
      this.#end(thrown);
    }
  }

  /**
   * Puts the request under another generation's policy: what it would not allow is ended. Called while it is under way.
   * Requests that no policy has been asked about yet are asked with the new one anyway.
   */
  async reconsider(): Promise<void> {
    const { engine } = this.#context.settings();
    this.#forwarded?.relay?.reauthorize();
    if (this.#grant === undefined) return;
    const { intent } = this.#grant;
    const asked = engine.authorizeConnect(intent);
    const connect = asked instanceof Promise ? await asked : asked;
    if (engine !== this.#context.settings().engine) return;
    if (connect.action === 'deny') {
      this.revoke(`generation ${connect.generation}: ${connect.reason}`);
      return;
    }
    // The body that was read under the old policy may be one that the new one reads in another way.
    if (this.#facts === undefined && connect.inspection === undefined) return;
    const facts = this.#facts ?? this.#headFacts();
    const pending = engine.authorizeRequest(intent, facts);
    const decision = pending instanceof Promise ? await pending : pending;
    if (decision.action !== 'deny' || engine !== this.#context.settings().engine) return;
    this.revoke(`generation ${decision.generation}: ${decision.reason}`);
  }

  /** What policy can be asked about a request into which the last policy did not look. */
  #headFacts(): RequestFacts {
    const { method, target } = this.#judged;
    const mark = target.indexOf('?');
    const query = mark < 0 ? [] : (queryParameters(target.slice(mark)) ?? []);
    return { method, path: this.#path, query, content: { kind: 'http' }, from: 'client' };
  }

  /** Ends what policy no longer allows. */
  revoke(reason: string): void {
    this.#outcome = { ...this.#outcome, action: 'denied', code: 'policy_revoked', reason };
    if (this.#forwarded !== undefined) this.#forwarded.revoke(reason);
    else this.#revoked ??= reason;
  }

  /** It has become a WebSocket, whose end is a close frame. */
  get isUpgraded(): boolean {
    return this.#forwarded?.relay !== undefined;
  }

  async #serve(): Promise<void> {
    const { request } = this.#exchange;
    const { limits } = this.#context;
    const target = canonicalTarget(request.target, limits.pathBytes);
    if (target.kind === 'fault') throw refuse(400, 'invalid_request_target', target.detail);
    const settings = this.#context.settings();
    const { credentials } = settings;
    const written = target.path + target.query;
    const shown = credentials.isEmpty ? target.path : pathOf(credentials.redactTarget(written));
    this.#path = shown;
    const granting = this.#context.grantFor(request);
    const granted = granting instanceof Promise ? await granting : granting;
    this.#stillThere();
    if (granted.kind === 'refused') {
      this.#outcome = granted.outcome;
      this.#reported = granted.reported;
      throw new Refused(granted.answer, granted.outcome);
    }
    const { grant } = granted;
    this.#grant = grant;
    const { inspection } = grant.decision;
    const treatment = inspection === undefined ? undefined : treatmentOf(inspection, shown);
    const endpoint = treatment?.endpoint;
    if (endpoint !== undefined) this.#protocol = endpoint.protocol;
    if (target.encodedSlash && inspection !== undefined && endpoint?.allowEncodedSlash !== true)
      throw refuse(400, 'invalid_request_target', 'an encoded slash in the path', ENCODED_SLASH_REMEDY);

    const query = this.#query(target.query, inspection !== undefined);
    const stages = this.#stages(grant);
    const reading = this.#bodyFor(inspectedBodyBytes(endpoint, this.#judged));
    let body = reading instanceof Promise ? await reading : reading;
    const deciding = this.#decide(grant, endpoint, query, body);
    if (deciding instanceof Promise) await deciding;
    let fields = request.fields;
    if (stages !== undefined) {
      ({ body, fields } = await this.#throughMiddleware(stages, { grant, written, body }));
      if (body.changed) await this.#decide(grant, endpoint, query, body);
      // What is signed then is the body that goes out.
      if (body.changed && endpoint?.signing !== undefined) fields = fields.filter(isNotPayloadHash);
    }
    const { host, port } = grant.intent;
    const destination: Destination = {
      host,
      port,
      scheme: request.scheme,
      path: shown,
      treatment,
      loopback: livesOnLoopback(this.#context.planner.overrides, host, port),
    };
    const upgrade = this.#upgradeFor(endpoint);
    const plan = upgrade === undefined ? undefined : this.#planUpgrade(grant, treatment, destination);
    if (plan !== undefined) fields = plan.fields;
    const outgoing: OutgoingRequest = {
      method: request.method,
      target: written,
      scheme: request.scheme,
      authority: authorityOf(grant, request),
      fields: this.#outgoingFields(fields, { grant, stages, treatment }),
      upgrade,
      expectsContinue: request.expectsContinue && body.source === this.#exchange.body,
    };
    const sending: Sending = { outgoing, destination, body, grant, treatment, stages, plan };
    if (credentials.isEmpty) this.#forward(sending, outgoing, body.source, undefined);
    else await this.#sendWithCredentials(sending);
  }

  #query(text: string, inspected: boolean): readonly QueryParameter[] {
    if (!inspected || text === '') return [];
    const query = queryParameters(text);
    if (query === undefined)
      throw refuse(
        400,
        'invalid_request_target',
        'a % in the query that is not followed by what it may encode',
      );
    return query;
  }

  #stages(grant: Grant): MiddlewareStages | undefined {
    const { inspection } = grant.decision;
    const { middleware } = this.#context.settings();
    if (inspection === undefined || inspection.middlewares.length === 0) return undefined;
    if (middleware === undefined)
      throw refuse(
        503,
        'middleware_failed',
        'the middleware of the policy is not there',
        undefined,
        'failed',
      );
    return middleware.stagesFor(inspection.middlewares);
  }

  /** Reads the body where somebody has to see all of it. */
  #bodyFor(maxBytes: number | undefined): RequestBody | Promise<RequestBody> {
    const { body: source } = this.#exchange;
    if (maxBytes === undefined) return { source, bytes: undefined, changed: false };
    this.#exchange.continue();
    const pending = wholeBody(source, maxBytes, this.#held);
    return pending instanceof Promise
      ? pending.then((whole) => this.#wholeBody(whole, maxBytes))
      : this.#wholeBody(pending, maxBytes);
  }

  #wholeBody(whole: WholeBody, maxBytes: number): RequestBody {
    this.#stillThere();
    switch (whole.kind) {
      case 'whole':
        return { source: new BytesBody(whole.bytes), bytes: whole.bytes, changed: false };
      case 'too_large':
        throw refuse(
          413,
          'request_too_large',
          `the body is larger than the ${maxBytes} bytes that this endpoint inspects`,
          'Send less at once, or raise the limit of the endpoint in the policy.',
        );
      case 'no_memory':
        throw noMemory();
      case 'failed':
        throw GONE;
      default:
        return whole satisfies never;
    }
  }

  #decide(
    grant: Grant,
    endpoint: Endpoint | undefined,
    query: readonly QueryParameter[],
    body: RequestBody,
  ): void | Promise<void> {
    if (grant.decision.inspection === undefined) return;
    const request = this.#judged;
    const asked: Asked = { grant, endpoint, query, bytes: body.bytes ?? NOTHING };
    const graphql = endpoint?.protocol === 'graphql' ? this.#context.graphql() : undefined;
    if (graphql instanceof Promise) return graphql.then((reader) => this.#ask(asked, request, reader));
    return this.#ask(asked, request, graphql);
  }

  #ask(asked: Asked, request: RequestMessage, graphql: GraphqlReader | undefined): void | Promise<void> {
    const { grant, endpoint, query, bytes } = asked;
    const { engine } = this.#context.settings();
    const content = readContent({
      endpoint,
      request,
      query,
      body: bytes,
      graphql,
      limits: this.#context.limits,
    });
    this.#operation = describeContent(content);
    const facts: RequestFacts = { method: request.method, path: this.#path, query, content, from: 'client' };
    this.#facts = facts;
    const decision = engine.authorizeRequest(grant.intent, facts);
    if (!(decision instanceof Promise)) return this.#decided(grant, facts, decision);
    return decision.then((made) => {
      this.#stillThere();
      // A policy that was installed meanwhile has not seen this request: it decides instead.
      if (engine !== this.#context.settings().engine) return this.#ask(asked, request, graphql);
      return this.#decided(grant, facts, made);
    });
  }

  #decided(grant: Grant, facts: RequestFacts, decision: RequestDecision): void {
    if (decision.action === 'deny') {
      const { policy, rule, reason, remedy, code } = decision;
      const answer = denial({ decision, intent: grant.intent, facts, protocol: this.#protocol });
      throw new Refused(answer, { code, policy, rule, reason, remedy });
    }
    const { policy, rule, reason } = decision;
    this.#outcome = { action: decision.action === 'audit' ? 'audited' : 'allowed', policy, rule, reason };
  }

  async #throughMiddleware(
    stages: MiddlewareStages,
    { grant, written, body }: { grant: Grant; written: string; body: RequestBody },
  ): Promise<{ body: RequestBody; fields: readonly HeaderField[] }> {
    const { request } = this.#exchange;
    const { intent } = grant;
    const { maxBodyBytes, wantsRequestBody } = stages;
    const unread = wantsRequestBody && body.bytes === undefined;
    const tooLarge = unread && (body.source.length ?? 0) > maxBodyBytes;
    const read = unread && !tooLarge ? await this.#bodyFor(maxBodyBytes) : body;
    const { credentials } = this.#context.settings();
    const verdict = await stages.evaluateRequest(
      {
        method: request.method,
        scheme: request.scheme,
        host: intent.host,
        port: intent.port,
        target: credentials.redactTarget(written),
        fields: request.fields,
        body: tooLarge
          ? { kind: 'too_large' }
          : read.bytes === undefined || read.bytes.length === 0
            ? { kind: 'none' }
            : { kind: 'whole', bytes: read.bytes },
        sandbox: intent.sandbox,
        binary: intent.evidence.kind === 'process' ? intent.evidence.executable.path : '',
      },
      {
        signal: this.#context.signal,
        onFinding: (finding) => this.#context.reporter.middlewareFinding(intent, finding, this.#traceId),
      },
    );
    this.#stillThere();
    switch (verdict.kind) {
      case 'continue':
        if (verdict.newBody === undefined) return { body: read, fields: verdict.fields };
        if (!this.#held.add(verdict.newBody.length)) throw noMemory();
        return {
          body: { source: new BytesBody(verdict.newBody), bytes: verdict.newBody, changed: true },
          fields: verdict.fields,
        };
      case 'denied': {
        const { status, error, middleware, reasonCode, targetIsSecret } = verdict;
        if (targetIsSecret) this.#path = '[REDACTED]';
        const detail = `the middleware ${middleware} has refused the request`;
        throw new Refused({
          status,
          body: { error, layer: 'l7', detail, middleware, reason_code: reasonCode || undefined },
        });
      }
      case 'failed': {
        const { status, error, middleware, detail } = verdict;
        throw new Refused({ status, body: { error, layer: 'l7', detail, middleware } });
      }
      default:
        return verdict satisfies never;
    }
  }

  /** What a filter has to read must come without a content coding; what was sent to a proxy says so (RFC 9110 section 7.6.3). */
  #outgoingFields(
    fields: readonly HeaderField[],
    { grant, stages, treatment }: Pick<Sending, 'grant' | 'stages' | 'treatment'>,
  ): readonly HeaderField[] {
    const traced = this.#trace?.outgoing(fields) ?? fields;
    const reads =
      stages?.filtersResponses === true || (treatment !== undefined && wantsServerMessages(treatment));
    const uncoded = reads
      ? [...traced.filter(({ lowerName }) => lowerName !== 'accept-encoding'), IDENTITY_ONLY]
      : traced;
    if (grant.intent.adapter !== 'forward') return uncoded;
    return [...uncoded, field('Via', `${this.#exchange.request.version} openshell`)];
  }

  /** A protocol to change to, where the endpoint's protocol has one; elsewhere the wish is not passed on (RFC 9110 section 7.8). */
  #upgradeFor(endpoint: Endpoint | undefined): string | undefined {
    const { upgrade } = this.#exchange.request;
    if (upgrade !== 'websocket') return undefined;
    return endpoint === undefined || endpoint.protocol === 'rest' || endpoint.protocol === 'websocket'
      ? upgrade
      : undefined;
  }

  #planUpgrade(grant: Grant, treatment: Treatment | undefined, destination: Destination): UpgradePlan {
    const options = { context: this.#context, grant, treatment, destination };
    const result = planUpgrade(
      { ...options, path: this.#path, traceId: this.#traceId },
      this.#exchange.request,
    );
    if (result.kind === 'plan') return result.plan;
    throw refuse(result.status, 'bad_request', result.detail);
  }

  async #sendWithCredentials(sending: Sending): Promise<void> {
    const { outgoing, destination, body } = sending;
    const pending = this.#context.settings().credentials.inject(outgoing, destination);
    const injection = pending instanceof Promise ? await pending : pending;
    this.#stillThere();
    if (isRefusal(injection)) throw refusedBy(injection);
    this.#used(injection);
    if (injection.body.kind !== 'whole') {
      this.#forward(sending, injection.request, body.source, injection);
      return;
    }
    const reading = body.bytes === undefined ? this.#bodyFor(injection.body.maxBytes) : body;
    const { bytes = NOTHING } = reading instanceof Promise ? await reading : reading;
    const applying = injection.body.apply(bytes);
    const whole = applying instanceof Promise ? await applying : applying;
    this.#stillThere();
    if (isRefusal(whole)) throw refusedBy(whole);
    if (whole.body !== bytes && !this.#held.add(whole.body.length)) throw noMemory();
    this.#used(injection);
    this.#forward(sending, whole.request, new BytesBody(whole.body), injection);
  }

  /** Names of what was put in until now, for the event. */
  #used({ used }: Injection): void {
    const names = used?.names ?? [];
    if (names.length > 0) this.#outcome = { ...this.#outcome, credentials: names };
  }

  #forward(
    { grant, treatment, stages, plan }: Sending,
    request: OutgoingRequest,
    source: BodySource,
    injection: Injection | undefined,
  ): void {
    // A body that was read here already needs no invitation of the origin's.
    const invited = request.expectsContinue && source !== this.#exchange.body;
    this.#forwarded = forward({
      context: this.#context,
      exchange: this.#exchange,
      grant,
      treatment,
      stages,
      plan,
      source,
      injection,
      facts: this.#facts,
      traceId: this.#traceId,
      trace: this.#trace,
      request: invited ? { ...request, expectsContinue: false } : request,
      onBytesOut: (bytes) => {
        this.#bytesOut = bytes;
        // A response may take hours, and nobody needs the request's body any more.
        this.#held.release();
      },
      onEnd: (end) => this.#forwardEnded(end),
    });
  }

  #forwardEnded(end: ForwardEnd): void {
    switch (end.kind) {
      case 'answered':
        this.#record(end.status, end.bytesIn);
        return;
      case 'refused':
        this.#end(refuse(end.status, end.code, end.detail, end.remedy, end.denied ? undefined : 'failed'));
        return;
      case 'broken':
        this.#outcome = { ...this.#outcome, broken: end.reason };
        this.#record(end.status, end.bytesIn);
        return;
      default:
        end satisfies never;
    }
  }

  /** Throws when the client has gone in the meantime, or policy has changed its mind. */
  #stillThere(): void {
    if (this.#gone !== undefined) throw GONE;
    if (this.#revoked !== undefined) throw refuse(403, 'policy_denied', this.#revoked);
  }

  #end(thrown: unknown): void {
    if (thrown === GONE) {
      this.#exchange.abort(this.#gone ?? 'the client has gone');
      this.#record(0, 0);
      return;
    }
    const refused =
      thrown instanceof Refused
        ? thrown
        : refuse(500, 'internal_error', 'the proxy failed to handle the request', undefined, 'failed');
    if (!(thrown instanceof Refused)) this.#context.fault(messageOf(thrown));
    this.#outcome = { ...this.#outcome, ...refused.outcome };
    const status = this.#gone === undefined ? give(this.#exchange, refused.answer, this.#traceId) : 0;
    this.#record(status, 0);
  }

  #record(status: number, bytesIn: number): void {
    if (this.#recorded) return;
    this.#recorded = true;
    this.#held.release();
    this.#context.runs.delete(this);
    const grant = this.#grant;
    const intent = grant?.intent ?? this.#context.intent ?? this.#reported;
    const { request } = this.#exchange;
    if (intent === undefined) {
      this.#trace?.end(nothingKnown, { ...this.#outcome, method: request.method });
      return;
    }
    const record: RequestRecord = {
      intent,
      generation: grant?.decision.generation ?? this.#context.settings().engine.generation,
      traceId: this.#traceId,
      spanId: this.#trace?.spanId,
      protocol: this.#protocol,
      scheme: request.scheme,
      version: request.version,
      method: request.method,
      path: this.#path,
      operation: this.#operation,
      content: this.#facts?.content,
      ...this.#outcome,
      policy: this.#outcome.policy ?? grant?.decision.policy,
      status,
      bytesOut: this.#bytesOut,
      bytesIn,
      durationMs: Math.round(performance.now() - this.#startedAt),
    };
    if (intent !== this.#reported) this.#context.reporter.request(record);
    this.#trace?.end(ofRequest, record);
  }
}

interface RequestBody {
  readonly source: BodySource;
  /** Set once it was read as a whole. */
  readonly bytes: Buffer | undefined;
  /** It is another one than the client sent. */
  readonly changed: boolean;
}

interface Asked {
  readonly grant: Grant;
  readonly endpoint: Endpoint | undefined;
  readonly query: readonly QueryParameter[];
  readonly bytes: Buffer;
}

interface Sending {
  readonly outgoing: OutgoingRequest;
  readonly destination: Destination;
  readonly plan: UpgradePlan | undefined;
  readonly body: RequestBody;
  readonly grant: Grant;
  readonly treatment: Treatment | undefined;
  readonly stages: MiddlewareStages | undefined;
}

const noMemory = (): Refused =>
  refuse(NO_MEMORY.status, NO_MEMORY.code, NO_MEMORY.detail, NO_MEMORY.remedy, 'failed');

const IDENTITY_ONLY = field('Accept-Encoding', 'identity');
const isNotPayloadHash = ({ lowerName }: HeaderField): boolean => lowerName !== 'x-amz-content-sha256';
const NOTHING = Buffer.alloc(0);
const ENCODED_SLASH_REMEDY =
  'Set allow_encoded_slash on the endpoint if its server takes %2F for a part of a name.';

function pathOf(target: string): string {
  const mark = target.indexOf('?');
  return mark < 0 ? target : target.slice(0, mark);
}
