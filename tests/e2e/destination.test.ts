import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { lookup } from 'node:dns/promises';
import { existsSync } from 'node:fs';
import { after, before, describe, test } from 'node:test';
import { openshell } from '../support/openshell.ts';
import { httpOrigin, type Origin } from '../support/origin.ts';
import { needsProgram } from '../support/paths.ts';
import { writePolicy } from '../support/policy.ts';
import { Scratch } from '../support/scratch.ts';

const scratch = new Scratch();
let origin: Origin;
before(async () => {
  origin = await httpOrigin();
});
after(async () => {
  await origin?.[Symbol.asyncDispose]();
  scratch[Symbol.dispose]();
});

/** Asks for a URL under a policy that allows exactly its host and port; returns the status and the error's code. */
const ask = async (host: string, port: number, operator: readonly string[] = []): Promise<string> => {
  const name = host.replaceAll(/[^a-z0-9]/g, '_');
  const policy = writePolicy(scratch.join(`${name}-${operator.length}.json`), {
    endpoints: [{ host: host.replace(/^\[|\]$/g, ''), port }],
    binaries: ['/usr/bin/curl'],
  });
  const command = [
    'curl',
    '-s',
    '--noproxy',
    '',
    '--max-time',
    '10',
    '-w',
    '\n%{http_code}',
    `http://${host}:${port}/`,
  ];
  const { stdout, code, stderr } = await openshell([
    'run',
    '--quiet',
    '--policy',
    policy,
    ...operator,
    '--',
    ...command,
  ]);
  if (code === 125) return `not started: ${stderr}`;
  const lines = stdout.trim().split('\n');
  const status = lines.at(-1) ?? '';
  return status === '200' ? status : `${status} ${/"error":"(\w+)"/.exec(stdout)?.[1]}`;
};

describe('a policy does not open the machine’s own places', { concurrency: 4 }, () => {
  const addresses = [
    '127.0.0.1',
    '127.8.8.8',
    '[::1]',
    '0.0.0.0',
    '169.254.169.254',
    '[fe80::1]',
    '[::ffff:127.0.0.1]',
    '224.0.0.1',
    '192.0.2.1',
    '198.18.0.1',
    '240.0.0.1',
  ];
  for (const address of addresses) {
    test(`${address} stays closed, whatever the policy says`, async () => {
      const answer = await ask(address, origin.port);
      assert.match(answer, /^(403 |not started: )/, answer);
    });
  }

  test('a name that resolves to loopback stays closed', async () => {
    assert.equal(await ask('localhost', origin.port), '403 ssrf_denied');
  });

  test('the operator may say where a name lives, for one port or all', async () => {
    const { port } = origin;
    assert.equal(await ask('named.test', port, ['--resolve', 'named.test=127.0.0.1']), '200');
    assert.equal(await ask('mapped.test', 80, ['--resolve', `mapped.test:80=127.0.0.1:${port}`]), '200');
    assert.notEqual(await ask('other.test', 81, ['--resolve', `other.test:80=127.0.0.1:${port}`]), '200');
  });

  test('the operator’s word allows nothing that the policy does not allow', async () => {
    const policy = writePolicy(scratch.join('nothing.json'), {});
    const command = [
      'curl',
      '-s',
      '-o',
      '/dev/null',
      '-w',
      '%{http_code}',
      `http://named.test:${origin.port}/`,
    ];
    const { stdout } = await openshell([
      'run',
      '--quiet',
      '--policy',
      policy,
      '--resolve',
      'named.test=127.0.0.1',
      '--',
      ...command,
    ]);
    assert.equal(stdout, '403');
  });
});

const registry = (): URL | undefined => {
  try {
    const url = new URL(
      execFileSync('npm', ['config', 'get', 'registry'], {
        encoding: 'utf8',
        stdio: ['ignore', 'pipe', 'ignore'],
        // Else it leaves a cache in the temporary directory.
        env: { ...process.env, NODE_DISABLE_COMPILE_CACHE: '1' },
      }).trim(),
    );
    execFileSync('curl', ['-sf', '--max-time', '5', '-o', '/dev/null', `${url}left-pad`]);
    return url;
  } catch {
    return undefined; // no npm, or no way to its registry from here
  }
};

describe('npm install', { skip: needsProgram('npm') || needsProgram('node') }, () => {
  test('works for Node.js where the policy names the machine’s registry, and for nothing else', async (t) => {
    const url = registry();
    if (!url) return t.skip('the configured npm registry cannot be reached from here');
    using work = new Scratch();
    const port = Number(url.port || (url.protocol === 'https:' ? 443 : 80));
    const policy = writePolicy(scratch.join('npm.json'), {
      endpoints: [{ host: url.hostname, port }],
      binaries: ['/usr/bin/node'],
    });
    // The operator vouches for the machine's registry: it may live at a private address and have a certificate of the machine's.
    const { address } = await lookup(url.hostname);
    const authorities = process.env.NODE_EXTRA_CA_CERTS ?? '/etc/ssl/certs/ca-certificates.crt';
    const operator = [
      '--resolve',
      `${url.hostname}=${address}`,
      ...(existsSync(authorities) ? ['--upstream-ca', authorities] : []),
    ];
    const script = `npm install --no-audit --no-fund --registry ${url} left-pad >&2; node -p 'require("left-pad")(7, 3, 0)'; curl -s -o /dev/null -w '%{http_connect}' ${url}`;
    const { stdout, stderr } = await openshell([
      'run',
      '--policy',
      policy,
      ...operator,
      '--workdir',
      work.path,
      '--',
      'sh',
      '-c',
      script,
    ]);
    assert.equal(stdout, '007\n403', stderr);
  });
});
