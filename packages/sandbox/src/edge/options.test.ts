import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { parseEdgeOptions } from './options.ts';

const NEEDED = '--proxy gateway:4433 --proxy-ca ca --proxy-cert cert --proxy-key key --sandbox-id box'.split(
  ' ',
);
const parse = (line: string, environment: Record<string, string> = {}) =>
  parseEdgeOptions([...NEEDED, ...line.split(' ')], environment);

describe('the options', () => {
  test('say where the proxy is, who we are, and what runs', () => {
    const options = parse(
      '--policy p.yaml --env A=1 --env B --timeout 1.5 --wait 2 --quiet -- curl --proxy x',
      { B: '2' },
    );
    assert.deepEqual(options?.proxy, { host: 'gateway', port: 4433 });
    assert.deepEqual(options?.identity, { ca: 'ca', cert: 'cert', key: 'key' });
    assert.deepEqual(options?.command, ['curl', '--proxy', 'x']);
    assert.deepEqual(options?.env, [
      { name: 'A', value: '1' },
      { name: 'B', value: '2' },
    ]);
    assert.deepEqual(
      [options?.id, options?.policy?.file, options?.timeoutSeconds, options?.waitSeconds, options?.quiet],
      ['box', 'p.yaml', 1.5, 2, true],
    );
  });

  test('take the first word that is none for the command, with all that follows', () =>
    assert.deepEqual(parse('ls --help --proxy=x')?.command, ['ls', '--help', '--proxy=x']));

  test('ask for help also where a value is missing', () => {
    for (const words of [['--help'], ['--proxy', '--help'], ['--proxy=x:1', '-h']])
      assert.equal(parseEdgeOptions(words, {}), undefined);
  });

  const mistakes: readonly (readonly [string, string, RegExp])[] = [
    ['without a command', '--quiet', /no command/],
    ['that do not exist', '--proxied x -- ls', /no option --proxied/],
    ['that are given twice', '--wait 1 --wait 2 -- ls', /--wait is given twice/],
    ['with a variable that is given twice', '--env A=1 --env A=2 -- ls', /A is given twice/],
    ['with a variable that is not set', '--env A -- ls', /A is not set/],
    ['with a variable that has no name', '--env =secret -- ls', /^(?!.*secret)/],
    ['with a time that is none', '--wait 0 -- ls', /no number of seconds/],
    ['with a directory that is none', '--workdir /nonexistent -- ls', /no directory/],
  ];
  for (const [what, line, message] of mistakes)
    test(`${what} are refused`, () => assert.throws(() => parse(line), { code: 'usage', message }));

  for (const address of ['gateway', 'gateway:0', 'gateway:65536', '::1:1', '[gateway]:1', 'a b:1', ':1'])
    test(`take no ${address} for an address`, () =>
      assert.throws(() => parseEdgeOptions([...NEEDED.slice(2), `--proxy=${address}`, 'ls'], {}), {
        code: 'usage',
      }));
  test('take IPv6 addresses in brackets', () =>
    assert.equal(parseEdgeOptions([...NEEDED.slice(2), '--proxy=[::1]:1', 'ls'], {})?.proxy.host, '::1'));
});

test('bin/openshell-sandbox is this program where --proxy is among its own options, and nowhere else', () => {
  const program = fileURLToPath(new URL('../../../../bin/openshell-sandbox', import.meta.url));
  const run = (...words: string[]): string => execFileSync(program, words, { encoding: 'utf8' });
  assert.match(run('--quiet', '--env', 'A=1', '--proxy=x:1', '--help'), /^openshell-sandbox --proxy/);
  assert.match(run('--env', '--proxy', '--help'), /openshell run/);
});
