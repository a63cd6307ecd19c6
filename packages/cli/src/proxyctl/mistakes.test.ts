import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { runInProcess } from '../test/program.ts';
import { scratch } from '../test/scratch.ts';

const SECRET = 'hunter2-hunter2';
const FILES = {
  'policy.yaml': 'version: 1\n',
  'two.words': 'not a token\n',
  token: 'abc\n',
  empty: '\n',
} as const;
const HERE = ['--control', 'unix:/nowhere/control'];
const THERE = ['--control', 'proxy.example:4443'];
const APPLY = ['apply', ...HERE, '--policy', '@policy.yaml'];
const ADD = ['tenants', 'add', 'a', ...HERE];

/** `@NAME` stands for one of the files. */
const cases: readonly (readonly [what: string, words: readonly string[], message: RegExp])[] = [
  ['no proxy', ['status'], /which proxy\?.*\n {2}Write --control unix:PATH.*OPENSHELL_PROXY_CONTROL/],
  ['an address that is none', ['status', '--control', 'here'], /"here" says nowhere .*\n {2}Write unix:/],
  [
    'a socket that is not there',
    ['status', '--control', 'unix:@none'],
    /proxy at unix:\/.*none cannot be reached: .*ENOENT/,
  ],
  ['a certificate for a socket', ['status', ...HERE, '--control-ca', 'x'], /--control-ca means nothing for/],
  ['a certificate without a key', ['status', ...THERE, '--control-cert', '@token'], /go together/],
  ['an authority that is not there', ['status', ...THERE, '--control-ca', '@none'], /no such file/],
  ['a file without a token', ['status', ...HERE, '--token-file', '@two.words'], /two.words is no token/],
  ['an empty token', ['status', ...HERE, '--token-file', '@empty'], /is no token/],
  ['a time that is none', ['status', ...HERE, '--timeout', '5m'], /--timeout: '5m' is not a number/],
  ['a group alone', ['tenants'], /proxyctl tenants add/],
  [
    'a word of no command',
    ['tenants', 'lst'],
    /no command 'proxyctl tenants lst'\n {2}.*proxyctl tenants list/,
  ],
  ['nothing to apply', ['apply', ...HERE], /needs --policy FILE, or --keep policy/],
  ['a part twice', [...APPLY, '--keep', 'policy'], /--keep policy .* are both given/],
  ['secrets twice', [...APPLY, '--keep', 'secrets', '--secret', 'A'], /--keep secrets .* are both given/],
  [
    'a part that is none',
    [...APPLY, '--keep', 'polciy'],
    /--keep: there is no 'polciy'\n {2}Did you mean policy/,
  ],
  ['one input twice', ['apply', ...HERE, '--policy', '-', '--routes', '-'], /standard input .* twice/],
  ['a policy that is not there', ['apply', ...HERE, '--policy', '@none'], /none cannot be read: there is no/],
  ['a secret on the line', [...APPLY, '--secret', `A=${SECRET}`], /--secret A: not NAME, NAME=env:VARIABLE/],
  ['a secret alone', [...APPLY, '--secret', `=${SECRET}`], /A value does not stand on a command line/],
  ['a secret that is not set', [...APPLY, '--secret', 'A=env:B'], /--secret A: the variable B is not set/],
  ['an empty secret', [...APPLY, '--secret', 'A=file:@empty'], /--secret A: its value is empty/],
  ['a secret twice', [...APPLY, '--secret', 'SET', '--secret', 'SET=file:@token'], /SET is given twice/],
  ['a revision of nothing', [...APPLY, '--revision', 'r'], /--revision names .* there is no --secret/],
  ['a tenant nobody recognises', ADD, /nothing says how the tenant is recognised\n {2}Give --listen/],
  ['a user without a password', [...ADD, '--user', 'u'], /1 --user and 0 --password-file/],
  ['an empty password', [...ADD, '--user', 'u', '--password-file', '@empty'], /empty is empty/],
  ['an address without a port', [...ADD, '--listen', '127.0.0.1'], /'127.0.0.1' is not ADDRESS:PORT/],
  ['a port that is none', [...ADD, '--listen', '127.0.0.1:65536'], /--listen: '65536' is not a whole number/],
  ['another identity', [...ADD, '--source', '::/0', '--identity', 'some'], /--identity: there is no 'some'/],
  [
    'a limit of nothing',
    [...ADD, '--source', '::/0', '--max-connections', '0'],
    /--max-connections: '0' is not/,
  ],
  ['a cursor that is none', ['events', ...HERE, '--after', 'x'], /'x' is not the cursor of an event/],
  ['another format', ['ca', ...HERE, '--format', 'der'], /--format: there is no 'der'/],
  ['two formats', ['ca', ...HERE, '--format', 'pem', '--json'], /two formats/],
  ['a name of no object', ['ca', ...HERE, '--name', 'x'], /--name is of a Kubernetes object/],
  ['a name of Kubernetes', ['ca', ...HERE, '--format', 'secret', '--name', 'a/B'], /'a\/B' is not NAME or/],
  ['a step that is none', ['ca', 'rotate', 'activat', ...HERE], /STEP: .*\n {2}Did you mean activate/],
  ['a host without a port', ['explain', ...HERE, '--host', 'x'], /needs --port PORT/],
  [
    'a method without a path',
    ['explain', ...HERE, '--host', 'x', '--port', '1', '--method', 'GET'],
    /no --path/,
  ],
  ['a long farewell', ['drain', ...HERE, '--timeout', '86401'], /--timeout: '86401' is not a whole number/],
];

describe('openshell proxyctl refuses with exit code 2', () => {
  for (const [what, words, message] of cases) {
    test(what, async (t) => {
      const directory = scratch(t);
      for (const [name, text] of Object.entries(FILES)) writeFileSync(join(directory, name), text);
      const placed = words.map((word) => word.replace('@', `${directory}/`));
      const { code, out, err } = await runInProcess(['proxyctl', ...placed], { SET: SECRET });
      assert.deepEqual({ code, out }, { code: 2, out: '' });
      assert.match(err, message);
      assert.ok(!err.includes(SECRET), 'no secret is repeated');
    });
  }
});
