import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { after, before, describe, test } from 'node:test';
import { needsProgram } from '../../support/paths.ts';
import { shell } from './client-case.ts';
import { ClientWorld, program } from './client-world.ts';
import { AWS_KEYS } from './origins/bucket.ts';
import { MODEL_KEY } from './origins/models.ts';

const TOKEN = 'ghp_FruitTokenThatNoSandboxHolds0123456789';
const PLACEHOLDER = 'openshell:resolve:env:GITHUB_TOKEN';

let world: ClientWorld;
before(async () => {
  world = await ClientWorld.start();
});
after(() => world?.[Symbol.asyncDispose]());

/** Everything below a directory, as one text. */
const contentOf = (directory: string): string =>
  readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => readFileSync(`${entry.parentPath}/${entry.name}`, 'latin1'))
    .join('\n');

const base64 = (text: string): string => Buffer.from(text).toString('base64').replace(/=*$/, '');

/** However an echo could write it. */
const writingsOf = (secret: string): readonly string[] => [
  secret,
  encodeURIComponent(secret),
  base64(secret),
  base64(`git:${secret}`),
  [...secret].reverse().join(''),
];

const assertAbsent = (secret: string, ...texts: readonly string[]): void => {
  for (const text of texts)
    for (const writing of writingsOf(secret)) assert.ok(!text.includes(writing), 'found it');
};

/**
 * Looks for a credential where a program of the sandbox could: its environment, that of every process, every file that it can read.
 * The pattern does not match itself.
 */
const SEARCH = `env | grep GITHUB_TOKEN
cat /proc/*/environ /proc/*/cmdline 2>/dev/null | tr '\\0' '\\n' | grep -c 'ghp_[F]ruit'
grep -rls 'ghp_[F]ruit' /tmp /run /etc "$HOME" . --exclude-dir=repositories | wc -l`;

describe('a credential of the caller', { concurrency: 3 }, () => {
  const grant = (host: string) => ({
    options: ['--credential', `GITHUB_TOKEN@${host}`],
    env: { GITHUB_TOKEN: TOKEN },
  });

  const echoes: readonly [client: string, command: readonly string[], written: RegExp][] = [
    [
      'a header of curl',
      shell('curl -sS -H "Authorization: Bearer $GITHUB_TOKEN" https://web.test/whoami'),
      new RegExp(` as Bearer ${PLACEHOLDER}$`),
    ],
    ['a header of fetch', program('whoami'), new RegExp(` as Bearer ${PLACEHOLDER}$`)],
    [
      'a password of curl',
      shell('curl -sS -u "git:$GITHUB_TOKEN" https://web.test/whoami'),
      new RegExp(` as Basic .*${PLACEHOLDER}`),
    ],
  ];
  for (const [client, command, written] of echoes) {
    test(`goes out in ${client}, and the echo has the placeholder back`, async () => {
      const { stdout, stderr, events, requests } = await world.run(command, grant('web.test'));
      assert.match(stdout.trim(), written, stderr);
      assert.ok(requests.includes('GET web.test/whoami 200'));
      assert.match(events, /"credentials":\["GITHUB_TOKEN"\]/);
      assertAbsent(TOKEN, stdout, stderr, events);
    });
  }

  test('reaches the origin as it is', async () => {
    await world.run(
      shell('curl -sS -o /dev/null -H "Authorization: Bearer $GITHUB_TOKEN" https://web.test/whoami'),
      grant('web.test'),
    );
    assert.ok(world.seen.has(`authorization Bearer ${TOKEN}`));
  });

  test('is used by git as its password', { skip: needsProgram('git') }, async () => {
    const { code, stdout, stderr, events } = await world.run(
      shell(
        'git -c credential.helper= ls-remote "https://git:$GITHUB_TOKEN@git.test/private/plums.git" main',
      ),
      grant('git.test'),
    );
    assert.equal(code, 0, stderr);
    assert.match(stdout, /refs\/heads\/main/);
    assertAbsent(TOKEN, stdout, stderr, events);
  });

  test('is nowhere inside', async () => {
    const { stdout, stderr, events } = await world.run(shell(SEARCH), grant('web.test'));
    assert.equal(stdout, `GITHUB_TOKEN=${PLACEHOLDER}\n0\n0\n`, stderr);
    assertAbsent(TOKEN, stdout, stderr, events, contentOf(world.scratch.path));
  });

  test('does not go to another host, and the refusal says why without it', async () => {
    const { stdout, stderr, events } = await world.run(
      shell('curl -sS -H "Authorization: Bearer $GITHUB_TOKEN" https://web.test/whoami'),
      grant('git.test'),
    );
    assert.equal(JSON.parse(stdout).error, 'credential_endpoint_mismatch');
    assert.match(stderr, /openshell: refused curl .*web\.test:443/);
    assertAbsent(TOKEN, stdout, stderr, events);
  });
});

test('a key pair of AWS signs what the sandbox sends, and is not in it', async () => {
  const names = ['AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY'];
  const { stdout, stderr, events } = await world.run(
    [...shell('env; exec "$@"'), 'sh', ...program('s3', 'copy')],
    {
      options: names.flatMap((name) => ['--credential', `${name}@s3.test`]),
      env: { AWS_ACCESS_KEY_ID: AWS_KEYS.id, AWS_SECRET_ACCESS_KEY: AWS_KEYS.secret },
    },
  );
  assert.match(stdout, /^AWS_SECRET_ACCESS_KEY=openshell:resolve:env:AWS_SECRET_ACCESS_KEY$/m, stderr);
  assert.match(stdout, /a whole object\nan object in parts\n$/, stderr);
  for (const secret of Object.values(AWS_KEYS)) assertAbsent(secret, stdout, stderr, events);
});

describe('models at inference.local', { concurrency: 2 }, () => {
  const route = (): readonly string[] => [
    '--inference-routes',
    world.write(
      'routes.yaml',
      `routes:
  - name: fruit
    models: [fruit]
    protocols: [openai_chat_completions, anthropic_messages]
    base_url: https://models.test/v1
    auth: { kind: bearer, env: MODEL_KEY }
`,
    ),
  ];
  const answers: readonly [sdk: string, api: string, shown: string][] = [
    ['OpenAI', 'openai', 'hello\nhello\nfruit\n'],
    ['Anthropic', 'anthropic', 'hello\nhello\n'],
  ];
  for (const [sdk, api, shown] of answers) {
    test(`answer the SDK of ${sdk}, which has no key`, async () => {
      const { code, stdout, stderr, events } = await world.run(program('inference', api, 'fruit'), {
        options: route(),
        env: { MODEL_KEY },
      });
      assert.deepEqual({ code, stdout }, { code: 0, stdout: shown }, stderr);
      assert.match(events, /"fruit"/);
      assertAbsent(MODEL_KEY, stdout, stderr, events);
    });

    test(`tell the SDK of ${sdk} that there is no route for another model`, async () => {
      const { code, stderr } = await world.run(program('inference', api, 'vegetable'), {
        options: route(),
        env: { MODEL_KEY },
      });
      assert.equal(code, 1);
      assert.match(stderr, /No route serves the model "vegetable"/);
    });
  }
});
