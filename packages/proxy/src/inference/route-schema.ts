import { schema } from '@openshell/policy';
import { INFERENCE_PROTOCOLS } from './routes.ts';

const { integer, list, map, object, text } = schema;

const time = integer(1, 3_600_000);

const LIMITS = object('limits', 'Bounds of the route.', {
  connect_ms: { type: time, doc: 'Reaching the backend.' },
  head_ms: { type: time, doc: 'From the request to the head of the response.' },
  total_ms: { type: time, doc: 'A response that is no stream of events, from the request to its end.' },
  chunk_ms: { type: time, doc: 'Silence within a stream of events.' },
  request_bytes: { type: integer(1, 104_857_600), doc: 'Body of a request.' },
  response_bytes: { type: integer(1, 1_073_741_824), doc: 'A response.' },
});

const AUTH = object('auth', 'How the backend is told who asks, and where the key comes from.', {
  kind: {
    type: text({ oneOf: ['bearer', 'x-api-key', 'header', 'none'] }),
    required: true,
    doc: '`Authorization: Bearer`, `x-api-key`, a field of another name, or nothing.',
  },
  header: { type: text(), doc: 'Name of the field where `kind` is `header`.' },
  env: { type: text(), doc: 'Environment variable of the key.' },
  file: { type: text({ maxBytes: 4096 }), doc: 'File of the key.' },
  command: {
    type: list(text({ maxBytes: 4096 }), 64, { nonEmpty: true }),
    doc: 'Command that prints the key.',
  },
});

const ROUTE = object('A route', 'One backend and the models that it serves.', {
  name: { type: text({ maxBytes: 64 }), required: true, doc: 'For people and events.' },
  models: {
    type: list(text({ maxBytes: 256 }), 256, { nonEmpty: true }),
    required: true,
    doc: 'Patterns of model names.',
  },
  protocols: {
    type: list(text({ oneOf: INFERENCE_PROTOCOLS }), INFERENCE_PROTOCOLS.length, { nonEmpty: true }),
    required: true,
    doc: 'What the backend speaks.',
  },
  base_url: { type: text(), required: true, doc: 'Of the backend; a path stands in place of `/v1`.' },
  model: {
    type: text({ maxBytes: 256 }),
    doc: "What the backend calls the model, in place of the request's.",
  },
  auth: { type: AUTH, required: true, doc: 'The key.' },
  headers: { type: map('name', text(), 32), doc: 'Fields that are set on each request.' },
  limits: { type: LIMITS, doc: 'Bounds of the route.' },
});

/** Every field of a file of inference routes. */
export const ROUTES_SCHEMA = object('The file', 'Routes from models to backends.', {
  routes: {
    type: list(ROUTE, 64, { nonEmpty: true }),
    required: true,
    doc: 'In order: the first of equals is taken.',
  },
});
