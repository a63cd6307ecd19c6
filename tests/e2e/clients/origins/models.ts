import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import { pathOf } from './web.ts';

/** The key that the backend wants; no sandbox may ever hold it. */
export const MODEL_KEY = 'sk-fruit-model-key-0123456789';

const CHAT = {
  id: '1',
  object: 'chat.completion',
  choices: [{ index: 0, finish_reason: 'stop', message: { role: 'assistant', content: 'hello' } }],
  usage: { prompt_tokens: 1, completion_tokens: 2, total_tokens: 3 },
};

const chunk = (content: string): string =>
  `data: ${JSON.stringify({ id: '1', object: 'chat.completion.chunk', choices: [{ index: 0, delta: { content } }] })}\n\n`;

const MESSAGE = {
  id: '1',
  type: 'message',
  role: 'assistant',
  model: 'fruit',
  content: [{ type: 'text', text: 'hello' }],
  usage: { input_tokens: 1, output_tokens: 2 },
};

const MESSAGE_EVENTS = [
  { type: 'message_start', message: { ...MESSAGE, content: [] } },
  { type: 'content_block_start', index: 0, content_block: { type: 'text', text: '' } },
  { type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text: 'hel' } },
  { type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text: 'lo' } },
  { type: 'content_block_stop', index: 0 },
  { type: 'message_delta', delta: { stop_reason: 'end_turn' }, usage: { output_tokens: 2 } },
  { type: 'message_stop' },
].map((event) => `event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`);

const isKnown = ({ headers }: IncomingMessage): boolean =>
  headers.authorization === `Bearer ${MODEL_KEY}` || headers['x-api-key'] === MODEL_KEY;

const json = (response: ServerResponse, status: number, value: object): void => {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(value));
};

const stream = (response: ServerResponse, events: readonly string[]): void => {
  response.writeHead(200, { 'content-type': 'text/event-stream' });
  for (const event of events) response.write(event);
  response.end();
};

/** The two APIs, as far as "hi" goes: whole answers and streams, for those who have the key. */
export const modelsSite = (): RequestListener => async (request, response) => {
  const body = Buffer.concat((await request.toArray()) as Buffer[]).toString();
  if (!isKnown(request)) json(response, 401, { error: { message: 'who are you?' } });
  else if (pathOf(request) === '/v1/chat/completions') {
    if (JSON.parse(body).stream) stream(response, [chunk('hel'), chunk('lo'), 'data: [DONE]\n\n']);
    else json(response, 200, CHAT);
  } else if (pathOf(request) === '/v1/messages') {
    if (JSON.parse(body).stream) stream(response, MESSAGE_EVENTS);
    else json(response, 200, MESSAGE);
  } else response.writeHead(404).end();
};
