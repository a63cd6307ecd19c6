import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sandboxId } from '@openshell/base';
import type { Middleware } from '@openshell/policy';
import type { BodyReceiver } from '../exchange/body.ts';
import type { HeaderField } from '../http/request-head.ts';
import { limitsWith } from '../limits.ts';
import { Admission } from './admission.ts';
import { MiddlewareStages } from './chain.ts';
import { MiddlewareRegistry } from './registry.ts';
import type { Stage, StageAnswer, StageChanges, StageRequest } from './stage.ts';
import type { MiddlewareFinding, MiddlewareRequest } from './verdict.ts';

const field = (name: string, value: string): HeaderField => ({ name, lowerName: name.toLowerCase(), value });

const FIELDS = [
  field('Accept', '*/*'),
  field('Authorization', 'Bearer openshell:resolve:env:TOKEN'),
  field('Cookie', 'session=1'),
  field('X-Api-Key', 'k'),
  field('Content-Type', 'text/plain'),
];

const middleware = (key: string, onError: Middleware['onError'] = 'fail_closed'): Middleware => ({
  key,
  name: key,
  middleware: 'test',
  order: 0,
  config: {},
  onError,
  include: ['**'],
  exclude: [],
});

type Evaluate = (request: StageRequest, signal: AbortSignal) => StageAnswer | Promise<StageAnswer>;

const stage = (evaluate: Evaluate, maxBodyBytes = 1000): Stage => ({
  needs: { requestBody: true, maxBodyBytes },
  evaluate,
});

const ALLOW: StageAnswer = { kind: 'allow', findings: [] };
const allow = (changes: Partial<StageChanges>): StageAnswer => ({
  kind: 'allow',
  changes: { setFields: [], removeFields: [], ...changes },
  findings: [],
});

const chain = (
  stages: readonly [Middleware, Stage][],
  limits = limitsWith(),
  admission = new Admission({ running: 2, waiting: 1 }),
): MiddlewareStages =>
  new MiddlewareStages({
    stages: stages.map(([one, stage]) => ({ middleware: one, stage })),
    limits,
    admission,
  });

const request = (body?: string): MiddlewareRequest => ({
  method: 'POST',
  scheme: 'https',
  host: 'api.example.com',
  port: 443,
  target: '/x',
  fields: FIELDS,
  body: body === undefined ? { kind: 'none' } : { kind: 'whole', bytes: Buffer.from(body) },
  sandbox: sandboxId('box'),
  binary: '/usr/bin/curl',
});

const options = (findings: MiddlewareFinding[] = [], signal = new AbortController().signal) => ({
  signal,
  onFinding: (finding: MiddlewareFinding) => findings.push(finding),
});

const never = (): Promise<StageAnswer> => new Promise(() => undefined);

test('a stage is shown no credential, and what it is not shown stays', async () => {
  let shown: readonly HeaderField[] = [];
  const stages = chain([
    [
      middleware('a'),
      stage(({ fields }) => {
        shown = fields;
        return allow({
          setFields: [{ name: 'x-openshell-middleware-tag', value: ' 1 ' }],
          removeFields: ['accept'],
        });
      }),
    ],
  ]);
  const verdict = await stages.evaluateRequest(request(), options());
  assert.deepEqual(
    shown.map(({ lowerName }) => lowerName),
    ['accept', 'content-type'],
  );
  assert.ok(verdict.kind === 'continue');
  assert.deepEqual(
    verdict.fields.map(({ name, value }) => `${name}: ${value}`),
    [
      'Authorization: Bearer openshell:resolve:env:TOKEN',
      'Cookie: session=1',
      'X-Api-Key: k',
      'Content-Type: text/plain',
      'x-openshell-middleware-tag: 1',
    ],
  );
});

test('a change that a stage may not make is a failure of the stage, and none of it is made', async () => {
  const wrong: Partial<StageChanges>[] = [
    { setFields: [{ name: 'authorization', value: 'x' }] },
    { setFields: [{ name: 'x-openshell-middleware-', value: 'a\r\nb: c' }] },
    { setFields: [{ name: 'x-openshell-middleware-a b', value: 'c' }] },
    { removeFields: ['authorization'] },
    { removeFields: ['content-type'] },
    { removeFields: ['not-there'] },
    { body: Buffer.from('new') },
  ];
  for (const changes of wrong) {
    const answer = allow({ setFields: [{ name: 'x-openshell-middleware-ok', value: '1' }], ...changes });
    const strict = await chain([[middleware('a'), stage(() => answer)]]).evaluateRequest(
      request(),
      options(),
    );
    assert.equal(strict.kind, 'failed', JSON.stringify(changes));
    const open = chain([[middleware('a', 'fail_open'), stage(() => answer)]]);
    assert.deepEqual(await open.evaluateRequest(request(), options()), {
      kind: 'continue',
      fields: FIELDS,
      newBody: undefined,
    });
  }
});

test('stages run in order, each on what the one before has made', async () => {
  const seen: string[] = [];
  const append = (text: string): Stage =>
    stage(({ body }) => {
      seen.push(String(body));
      return allow({ body: Buffer.from(`${body}${text}`) });
    });
  const verdict = await chain([
    [middleware('a'), append('1')],
    [middleware('b'), append('2')],
  ]).evaluateRequest(request('0'), options());
  assert.deepEqual(seen, ['0', '01']);
  assert.equal(verdict.kind === 'continue' && String(verdict.newBody), '012');
});

test('a new body takes the digests of the old one with it', async () => {
  const fields = [...FIELDS, field('Content-Digest', 'sha-256=:x:'), field('Content-MD5', 'x')];
  const verdict = await chain([
    [middleware('a'), stage(() => allow({ body: Buffer.from('n') }))],
  ]).evaluateRequest({ ...request('old'), fields }, options());
  assert.deepEqual(verdict.kind === 'continue' && verdict.fields, FIELDS);
});

test('a refusal ends the chain, also where errors are let through', async () => {
  let later = 0;
  const findings: MiddlewareFinding[] = [];
  const finding = { code: 'bad', message: 'It is bad.', severity: 'high', count: 1 } as const;
  const verdict = await chain([
    [middleware('a', 'fail_open'), stage(() => ({ kind: 'deny', reasonCode: 'no', findings: [finding] }))],
    [
      middleware('b'),
      stage(() => {
        later++;
        return ALLOW;
      }),
    ],
  ]).evaluateRequest(request(), options(findings));
  assert.deepEqual(verdict, {
    kind: 'denied',
    status: 403,
    error: 'middleware_denied',
    middleware: 'a',
    reasonCode: 'no',
    targetIsSecret: false,
  });
  assert.equal(later, 0);
  assert.deepEqual(findings, [{ ...finding, middleware: 'a' }]);
});

test('on_error decides about a stage that throws, and what it threw is not told', async () => {
  const broken = stage(() => {
    throw new Error('token=hunter2');
  });
  const strict = await chain([[middleware('a'), broken]]).evaluateRequest(request(), options());
  assert.ok(strict.kind === 'failed' && strict.status === 503 && strict.middleware === 'a');
  assert.equal(JSON.stringify(strict).includes('hunter2'), false);
  const open = await chain([
    [middleware('a', 'fail_open'), broken],
    [middleware('b'), stage(() => allow({ removeFields: ['accept'] }))],
  ]).evaluateRequest(request(), options());
  assert.ok(open.kind === 'continue' && open.fields.length === FIELDS.length - 1);
});

test('a body that is too large for a stage fails that stage only', async () => {
  const small = stage(() => ALLOW, 2);
  const large = stage(({ body }) => allow({ body: Buffer.from(`${body}!`) }), 10);
  const open = chain([
    [middleware('small', 'fail_open'), small],
    [middleware('large'), large],
  ]);
  assert.equal(open.maxBodyBytes, 10);
  const verdict = await open.evaluateRequest(request('123'), options());
  assert.equal(verdict.kind === 'continue' && String(verdict.newBody), '123!');
  const beyond = await open.evaluateRequest({ ...request(), body: { kind: 'too_large' } }, options());
  assert.ok(beyond.kind === 'failed' && beyond.status === 403 && beyond.middleware === 'large');
});

test('the chain has its time, whatever a stage does', async () => {
  const stages = chain([[middleware('a'), stage(never)]], limitsWith({ middlewareChainTime: 5 }));
  const verdict = await stages.evaluateRequest(request(), options());
  assert.ok(verdict.kind === 'failed' && /longer than 5 ms/.test(verdict.detail));
});

test('what is beyond the running and the waiting is turned away at once; who leaves makes room', async () => {
  const admission = new Admission({ running: 1, waiting: 1 });
  const { promise, resolve } = Promise.withResolvers<StageAnswer>();
  const slow = chain([[middleware('a'), stage(() => promise)]], limitsWith(), admission);
  const open = chain([[middleware('b', 'fail_open'), stage(never)]], limitsWith(), admission);
  const first = slow.evaluateRequest(request(), options());
  const second = slow.evaluateRequest(request(), options());
  const third = await slow.evaluateRequest(request(), options());
  assert.ok(third.kind === 'failed' && third.status === 503 && /wait/.test(third.detail));
  assert.equal((await open.evaluateRequest(request(), options())).kind, 'continue');
  resolve(ALLOW);
  assert.deepEqual(
    (await Promise.all([first, second])).map(({ kind }) => kind),
    ['continue', 'continue'],
  );
});

test('a client that goes while it waits gives its place away', async () => {
  const admission = new Admission({ running: 1, waiting: 1 });
  const leave = await admission.enter(new AbortController().signal);
  const gone = new AbortController();
  const waiting = admission.enter(gone.signal);
  gone.abort(new Error('gone'));
  await assert.rejects(waiting, /gone/);
  const next = admission.enter(new AbortController().signal);
  leave!();
  assert.equal(typeof (await next), 'function');
});

test('responses pass the filters from the last stage to the first', () => {
  const tagging = (tag: string): Stage => ({
    ...stage(() => ALLOW),
    filterResponse: ({ receiver }) => ({
      data: (bytes) => receiver.data(Buffer.from(`${bytes}${tag}`)),
      end: (trailers) => receiver.end(trailers),
      fail: (reason) => receiver.fail(reason),
    }),
  });
  let text = '';
  const receiver: BodyReceiver = {
    data: (bytes) => {
      text += bytes;
      return true;
    },
    end: () => undefined,
    fail: () => undefined,
  };
  const stages = chain([
    [middleware('a'), tagging('a')],
    [middleware('b'), tagging('b')],
  ]);
  const head = { status: 200, fields: [field('Content-Digest', 'x'), field('ETag', '"1"')] };
  const wrapped = stages.wrapResponse(head, receiver, () => undefined);
  assert.ok(wrapped.kind === 'filtered');
  wrapped.receiver.data(Buffer.from('-'));
  assert.equal(text, '-ba');
  assert.deepEqual(wrapped.head.fields, [field('ETag', '"1"')]);
  assert.equal(
    chain([[middleware('a'), stage(() => ALLOW)]]).wrapResponse(head, receiver, () => undefined).kind,
    'unchanged',
  );
});

test('a response in a content coding fails the filter, as on_error says', () => {
  const receiver: BodyReceiver = { data: () => true, end: () => undefined, fail: () => undefined };
  const filtering: Stage = { ...stage(() => ALLOW), filterResponse: () => ({ ...receiver }) };
  const head = { status: 200, fields: [field('Content-Encoding', 'br')] };
  const wrap = (onError: Middleware['onError']) =>
    chain([[middleware('a', onError), filtering]]).wrapResponse(head, receiver, () => undefined);
  assert.equal(wrap('fail_open').kind, 'unchanged');
  const strict = wrap('fail_closed');
  assert.ok(strict.kind === 'failed' && strict.status === 502);
});

test('a policy that names an unregistered middleware is refused; chains are of one generation', async () => {
  using registry = new MiddlewareRegistry({ services: [], limits: limitsWith() });
  await assert.rejects(registry.prepare([middleware('a')]), { code: 'unknown_middleware' });
  const regex = { ...middleware('a'), middleware: 'openshell/regex' };
  const prepared = await registry.prepare([regex]);
  assert.equal(prepared.stagesFor([]), undefined);
  const selected = [regex];
  assert.equal(prepared.stagesFor(selected), prepared.stagesFor(selected));
  assert.throws(() => prepared.stagesFor([middleware('b')]), RangeError);
});
