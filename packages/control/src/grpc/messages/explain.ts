import type { MessageInitShape, MessageShape } from '@bufbuild/protobuf';
import { sandboxId } from '@openshell/base';
import type { ExplainAnswer, ExplainQuery } from '../../contract/explain.ts';
import type {
  ExplainRequestSchema,
  ExplainResponseSchema,
} from '../generated/openshell/proxy/v1/proxy_pb.ts';
import { narrow, wide } from './numbers.ts';

export const questionTo = (query: ExplainQuery): MessageInitShape<typeof ExplainRequestSchema> => ({
  tenant: query.tenant,
  host: query.host,
  port: query.port,
  binaries: [...query.binaries],
  request: query.request,
});

export const questionFrom = (message: MessageShape<typeof ExplainRequestSchema>): ExplainQuery => ({
  tenant: sandboxId(message.tenant),
  host: message.host,
  port: message.port,
  binaries: message.binaries,
  request: message.request && { method: message.request.method, target: message.request.target },
});

export const answerTo = (answer: ExplainAnswer): MessageInitShape<typeof ExplainResponseSchema> => ({
  allowed: answer.allowed,
  generation: wide(answer.generation),
  reason: answer.reason,
  remedy: answer.remedy,
  code: answer.code,
  policy: answer.policy,
  inspected: answer.inspected,
});

export const answerFrom = (message: MessageShape<typeof ExplainResponseSchema>): ExplainAnswer => ({
  allowed: message.allowed,
  generation: narrow(message.generation),
  reason: message.reason,
  remedy: message.remedy,
  code: message.code,
  policy: message.policy,
  inspected: message.inspected,
});
