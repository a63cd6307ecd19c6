import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Middleware } from '@openshell/policy';
import type { BodyReceiver } from '../../exchange/body.ts';
import { limitsWith } from '../../limits.ts';
import type { StageFinding, StageRequest } from '../stage.ts';
import { RegexStage } from './stage.ts';

const SECRET = `sk-${'a1'.repeat(10)}`;

const stageOf = (config: Record<string, unknown>): RegexStage => {
  const middleware: Middleware = {
    key: 'guard',
    name: 'guard',
    middleware: 'openshell/regex',
    order: 0,
    config,
    onError: 'fail_closed',
    include: ['**'],
    exclude: [],
  };
  return new RegexStage(middleware, limitsWith());
};

const request = (changes: Partial<StageRequest>): StageRequest => ({
  method: 'POST',
  scheme: 'https',
  host: 'api.example.com',
  port: 443,
  target: '/upload?x=1',
  fields: [],
  sandbox: 'box',
  binary: '/usr/bin/curl',
  ...changes,
});

class Collector implements BodyReceiver {
  text = '';
  outcome = '';
  data(bytes: Buffer): boolean {
    this.text += bytes.toString();
    return true;
  }
  end(): void {
    this.outcome = 'end';
  }
  fail(reason: string): void {
    this.outcome = reason;
  }
}

const respond = (config: Record<string, unknown>, pieces: readonly string[]) => {
  const receiver = new Collector();
  const findings: StageFinding[] = [];
  const filter = stageOf(config).filterResponse!({ receiver, onFinding: (one) => findings.push(one) });
  for (const piece of pieces) filter.data(Buffer.from(piece));
  filter.end([]);
  return { ...receiver, findings };
};

test('redact replaces matches in a request body and says how many', () => {
  const answer = stageOf({}).evaluate(request({ body: Buffer.from(`{"a":"${SECRET}","b":"${SECRET}"}`) }));
  assert.equal(answer.kind, 'allow');
  assert.equal(
    answer.kind === 'allow' && answer.changes?.body?.toString(),
    '{"a":"[REDACTED]","b":"[REDACTED]"}',
  );
  assert.deepEqual(
    answer.findings.map(({ code, count }) => [code, count]),
    [['sk_key', 2]],
  );
});

test('a body without a match is left alone', () => {
  assert.deepEqual(stageOf({}).evaluate(request({ body: Buffer.from('task-list') })), {
    kind: 'allow',
    findings: [],
  });
});

test('deny refuses a request, and no finding quotes what was found', () => {
  const answer = stageOf({ mode: 'deny' }).evaluate(request({ body: Buffer.from(SECRET) }));
  assert.equal(answer.kind === 'deny' && answer.reasonCode, 'match_in_body');
  assert.equal(JSON.stringify(answer).includes(SECRET), false);
});

test('a match in the target is refused in either mode, percent-encoded or not', () => {
  for (const mode of ['redact', 'deny'])
    for (const target of [
      `/x?k=${SECRET}`,
      `/x/${SECRET.replace('-', '%2d')}`,
      `/%ff?k=%73k%2D${SECRET.slice(3)}`,
    ])
      assert.equal(stageOf({ mode }).evaluate(request({ target })).kind, 'deny', target);
});

test('a body in a content coding cannot be read: the stage fails', () => {
  const fields = [{ name: 'Content-Encoding', lowerName: 'content-encoding', value: 'gzip' }];
  assert.throws(() => stageOf({}).evaluate(request({ fields, body: Buffer.from('x') })), { status: 403 });
});

test('a response is redacted across its pieces', () => {
  const { text, outcome, findings } = respond({}, ['{"key":"sk-', SECRET.slice(3), '"}']);
  assert.equal(text, '{"key":"[REDACTED]"}');
  assert.equal(outcome, 'end');
  assert.equal(findings.length, 1);
});

test('deny cuts a response off before a byte of the match', () => {
  const { text, outcome, findings } = respond({ mode: 'deny' }, ['before sk-', SECRET.slice(3), ' after']);
  assert.equal(text, 'before ');
  assert.match(outcome, /refused/);
  assert.equal(findings.length, 1);
});

test('direction limits a stage to requests or to responses', () => {
  assert.equal(stageOf({ direction: 'request' }).filterResponse, undefined);
  const answer = stageOf({ direction: 'response' }).evaluate(request({ body: Buffer.from(SECRET) }));
  assert.deepEqual(answer, { kind: 'allow', findings: [] });
});

test('patterns of the user work beside the chosen detectors', () => {
  const config = { detectors: ['npm_token'], patterns: { ticket: 'ACME-\\d{4}' } };
  const { text } = respond(config, [`ACME-1234 ${SECRET}`]);
  assert.equal(text, `[REDACTED] ${SECRET}`);
});

test('a configuration that means nothing is refused with its place', () => {
  const cases: [config: Record<string, unknown>, message: RegExp][] = [
    [{ mode: 'log' }, /guard\.config\.mode/],
    [{ direction: 1 }, /config\.direction/],
    [{ detectors: 'all' }, /config\.detectors/],
    [{ detectors: ['nothing'] }, /config\.detectors/],
    [{ detectors: [] }, /nothing is looked for/],
    [{ patterns: ['a'] }, /config\.patterns/],
    [{ patterns: { Bad: 'a' } }, /"Bad"/],
    [{ patterns: { sk_key: 'a' } }, /"sk_key"/],
    [{ patterns: { a: 1 } }, /patterns\.a/],
    [{ patterns: { a: '(x+)+' } }, /patterns\.a: the pattern/],
    [{ patterns: Object.fromEntries([...'abcdefgh'].map((name) => [name, 'x{512}'])) }, /more than 4096/],
    [{ other: 1 }, /config\.other/],
  ];
  for (const [config, message] of cases)
    assert.throws(() => stageOf(config), { code: 'bad_middleware_config', message });
});
