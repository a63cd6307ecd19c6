import type { RequestContent, RequestFacts, Treatment } from '@openshell/policy';
import { readsGraphqlMessages, wantsServerMessages } from '@openshell/policy';
import type { Destination, Injection, Refusal } from '../credentials/injection.ts';
import type { ClientExchange, RequestMessage, ResponseHead, UpgradedStream } from '../exchange/exchange.ts';
import type { HeaderField } from '../http/request-head.ts';
import { TRACE_FIELD } from '../http/trace-field.ts';
import type { Grant } from '../tenant/connection.ts';
import {
  checkUpgradeRequest,
  checkUpgradeResponse,
  offerFields,
  sessionFields,
  type WebSocketOffer,
} from '../websocket/handshake.ts';
import { relayWebSocket, type WebSocketEnd, type WebSocketRelay } from '../websocket/relay.ts';
import type {
  MessageRefusal,
  MessageRules,
  MessageVerdict,
  RelayRules,
  WebSocketMessage,
} from '../websocket/rules.ts';
import type { InspectionContext } from './session.ts';

/** Everything that the messages of an upgraded connection are judged by. */
export interface UpgradeOptions {
  readonly context: InspectionContext;
  readonly grant: Grant;
  readonly treatment: Treatment | undefined;
  /** Where credentials that a message asks for would go. */
  readonly destination: Destination;
  /** Of the request that asked for the upgrade. */
  readonly path: string;
  readonly traceId: string;
}

/** A handshake under way: what is offered to the server, and the rules that its answer and every message will be held to. */
export interface UpgradePlan {
  readonly offer: WebSocketOffer;
  readonly rules: RelayRules;
  readonly fields: readonly HeaderField[];
}

export type UpgradePlanResult =
  | { readonly kind: 'plan'; readonly plan: UpgradePlan }
  | { readonly kind: 'fault'; readonly status: 400 | 426; readonly detail: string };

/** Checks the client's side of the handshake and makes the offer that goes to the server. */
export function planUpgrade(options: UpgradeOptions, request: RequestMessage): UpgradePlanResult {
  const rules = rulesOf(options);
  const checked = checkUpgradeRequest(request, rules);
  if (checked.kind === 'fault') return checked;
  const { offer } = checked;
  return { kind: 'plan', plan: { offer, rules, fields: offerFields(request.fields, offer) } };
}

function rulesOf(options: UpgradeOptions): RelayRules {
  const { treatment, context, destination } = options;
  const { credentials } = context.settings();
  const { host, port } = destination;
  const client: MessageRules = {
    ...(treatment?.endpoint.protocol === 'websocket' && {
      authorize: (message) => authorize(options, message),
    }),
    // Also where no values are put in: placeholders are refused there.
    ...(!credentials.isEmpty && {
      rewrite: (text) => rewrite(options, text),
      guard: (payload) => guard(options, payload),
    }),
  };
  const server: MessageRules = {
    ...(treatment !== undefined &&
      treatment.endpoint.protocol === 'websocket' &&
      wantsServerMessages(treatment) && { authorize: (message) => authorize(options, message) }),
    ...(!credentials.isEmpty &&
      credentials.covers(host, port) && {
        mask: (text) => context.settings().credentials.maskText(text, destination),
      }),
  };
  return {
    ...(Object.keys(client).length > 0 && { client }),
    ...(Object.keys(server).length > 0 && { server }),
  };
}

async function authorize(options: UpgradeOptions, message: WebSocketMessage): Promise<MessageVerdict> {
  const { context, grant, treatment, path, traceId } = options;
  const facts: RequestFacts = {
    method: message.kind === 'text' ? 'WEBSOCKET_TEXT' : 'WEBSOCKET_BINARY',
    path,
    query: [],
    content: await contentOf(context, treatment!, message),
    from: message.from,
  };
  const { engine } = context.settings();
  const decision = await engine.authorizeRequest(grant.intent, facts);
  if (decision.action === 'allow') return { action: 'allow' };
  context.reporter.message({ intent: grant.intent, facts, decision, traceId });
  return decision.action === 'audit' ? { action: 'allow' } : { action: 'deny', reason: decision.reason };
}

async function contentOf(
  context: InspectionContext,
  treatment: Treatment,
  message: WebSocketMessage,
): Promise<RequestContent> {
  const { graphql } = treatment.endpoint;
  if (message.kind === 'binary' || graphql === undefined || !readsGraphqlMessages(treatment))
    return { kind: 'message' };
  if (message.from === 'server') return { kind: 'message' };
  return (await context.graphql()).readMessage(message.text, graphql);
}

function rewrite(
  { context, destination }: UpgradeOptions,
  text: string,
): string | MessageRefusal | Promise<string | MessageRefusal> {
  const pending = context.settings().credentials.rewriteText(text, destination);
  return pending instanceof Promise ? pending.then(rewritten) : rewritten(pending);
}

const rewritten = (result: string | Refusal): string | MessageRefusal =>
  typeof result === 'string' ? result : { action: 'deny', reason: result.detail };

function guard({ context }: UpgradeOptions, payload: Buffer): MessageRefusal | undefined {
  const search = context.settings().credentials.guard();
  if (search === undefined || (search.push(payload) !== undefined && search.end() !== undefined))
    return undefined;
  return {
    action: 'deny',
    reason: 'a binary message holds a credential placeholder, which is replaced in text only',
  };
}

export interface Upgrade {
  readonly kind: 'upgraded';
  readonly relay: WebSocketRelay;
}

export interface CompleteOptions {
  readonly context: InspectionContext;
  readonly exchange: ClientExchange;
  readonly plan: UpgradePlan;
  readonly injection: Injection | undefined;
  readonly head: ResponseHead;
  readonly stream: UpgradedStream;
  readonly traceId: string;
  readonly onEnd: (end: { bytesIn: number; bytesOut: number; reason: string | undefined }) => void;
}

/** Checks the server's side of the handshake, answers the client, and joins the two. */
export function completeUpgrade(
  options: CompleteOptions,
): Upgrade | { readonly kind: 'refused'; readonly detail: string } {
  const { context, exchange, plan, injection, head, stream, traceId, onEnd } = options;
  const checked = checkUpgradeResponse(head, plan.offer, plan.rules);
  if (checked.kind === 'fault') return { kind: 'refused', detail: checked.detail };
  const { session } = checked;
  const fields = sessionFields(head.fields, plan.offer, session);
  const masked = injection?.used?.fields(fields) ?? fields;
  const trace = { name: TRACE_FIELD, lowerName: TRACE_FIELD.toLowerCase(), value: traceId };
  const client = exchange.upgrade({ status: 101, fields: [...masked, trace] });
  const relay = relayWebSocket({
    client,
    upstream: stream,
    rules: plan.rules,
    deflate: session.deflate !== undefined,
    limits: context.limits,
    budget: context.webSocketBudget,
  });
  void relay.done.then((result) => {
    onEnd({ bytesIn: result.in, bytesOut: result.out, reason: reasonOf(result.end) });
  });
  return { kind: 'upgraded', relay };
}

function reasonOf(end: WebSocketEnd): string | undefined {
  switch (end.kind) {
    case 'closed':
      return undefined;
    case 'lost':
      return `the ${end.by} ended the connection without a close frame`;
    case 'refused':
      return end.reason;
    case 'fault':
    case 'ended':
      return end.detail;
    default:
      return end satisfies never;
  }
}
