import type { SigningOptions } from '@openshell/policy';
import type { OutgoingRequest } from '../exchange/exchange.ts';
import type { HeaderField } from '../http/request-head.ts';
import { regionOf } from './aws-region.ts';
import { injectionFailed, isRefusal, type Refusal } from './injection.ts';
import { type AwsKeys, type PayloadHash, sha256Hex, sign, withoutSignature } from './sigv4.ts';

/** What the signature covers of the body, decided before the body is there. */
export type PayloadPlan =
  | { readonly kind: 'known'; readonly payload: PayloadHash }
  /** It is hashed, so all of it has to be there. */
  | { readonly kind: 'hash-body' };

export interface SigningPlan {
  /** Without the client's own signature. */
  readonly request: OutgoingRequest;
  readonly region: string;
  readonly service: string;
  readonly payload: PayloadPlan;
}

/** How a request will be signed, or why it cannot be. */
export function planSigning(
  request: OutgoingRequest,
  host: string,
  signing: SigningOptions,
): SigningPlan | Refusal {
  const region = signing.region ?? regionOf(host);
  if (region === undefined) {
    return injectionFailed(
      `the AWS region cannot be told from the name ${host}`,
      'Give the endpoint a signing_region in the policy.',
    );
  }
  if (/[?&]X-Amz-(?:Signature|Credential|Algorithm)=/i.test(request.target)) {
    return injectionFailed(
      'the request is signed in its URL (presigned), which this endpoint signs in its header',
      'Send the request itself rather than a presigned URL.',
    );
  }
  const payload = planPayload(signing.mode, request.fields);
  if (isRefusal(payload)) return payload;
  return {
    request: { ...request, fields: withoutSignature(request.fields) },
    region,
    service: signing.service,
    payload,
  };
}

/** The planned request with its signature. `body` is there where the plan asked for it. */
export function signed(plan: SigningPlan, keys: AwsKeys, now: number, body?: Buffer): OutgoingRequest {
  const payload: PayloadHash =
    plan.payload.kind === 'known'
      ? plan.payload.payload
      : { kind: 'sha256', hex: sha256Hex(body ?? Buffer.alloc(0)) };
  const scope = { service: plan.service, region: plan.region, time: new Date(now) };
  return { ...plan.request, fields: sign(plan.request, payload, keys, scope) };
}

/**
 * `sigv4` follows what the client says in `x-amz-content-sha256`: its own hash is signed as it is, and the service compares it with the
 * body. Whoever changes the body on the way removes the field, and the body is hashed.
 */
function planPayload(mode: SigningOptions['mode'], fields: readonly HeaderField[]): PayloadPlan | Refusal {
  const said = fields.find(({ lowerName }) => lowerName === 'x-amz-content-sha256')?.value;
  if (said?.startsWith('STREAMING-') && said !== 'STREAMING-UNSIGNED-PAYLOAD-TRAILER') return CHUNK_SIGNED;
  const inChunks = said === 'STREAMING-UNSIGNED-PAYLOAD-TRAILER';
  const unsigned = { kind: inChunks ? 'unsigned-trailer' : 'unsigned' } as const;
  switch (mode) {
    case 'sigv4:body':
      return inChunks ? CHUNKED_FOR_HASH : { kind: 'hash-body' };
    case 'sigv4:no_body':
      return { kind: 'known', payload: unsigned };
    case 'sigv4':
      if (inChunks || said === 'UNSIGNED-PAYLOAD') return { kind: 'known', payload: unsigned };
      if (said !== undefined && /^[0-9a-f]{64}$/.test(said))
        return { kind: 'known', payload: { kind: 'sha256', hex: said } };
      return { kind: 'hash-body' };
    default:
      return mode satisfies never;
  }
}

const CHUNK_SIGNED = injectionFailed(
  'each chunk of the body is signed with a key that the client does not have (STREAMING-AWS4-HMAC-SHA256-PAYLOAD)',
  'Have the client send unsigned chunks over HTTPS: payload signing off, or an SDK that uses STREAMING-UNSIGNED-PAYLOAD-TRAILER.',
);

const CHUNKED_FOR_HASH = injectionFailed(
  'the body comes in unsigned chunks (STREAMING-UNSIGNED-PAYLOAD-TRAILER), and this endpoint signs bodies as a whole (sigv4:body)',
  'Give the endpoint "credential_signing: sigv4", or have the client send the body in one piece.',
);
