import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer, type Server } from 'node:https';
import type { Identity } from '../x509/certificate.ts';

export interface ApiOriginOptions {
  readonly identity: Identity;
  /** Who shows this in `Authorization: Bearer` is known to the API. */
  readonly token: string;
  /** The same for the model. */
  readonly modelKey: string;
}

/** The chat completion of a parrot. */
const repeat = (body: string): object => {
  const { model, messages } = JSON.parse(body) as { model: string; messages: { content: string }[] };
  const content = messages.map((message) => message.content).join(' ');
  return {
    id: '1',
    object: 'chat.completion',
    model,
    choices: [{ index: 0, finish_reason: 'stop', message: { role: 'assistant', content } }],
    usage: { prompt_tokens: 1, completion_tokens: 1, total_tokens: 2 },
  };
};

/** An HTTPS server of two APIs: fruit at `api.test`, and a model that repeats what it hears. */
export const createApiOrigin = ({ identity, token, modelKey }: ApiOriginOptions): Server => {
  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const body = Buffer.concat((await request.toArray()) as Buffer[]).toString();
    const shown = request.headers.authorization;
    const json = (value: object, status = 200): void => {
      response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(value));
    };
    switch (request.url) {
      case '/fruit':
        return json(['apple', 'pear']);
      case '/me':
        return shown === `Bearer ${token}` ? json({ you: 'are known here' }) : json({ who: 'are you?' }, 401);
      case '/v1/chat/completions':
        return shown === `Bearer ${modelKey}` ? json(repeat(body)) : json({ who: 'are you?' }, 401);
      default:
        return json({ no: 'such thing' }, 404);
    }
  };
  const { certificate, key } = identity;
  const credentials = { cert: certificate, key: key.export({ type: 'pkcs8', format: 'pem' }) };
  return createServer(credentials, (request, response) => {
    answer(request, response).catch(() => response.destroy()); // the client has gone
  });
};
