import type { ValueSource } from '../credentials/spec.ts';

/** The host that the workload calls. */
export const INFERENCE_HOST = 'inference.local';

export const INFERENCE_PROTOCOLS = [
  'openai_chat_completions',
  'openai_completions',
  'openai_responses',
  'openai_embeddings',
  'anthropic_messages',
  /** The backend's own list of models is asked for where patterns of the route have wildcards. */
  'model_discovery',
] as const;

export type InferenceProtocol = (typeof INFERENCE_PROTOCOLS)[number];

/** How a backend is told who asks. */
export type InferenceAuth =
  | { readonly kind: 'none' }
  /** `Authorization: Bearer` */
  | { readonly kind: 'bearer'; readonly credential: ValueSource }
  | { readonly kind: 'x-api-key'; readonly credential: ValueSource }
  | { readonly kind: 'header'; readonly name: string; readonly credential: ValueSource };

/** Bounds of one route; what is absent is as in docs/limits.md. Times in ms. */
export interface RouteLimits {
  readonly connectTime: number;
  /** From the request to the head of the response. */
  readonly headTime: number;
  /** A response that is no stream of events, from the request to its end. */
  readonly totalTime: number;
  /** Silence within a stream of events. */
  readonly chunkTime: number;
  readonly requestBytes: number;
  readonly responseBytes: number;
}

/** One backend and the models that it serves: plain data, without a key. */
export interface InferenceRoute {
  /** For people and events. */
  readonly name: string;
  /** Patterns of model names, as in a policy; `*` matches anything. */
  readonly models: readonly string[];
  readonly protocols: readonly InferenceProtocol[];
  /** https, or http on loopback. A path stands in place of the `/v1` of the request. */
  readonly baseUrl: string;
  /** What the backend calls the model, in place of what the workload says. */
  readonly model?: string;
  readonly auth: InferenceAuth;
  /** Set on each request. */
  readonly headers?: Readonly<Record<string, string>>;
  readonly limits?: Partial<RouteLimits>;
}
