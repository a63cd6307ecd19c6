import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { OpenShellError } from '@openshell/base';
import { ControlRefusal } from '@openshell/control';
import { describe as told } from './describe.ts';
import { jsonLog, textLog } from './log.ts';

describe('what the program says', () => {
  test('as text, each line begins with its name, and nothing in it moves the cursor', () => {
    const lines: string[] = [];
    textLog('proxy', (line) => lines.push(line))('info', 'one\ntwo \u001b[2J\r\u2028three');
    assert.deepEqual(lines, ['proxy: one', 'proxy: two \\u{1b}[2J \\u{2028}three']);
  });

  test('as JSON, it is one object a line, under the names that events have', () => {
    const lines: string[] = [];
    const log = jsonLog(
      (line) => lines.push(line),
      () => 0,
    );
    log('error', 'one\n"two"', { tenant: 'a', generation: 3, traceId: 'ab' });
    log('info', 'three');
    assert.ok(lines.every((line) => !line.includes('\n')));
    assert.deepEqual(
      lines.map((line) => JSON.parse(line)),
      [
        {
          time: '1970-01-01T00:00:00.000Z',
          level: 'error',
          message: 'one\n"two"',
          tenant: 'a',
          generation: 3,
          trace_id: 'ab',
        },
        { time: '1970-01-01T00:00:00.000Z', level: 'info', message: 'three' },
      ],
    );
  });

  test('about an error is what and what to do; about mistakes, where each is', () => {
    assert.equal(
      told(new OpenShellError('it is so', { code: 'x', remedy: 'Do that.' })),
      'it is so\nDo that.',
    );
    assert.equal(told('plain'), 'plain');
    const refusal = new ControlRefusal('refused', {
      code: 'generation_refused',
      remedy: 'Correct it.',
      problems: [
        { part: 'policy', name: 'p.yaml', line: 1, column: 2, path: 'a[0]', message: 'Wrong.' },
        { part: 'credentials', message: 'Missing.' },
      ],
    });
    assert.equal(told(refusal), 'p.yaml:1:2: a[0]: Wrong.\nMissing.');
  });
});
