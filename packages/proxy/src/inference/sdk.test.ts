import assert from 'node:assert/strict';
import { test } from 'node:test';
import Anthropic from '@anthropic-ai/sdk';
import OpenAI from 'openai';
import { events, InferenceFixture, json } from './test-support/fixture.ts';

const openai = ({ url }: InferenceFixture): OpenAI =>
  new OpenAI({ baseURL: `${url}/v1`, apiKey: 'unused', maxRetries: 0 });
const anthropic = ({ url }: InferenceFixture): Anthropic =>
  new Anthropic({ baseURL: url, apiKey: 'unused', maxRetries: 0 });

const USER = [{ role: 'user' as const, content: 'hi' }];

const chunk = (content: string): string =>
  `data: ${JSON.stringify({ id: '1', object: 'chat.completion.chunk', choices: [{ index: 0, delta: { content } }] })}\n\n`;

const CHAT = {
  id: '1',
  object: 'chat.completion',
  choices: [{ index: 0, finish_reason: 'stop', message: { role: 'assistant', content: 'hello' } }],
};

const MESSAGE = {
  id: '1',
  type: 'message',
  role: 'assistant',
  model: 'small',
  content: [{ type: 'text', text: 'hello' }],
  usage: { input_tokens: 1, output_tokens: 2 },
};

const ANTHROPIC_EVENTS = [
  { type: 'message_start', message: { ...MESSAGE, content: [] } },
  { type: 'content_block_start', index: 0, content_block: { type: 'text', text: '' } },
  { type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text: 'hello' } },
].map((event) => `event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`);

test('the OpenAI client completes chats, whole and streamed', async () => {
  await using whole = await InferenceFixture.start({ respond: json(CHAT) });
  const answer = await openai(whole).chat.completions.create({ model: 'small', messages: USER });
  assert.equal(answer.choices[0]?.message.content, 'hello');
  await using streamed = await InferenceFixture.start({
    respond: events([chunk('he'), chunk('llo'), 'data: [DONE]\n\n']),
  });
  let text = '';
  for await (const part of await openai(streamed).chat.completions.create({
    model: 'large-1',
    messages: USER,
    stream: true,
  }))
    text += part.choices[0]?.delta.content;
  assert.equal(text, 'hello');
});

test('the OpenAI client uses the other APIs', async () => {
  await using fixture = await InferenceFixture.start({
    respond: (response, sent) => {
      const answers: Record<string, object> = {
        '/v1/completions': { choices: [{ text: 'hello' }] },
        '/v1/responses': {
          id: '1',
          object: 'response',
          output: [{ type: 'message', content: [{ type: 'output_text', text: 'hello' }] }],
        },
        '/v1/embeddings': {
          data: [{ index: 0, embedding: [1, 2] }],
          usage: { prompt_tokens: 3, total_tokens: 3 },
        },
      };
      json(answers[sent.url] ?? {}, sent.url in answers ? 200 : 404)(response, sent);
    },
  });
  const client = openai(fixture);
  assert.equal((await client.completions.create({ model: 'small', prompt: 'a' })).choices[0]?.text, 'hello');
  assert.equal((await client.responses.create({ model: 'small', input: 'a' })).output_text, 'hello');
  const { data } = await client.embeddings.create({ model: 'small', input: 'a', encoding_format: 'float' });
  assert.deepEqual(data[0]?.embedding, [1, 2]);
  assert.deepEqual(
    (await client.models.list()).data.map(({ id }) => id),
    ['small'],
  );
  assert.equal((await client.models.retrieve('large-9')).id, 'large-9');
});

test('the OpenAI client shows our errors, also in the middle of a stream', async () => {
  await using fixture = await InferenceFixture.start({ respond: json({}) });
  const client = openai(fixture);
  await assert.rejects(client.chat.completions.create({ model: 'unknown', messages: USER }), {
    status: 400,
    code: 'model_not_found',
    message: /No route serves the model "unknown" here/,
  });
  await assert.rejects(client.files.list(), { status: 403 });
  await using broken = await InferenceFixture.start({
    respond: events([chunk('he'), 'data: {"half'], (response) => setImmediate(() => response.destroy())),
  });
  let text = '';
  const read = async (): Promise<void> => {
    for await (const part of await openai(broken).chat.completions.create({
      model: 'small',
      messages: USER,
      stream: true,
    }))
      text += part.choices[0]?.delta.content;
  };
  await assert.rejects(read(), { type: 'proxy_stream_error', message: /was cut off/ });
  assert.equal(text, 'he');
});

test('the Anthropic client makes messages, whole and streamed, and counts tokens', async () => {
  await using whole = await InferenceFixture.start({
    respond: (response, sent) =>
      json(sent.url.includes('count_tokens') ? { input_tokens: 4 } : MESSAGE)(response, sent),
  });
  const client = anthropic(whole);
  const answer = await client.messages.create({ model: 'small', max_tokens: 9, messages: USER });
  assert.deepEqual(answer.content, MESSAGE.content);
  assert.deepEqual((await whole.record()).usage, { input: 1, output: 2 });
  assert.equal((await client.messages.countTokens({ model: 'small', messages: USER })).input_tokens, 4);
  await client.beta.messages.create({ model: 'small', max_tokens: 9, messages: USER, betas: ['some-beta'] });
  assert.equal(whole.sent.at(-1)?.url, '/v1/messages');
  assert.equal(whole.sent.at(-1)?.headers['anthropic-beta'], 'some-beta');
  assert.deepEqual(
    (await client.models.list()).data.map(({ id }) => id),
    ['small'],
  );

  const end = 'event: message_stop\ndata: {"type":"message_stop"}\n\n';
  await using streamed = await InferenceFixture.start({ respond: events([...ANTHROPIC_EVENTS, end]) });
  const stream = anthropic(streamed).messages.stream({ model: 'small', max_tokens: 9, messages: USER });
  assert.equal(await stream.finalText(), 'hello');
});

test('the Anthropic client shows our errors, also in the middle of a stream', async () => {
  await using fixture = await InferenceFixture.start({ respond: json({}) });
  const ask = { model: 'unknown', max_tokens: 9, messages: USER };
  await assert.rejects(anthropic(fixture).messages.create(ask), {
    status: 400,
    type: 'invalid_request_error',
  });
  await using broken = await InferenceFixture.start({
    respond: events(ANTHROPIC_EVENTS, (response) => setImmediate(() => response.destroy())),
  });
  const stream = anthropic(broken).messages.stream({ ...ask, model: 'small' });
  await assert.rejects(stream.finalText(), { type: 'api_error', message: /was cut off/ });
});
