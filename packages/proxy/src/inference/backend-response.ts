import { Mask } from '../credentials/mask.ts';
import type { SecretSource } from '../credentials/secret-source.ts';
import type { BodySource } from '../exchange/body.ts';
import type { ResponseHead, UpstreamFailure } from '../exchange/exchange.ts';
import { fieldValues } from '../http/request-head.ts';
import type { ApiError } from './api-error.ts';
import type { BackendResponse } from './backend-call.ts';

/** A response that may go to the client, with every value of the key taken out. */
export interface AcceptedResponse {
  readonly head: ResponseHead;
  readonly body: BodySource;
  readonly isEventStream: boolean;
  readonly abort: (reason: string) => void;
}

/** What is between a backend and the proxy, and no business of the workload's. */
const DROPPED: ReadonlySet<string> = new Set([
  'set-cookie',
  'alt-svc',
  'strict-transport-security',
  'www-authenticate',
  'server-timing',
  'report-to',
  'nel',
  'trailer',
]);

/** What stands in a response where the key stood. */
const MASKED = '[REDACTED]';

const refused = (status: number, code: string, message: string, final = true): ApiError => ({
  status,
  code,
  message,
  final,
});

/**
 * Judges what came back. A refused key, a redirect and an encoded body are answered by us: the first two say things about the operator's account
 * and addresses that a workload can do nothing about, the last could hide the key.
 */
export function acceptResponse(
  response: BackendResponse,
  key: SecretSource | undefined,
): AcceptedResponse | ApiError {
  if (response.kind === 'failed') return failureError(response.failure);
  const { head, body, abort } = response;
  const wrong = wrongHead(head);
  if (wrong !== undefined) {
    abort('its response is not used');
    return wrong;
  }
  const mask = new Mask((key?.known ?? []).map((value) => ({ value, placeholder: MASKED })));
  const fields = mask.fields(head.fields.filter(({ lowerName }) => !DROPPED.has(lowerName)));
  const type = fieldValues({ fields }, 'content-type')[0] ?? '';
  return {
    head: { status: head.status, fields },
    body: mask.isEmpty || body.length === 0 ? body : mask.body(body),
    isEventStream: /^text\/event-stream\s*(;|$)/i.test(type),
    abort,
  };
}

function wrongHead({ status, fields }: ResponseHead): ApiError | undefined {
  if (status === 401)
    return refused(
      502,
      'backend_unauthorized',
      'The backend does not accept the key that the operator has configured.',
    );
  if (status >= 300 && status < 400)
    return refused(502, 'backend_redirect', 'The backend redirects, which is not followed.');
  const encoded = fieldValues({ fields }, 'content-encoding').some(
    (value) => value.toLowerCase() !== 'identity',
  );
  if (encoded)
    return refused(
      502,
      'backend_encoding',
      'The backend answers in a content coding that was not asked for.',
    );
  return undefined;
}

/** A failure's detail names addresses: it is for the event, not for the workload. */
export function failureError({ code }: UpstreamFailure): ApiError {
  switch (code) {
    case 'upstream_timeout':
      return { status: 504, code, message: 'The backend did not answer in time.' };
    case 'upstream_untrusted':
      return refused(502, code, "The backend's certificate is not accepted.");
    case 'upstream_protocol':
      return { status: 502, code, message: 'The backend said something that is not HTTP.' };
    case 'ssrf_denied':
    case 'resolve_failed':
    case 'upstream_unreachable':
      return { status: 502, code, message: 'The backend could not be reached.' };
    default:
      return code satisfies never;
  }
}
