import type { InferenceProtocol } from './routes.ts';

/** In whose shape errors are told. */
export type Dialect = 'openai' | 'anthropic';

/** A request of a model API. */
export type ApiCall =
  | {
      readonly kind: 'generate';
      readonly protocol: InferenceProtocol;
      readonly dialect: Dialect;
      /** Behind `/v1`. */
      readonly path: string;
      /** The parameters that go along, with their `?`; or empty. */
      readonly query: string;
    }
  | { readonly kind: 'models'; readonly dialect: Dialect }
  | { readonly kind: 'model'; readonly dialect: Dialect; readonly model: string };

const GENERATE: ReadonlyMap<string, InferenceProtocol> = new Map([
  ['/chat/completions', 'openai_chat_completions'],
  ['/completions', 'openai_completions'],
  ['/responses', 'openai_responses'],
  ['/embeddings', 'openai_embeddings'],
  ['/messages', 'anthropic_messages'],
  ['/messages/count_tokens', 'anthropic_messages'],
]);

/** What inference.local answers, for the refusal of everything else. */
export const SERVED: readonly string[] = [
  ...[...GENERATE.keys()].map((path) => `POST /v1${path}`),
  'GET /v1/models',
  'GET /v1/models/{model}',
];

const PREFIX = '/v1';
const MODELS = '/models';

/**
 * What a request asks for; undefined when it is none that is served. Paths are compared as they are: nothing is
 * normalised, so there is one way to write each. `anthropic`: the request names that API's version.
 */
export function recognise(method: string, target: string, anthropic: boolean): ApiCall | undefined {
  const mark = target.indexOf('?');
  const path = mark < 0 ? target : target.slice(0, mark);
  if (!path.startsWith(PREFIX)) return undefined;
  const rest = path.slice(PREFIX.length);
  if (method === 'GET') return recogniseModels(rest, anthropic ? 'anthropic' : 'openai');
  const protocol = method === 'POST' ? GENERATE.get(rest) : undefined;
  if (protocol === undefined) return undefined;
  const dialect = protocol === 'anthropic_messages' ? 'anthropic' : 'openai';
  return {
    kind: 'generate',
    protocol,
    dialect,
    path: rest,
    query: queryOf(dialect, target.slice(path.length)),
  };
}

function recogniseModels(path: string, dialect: Dialect): ApiCall | undefined {
  if (path === MODELS) return { kind: 'models', dialect };
  const name = path.startsWith(`${MODELS}/`) ? decoded(path.slice(MODELS.length + 1)) : undefined;
  return name ? { kind: 'model', dialect, model: name } : undefined;
}

/** Parameters can carry keys, so only what is known goes along: the mark by which Anthropic's clients ask for beta features. */
const queryOf = (dialect: Dialect, query: string): string =>
  dialect === 'anthropic' && new URLSearchParams(query).get('beta') === 'true' ? '?beta=true' : '';

function decoded(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}
