import type { MessageInitShape } from '@bufbuild/protobuf';
import type { ConnectRouter, HandlerContext, ServiceImpl } from '@connectrpc/connect';
import { sandboxId } from '@openshell/base';
import type { RotationStep } from '../contract/authority.ts';
import type { ProxyControl, SessionEnd } from '../contract/proxy-control.ts';
import { ControlRefusal } from '../contract/refusal.ts';
import type { ApplyResponseSchema, ConnectResponseSchema } from './generated/openshell/proxy/v1/proxy_pb.ts';
import { ProxyControl as ProxyControlService } from './generated/openshell/proxy/v1/proxy_pb.ts';
import {
  answerTo,
  appliedTo,
  authorityTo,
  connectFrom,
  endTo,
  eventTo,
  helloTo,
  narrow,
  orderFrom,
  present,
  queryFrom,
  questionFrom,
  reportTo,
  statusTo,
  tenantFrom,
} from './messages/index.ts';
import { errorTo, refusalTo } from './refusals.ts';
import { SESSION_HEADER } from './session-header.ts';
import { SessionTable } from './session-table.ts';

/** Routes of the gRPC service that steers `control`. Who may call them has been found out before. */
export function controlService(control: ProxyControl): (router: ConnectRouter) => void {
  const service = implementation(control);
  return (router) => router.service(ProxyControlService, service);
}

function implementation(control: ProxyControl): ServiceImpl<typeof ProxyControlService> {
  const sessions = new SessionTable();
  const session = ({ requestHeader }: HandlerContext) => sessions.find(requestHeader.get(SESSION_HEADER));

  return {
    connect: streaming((request, context) => hold(control, sessions, connectFrom(request), context)),
    endSession: unary(async (_, context) => {
      await session(context)[Symbol.asyncDispose]();
      return {};
    }),
    registerTenant: unary(async ({ tenant }, context) => {
      const spec = tenantFrom(present(tenant, 'tenant'));
      return { report: reportTo(await session(context).registerTenant(spec)) };
    }),
    removeTenant: unary(async ({ id }, context) => {
      await session(context).removeTenant(sandboxId(id));
      return {};
    }),
    apply: unary(async (request, context) => outcome(session(context).apply(orderFrom(request)))),
    getStatus: unary(async (_, context) => statusTo(await session(context).status())),
    getAuthority: unary(async (_, context) => ({
      authority: authorityTo(await session(context).authority()),
    })),
    followEvents: streaming(async function* (request, context) {
      const query = { ...queryFrom(request), signal: context.signal };
      for await (const event of session(context).events(query)) yield eventTo(event);
    }),
    explain: unary(async (request, context) =>
      answerTo(await session(context).explain(questionFrom(request))),
    ),
    rotateAuthority: unary(async ({ step }, context) => ({
      authority: authorityTo(await session(context).rotateAuthority(step as RotationStep)),
    })),
    drain: unary(async ({ timeoutMs }, context) => {
      await session(context).drain(narrow(timeoutMs));
      return {};
    }),
  };
}

/** A session for as long as its stream is there. */
async function* hold(
  control: ProxyControl,
  sessions: SessionTable,
  hello: ReturnType<typeof connectFrom>,
  { signal }: HandlerContext,
): AsyncGenerator<MessageInitShape<typeof ConnectResponseSchema>> {
  const gone = new AbortController();
  signal.addEventListener('abort', () => gone.abort(new Error('its connection broke')), { once: true });
  const session = await control.connect(hello, { signal: gone.signal });
  const id = sessions.add(session);
  try {
    yield { message: { case: 'hello', value: helloTo(id, session.hello) } };
    const end: SessionEnd = await session.ended;
    if (end.kind !== 'lost') yield { message: { case: 'end', value: endTo(end) } };
  } finally {
    sessions.remove(id);
    await session[Symbol.asyncDispose]();
  }
}

/** All that is wrong with a generation is too much for an error, which travels in header fields. */
async function outcome(
  applied: ReturnType<Awaited<ReturnType<ProxyControl['connect']>>['apply']>,
): Promise<MessageInitShape<typeof ApplyResponseSchema>> {
  try {
    return { outcome: { case: 'applied', value: appliedTo(await applied) } };
  } catch (thrown) {
    if (!(thrown instanceof ControlRefusal) || thrown.code !== 'generation_refused') throw thrown;
    return { outcome: { case: 'refused', value: refusalTo(thrown) } };
  }
}

const unary =
  <Request, Response>(call: (request: Request, context: HandlerContext) => Promise<Response>) =>
  async (request: Request, context: HandlerContext): Promise<Response> => {
    try {
      return await call(request, context);
    } catch (thrown) {
      throw errorTo(thrown);
    }
  };

const streaming = <Request, Response>(
  call: (request: Request, context: HandlerContext) => AsyncIterable<Response>,
) =>
  async function* (request: Request, context: HandlerContext): AsyncGenerator<Response> {
    try {
      yield* call(request, context);
    } catch (thrown) {
      throw errorTo(thrown);
    }
  };
