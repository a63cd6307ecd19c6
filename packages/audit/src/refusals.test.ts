import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { type Refusal, RefusalReporter } from './refusals.ts';

const refusal: Refusal = {
  code: 'no_policy',
  binary: '/usr/bin/curl',
  host: 'example.com',
  port: 443,
  reason: 'no policy allows this host.',
  remedy: 'Allow it with: x',
};

function reporter(now = () => 0): { lines: string[]; refusals: RefusalReporter } {
  const lines: string[] = [];
  return { lines, refusals: new RefusalReporter({ write: (line) => lines.push(line), now }) };
}

describe('the refusal reporter', () => {
  test('tells who, where to, why and what to change', () => {
    const { lines, refusals } = reporter();
    refusals.report(refusal);
    assert.deepEqual(lines, [
      'openshell: refused curl (/usr/bin/curl) -> example.com:443: no policy allows this host. Allow it with: x',
    ]);
  });

  test('tells a repeated refusal once, and how often at the end', () => {
    const { lines, refusals } = reporter();
    for (let i = 0; i < 13; i++) refusals.report(refusal);
    refusals.report({ ...refusal, port: 80 });
    assert.equal(lines.length, 2);
    refusals.close();
    refusals.close();
    assert.deepEqual(lines.slice(2), [
      'openshell: refused curl (/usr/bin/curl) -> example.com:443 ... and 12 more like it',
    ]);
  });

  test('says by what each line is found again, and of several alike by what the first is', () => {
    const about: unknown[] = [];
    const refusals = new RefusalReporter({ write: (_, { traceId }) => about.push(traceId), now: () => 0 });
    for (const traceId of ['a', 'b', 'c']) refusals.report({ ...refusal, traceId });
    refusals.close();
    assert.deepEqual(about, ['a', 'a']);
  });

  test('tells apart what was refused on one connection, and says it once', () => {
    const { lines, refusals } = reporter();
    const inside = { ...refusal, code: 'request_not_allowed', remedy: undefined };
    refusals.report({ ...inside, subject: 'PUT /a', reason: 'PUT /a is not allowed' });
    refusals.report({ ...inside, subject: 'PUT /b', reason: 'the middleware has refused it' });
    refusals.report({ ...inside, subject: 'PUT /b', reason: 'the middleware has refused it' });
    refusals.close();
    assert.deepEqual(lines, [
      'openshell: refused curl (/usr/bin/curl) -> example.com:443: PUT /a is not allowed',
      'openshell: refused curl (/usr/bin/curl) -> example.com:443 PUT /b: the middleware has refused it',
      'openshell: refused curl (/usr/bin/curl) -> example.com:443 PUT /b ... and 1 more like it',
    ]);
  });

  test('slows a flood of different refusals and counts what it did not tell', () => {
    let clock = 0;
    const { lines, refusals } = reporter(() => clock);
    for (let port = 0; port < 5000; port++) refusals.report({ ...refusal, port });
    assert.equal(lines.length, 20);
    clock = 1000;
    for (let port = 100; port < 200; port++) refusals.report({ ...refusal, port });
    assert.equal(lines.length, 22);
    refusals.close();
    assert.equal(lines.length, 22 + 20 + 1);
    assert.match(lines.at(-1) ?? '', /and \d+ more to other destinations/);
  });

  test('does not let the sandbox write to the terminal', () => {
    const { lines, refusals } = reporter();
    refusals.report({ ...refusal, host: 'a\nopenshell: all is well', binary: '/tmp/\u001b[2J' });
    assert.equal(lines.length, 1);
    assert.doesNotMatch(lines[0] ?? '', /[\n\u001b]/);
  });

  test('shows an address in brackets, and a name lookup without port', () => {
    const { lines, refusals } = reporter();
    refusals.report({ code: 'x', host: '::1', port: 5, reason: 'r' });
    refusals.report({ code: 'x', host: 'name', reason: 'r' });
    assert.deepEqual(lines, ['openshell: refused [::1]:5: r', 'openshell: refused name: r']);
  });

  test('colours only when it was told to', () => {
    const lines: string[] = [];
    new RefusalReporter({ write: (line) => lines.push(line), color: true }).report(refusal);
    assert.match(lines[0] ?? '', /^\u001b\[31mopenshell:\u001b\[0m /);
  });
});
