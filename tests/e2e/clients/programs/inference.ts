// The npm SDKs of OpenAI and Anthropic at inference.local: `inference.ts openai|anthropic MODEL`.
import Anthropic from '@anthropic-ai/sdk';
import OpenAI from 'openai';

const [, , api, model = ''] = process.argv;
const messages = [{ role: 'user' as const, content: 'hi' }];

const askOpenAI = async (): Promise<void> => {
  const client = new OpenAI({ baseURL: 'https://inference.local/v1', apiKey: 'unused', maxRetries: 0 });
  const whole = await client.chat.completions.create({ model, messages });
  console.log(whole.choices[0]?.message.content);
  let text = '';
  for await (const part of await client.chat.completions.create({ model, messages, stream: true }))
    text += part.choices[0]?.delta.content ?? '';
  console.log(text);
  console.log((await client.models.list()).data.map(({ id }) => id).join(' '));
};

const askAnthropic = async (): Promise<void> => {
  const client = new Anthropic({ baseURL: 'https://inference.local', apiKey: 'unused', maxRetries: 0 });
  const whole = await client.messages.create({ model, max_tokens: 9, messages });
  console.log(whole.content.map((block) => (block.type === 'text' ? block.text : '')).join(''));
  const stream = client.messages.stream({ model, max_tokens: 9, messages });
  console.log(await stream.finalText());
};

try {
  await (api === 'openai' ? askOpenAI() : askAnthropic());
} catch (error) {
  console.error((error as Error).message);
  process.exitCode = 1;
}
