import type { MessageInitShape, MessageShape } from '@bufbuild/protobuf';
import { Code, ConnectError } from '@connectrpc/connect';
import { messageOf, OpenShellError } from '@openshell/base';
import { CONTROL_CODES, type ControlCode, type ControlProblem, ControlRefusal } from '../contract/refusal.ts';
import { CONTROL_LIMITS } from '../limits.ts';
import { RefusalSchema } from './generated/openshell/proxy/v1/proxy_pb.ts';

/** The nearest status code of gRPC; programs go by the code in the detail. */
const STATUS: Readonly<Record<ControlCode, Code>> = {
  protocol_unsupported: Code.FailedPrecondition,
  controlled_by_another: Code.FailedPrecondition,
  too_many_sessions: Code.ResourceExhausted,
  observer_only: Code.PermissionDenied,
  session_ended: Code.FailedPrecondition,
  unauthenticated: Code.Unauthenticated,
  tenant_unknown: Code.NotFound,
  tenant_exists: Code.AlreadyExists,
  tenant_invalid: Code.InvalidArgument,
  recognition_taken: Code.AlreadyExists,
  listen_failed: Code.FailedPrecondition,
  too_many_tenants: Code.ResourceExhausted,
  generation_refused: Code.InvalidArgument,
  generation_changed: Code.Aborted,
  part_unknown: Code.FailedPrecondition,
  rotation_order: Code.FailedPrecondition,
  request_invalid: Code.InvalidArgument,
  protocol_too_old: Code.Unimplemented,
  proxy_draining: Code.Unavailable,
  unavailable: Code.Unavailable,
  internal: Code.Internal,
};

/** Of a message in an error: it travels in header fields, whose length peers bound. */
const HEADER_TEXT = 1024;

/** As a message of an answer, where there is room. */
export function refusalTo(refusal: ControlRefusal): MessageInitShape<typeof RefusalSchema> {
  const { code, message, remedy, problems } = refusal;
  const more = problems.length - CONTROL_LIMITS.problems.value;
  return {
    code,
    message: more > 0 ? `${message} (${more} problems more than are shown)` : message,
    remedy,
    problems: problems.slice(0, CONTROL_LIMITS.problems.value).map((problem) => ({ ...problem })),
  };
}

export function refusalFrom(message: MessageShape<typeof RefusalSchema>): ControlRefusal {
  const { remedy } = message;
  return new ControlRefusal(message.message, {
    code: isCode(message.code) ? message.code : 'internal',
    ...(remedy !== undefined && { remedy }),
    problems: message.problems.map(problemFrom),
  });
}

/**
 * Anything that was thrown behind the service, as the error of a call. What is no refusal is an error of the proxy's own; its text stays in the
 * proxy, unless it was written for people.
 */
export function errorTo(thrown: unknown): ConnectError {
  if (thrown instanceof ConnectError) return thrown;
  const { code, message, remedy } = asRefusal(thrown);
  const text = shortened(message);
  const value = { code, message: text, ...(remedy !== undefined && { remedy: shortened(remedy) }) };
  return new ConnectError(text, STATUS[code], undefined, [{ desc: RefusalSchema, value }]);
}

/** What a call met, as the contract says it. Throws nothing that is not a refusal. */
export function errorFrom(thrown: unknown): ControlRefusal {
  if (thrown instanceof ControlRefusal) return thrown;
  const error = ConnectError.from(thrown);
  const [detail] = error.findDetails(RefusalSchema);
  if (detail) return refusalFrom(detail);
  const code = codeOf(error.code);
  const where = code === 'unavailable' ? 'the proxy cannot be reached' : 'the proxy refused the call';
  return new ControlRefusal(`${where}: ${error.rawMessage}`, { code, cause: thrown });
}

/** Of an error that says nothing of its own: from something between the two, or from the libraries. */
const codeOf = (status: Code): ControlCode => {
  switch (status) {
    case Code.Unauthenticated:
    case Code.PermissionDenied:
      return 'unauthenticated';
    case Code.InvalidArgument:
    case Code.ResourceExhausted:
    case Code.OutOfRange:
      return 'request_invalid';
    case Code.Unimplemented:
      return 'protocol_too_old';
    default:
      return 'unavailable';
  }
};

const asRefusal = (thrown: unknown): ControlRefusal => {
  if (thrown instanceof ControlRefusal) return thrown;
  const message = thrown instanceof OpenShellError ? messageOf(thrown) : 'an error within the proxy';
  return new ControlRefusal(message, { code: 'internal', cause: thrown });
};

const problemFrom = (problem: MessageShape<typeof RefusalSchema>['problems'][number]): ControlProblem => ({
  part: problem.part as ControlProblem['part'],
  name: problem.name,
  line: problem.line,
  column: problem.column,
  path: problem.path,
  message: problem.message,
});

const isCode = (code: string): code is ControlCode => (CONTROL_CODES as readonly string[]).includes(code);

const shortened = (text: string): string =>
  text.length <= HEADER_TEXT ? text : `${text.slice(0, HEADER_TEXT)}…`;
