import type { Limits } from '../../limits.ts';
import { StageFault } from '../fault.ts';
import type { FindingSeverity, StageAnswer, StageChanges, StageFinding } from '../stage.ts';
import type {
  Allow,
  EvaluateHttpRequestResponse,
  Finding,
} from './generated/openshell/middleware/v1/middleware_pb.ts';

const CODE = /^[a-z][a-z0-9_]{0,63}$/;
const SEVERITIES: readonly FindingSeverity[] = ['info', 'low', 'medium', 'high', 'critical'];
/** Line breaks and other control characters would let a service forge lines of a log. */
const CONTROL = /[\u0000-\u001f\u007f-\u009f\u2028\u2029]/;

/**
 * What a service's answer says.
 * @throws StageFault when it is none, or is beyond a bound: nothing of it is used then.
 */
export function readAnswer({ decision, findings }: EvaluateHttpRequestResponse, limits: Limits): StageAnswer {
  const told = readFindings(findings, limits);
  switch (decision.case) {
    case 'allow':
      return { kind: 'allow', changes: readChanges(decision.value, limits), findings: told };
    case 'deny': {
      const { reasonCode } = decision.value;
      if (reasonCode !== '' && !CODE.test(reasonCode)) throw new StageFault('its reason code is not one');
      return { kind: 'deny', reasonCode, findings: told };
    }
    case undefined:
      throw new StageFault('its answer holds no decision');
    default:
      return decision satisfies never;
  }
}

function readChanges({ setFields, removeFields, body }: Allow, limits: Limits): StageChanges {
  const count = setFields.length + removeFields.length;
  const texts = [...setFields.flatMap(({ name, value }) => [name, value]), ...removeFields];
  const bytes = texts.reduce((sum, text) => sum + Buffer.byteLength(text), 0);
  if (count > limits.middlewareChanges || bytes > limits.middlewareChangeBytes)
    throw new StageFault('it changes more of the header than a stage may');
  if (body !== undefined && body.length > limits.middlewareBodyBytes)
    throw new StageFault('its body is larger than one may be');
  return {
    setFields: setFields.map(({ name, value }) => ({ name: name.toLowerCase(), value })),
    removeFields: removeFields.map((name) => name.toLowerCase()),
    ...(body !== undefined && { body: Buffer.from(body.buffer, body.byteOffset, body.byteLength) }),
  };
}

function readFindings(findings: readonly Finding[], limits: Limits): StageFinding[] {
  if (findings.length > limits.middlewareFindings)
    throw new StageFault('it has more findings than a stage may');
  return findings.map(({ code, message, severity, count }) => {
    if (
      !CODE.test(code) ||
      CONTROL.test(message) ||
      Buffer.byteLength(message) > limits.middlewareFindingBytes
    )
      throw new StageFault('one of its findings has no code, or a message that is none');
    return {
      code,
      message,
      severity: SEVERITIES.find((one) => one === severity) ?? 'medium',
      count: Math.max(1, count),
    };
  });
}
