import assert from 'node:assert/strict';
import { test } from 'node:test';
import { recognise, SERVED } from './api.ts';

test('each served request is recognised', () => {
  const cases: [method: string, target: string, found: string][] = [
    ['POST', '/v1/chat/completions', 'openai_chat_completions openai /chat/completions'],
    ['POST', '/v1/completions?api-version=1', 'openai_completions openai /completions'],
    ['POST', '/v1/responses', 'openai_responses openai /responses'],
    ['POST', '/v1/embeddings', 'openai_embeddings openai /embeddings'],
    ['POST', '/v1/messages?beta=true&key=secret', 'anthropic_messages anthropic /messages?beta=true'],
    ['POST', '/v1/messages/count_tokens', 'anthropic_messages anthropic /messages/count_tokens'],
  ];
  for (const [method, target, found] of cases) {
    const call = recognise(method, target, false);
    assert.ok(call?.kind === 'generate', target);
    assert.equal(`${call.protocol} ${call.dialect} ${call.path}${call.query}`, found);
  }
  assert.deepEqual(recognise('GET', '/v1/models?limit=9', false), { kind: 'models', dialect: 'openai' });
  const model = { kind: 'model', dialect: 'anthropic', model: 'org/a b' };
  assert.deepEqual(recognise('GET', '/v1/models/org/a%20b', true), model);
  assert.equal(SERVED.length, 8);
});

test('whatever is written otherwise is not', () => {
  const cases: [method: string, target: string][] = [
    ['post', '/v1/completions'],
    ['GET', '/v1/completions'],
    ['POST', '/v1/completions/'],
    ['POST', '/v1//completions'],
    ['POST', '/V1/completions'],
    ['POST', '/v1/x/../completions'],
    ['POST', '/v1/chat%2Fcompletions'],
    ['POST', '/v1/completions;a=b'],
    ['POST', '/completions'],
    ['POST', '*'],
    ['POST', '/v1/models'],
    ['GET', '/v1/models/'],
    ['GET', '/v1/models/%ff'],
    ['POST', '/v1/__proto__'],
  ];
  for (const [method, target] of cases)
    assert.equal(recognise(method, target, false), undefined, `${method} ${target}`);
});
