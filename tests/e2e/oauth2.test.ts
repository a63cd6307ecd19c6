import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { after, before, describe, test } from 'node:test';
import { TestAuthority } from '../support/certificates.ts';
import { httpEvents } from '../support/events.ts';
import { type Outcome, openshell } from '../support/openshell.ts';
import { Origin } from '../support/origin.ts';
import { writePolicy } from '../support/policy.ts';
import { RecordingOrigin } from '../support/recording-origin.ts';
import { Scratch } from '../support/scratch.ts';

const SECRET = 'the-secret-of-the-client';
const PLACEHOLDER = 'openshell:resolve:env:API_TOKEN';
const CURL = 'curl -sS --max-time 10';
/** A request with the credential, as its program would send it. */
const REQUEST = `${CURL} -H "Authorization: Bearer $API_TOKEN" https://api.test/`;

const scratch = new Scratch();
let authority: TestAuthority;
let origin: RecordingOrigin;

before(async () => {
  authority = await TestAuthority.make(scratch);
  const certificate = await authority.issue(['api.test']);
  // It tells the client what it was sent, as careless services do.
  origin = await RecordingOrigin.start(certificate, ({ headers }) => `sent ${headers.authorization}\n`);
});
after(async () => {
  await origin?.[Symbol.asyncDispose]();
  scratch[Symbol.dispose]();
});

interface Question {
  readonly authorization: string | undefined;
  readonly form: Readonly<Record<string, string>>;
}

/** Who gives out tokens: answers the questions in turn, then as the last. */
class Issuer implements AsyncDisposable {
  readonly asked: Question[] = [];
  #origin: Origin | undefined;

  static async start(...answers: readonly [status: number, body: object][]): Promise<Issuer> {
    const issuer = new Issuer();
    const server = createServer((request, response) => {
      let text = '';
      request.setEncoding('utf8').on('data', (more) => {
        text += more;
      });
      request.on('end', () => {
        const [status, body] = answers[Math.min(issuer.asked.length, answers.length - 1)] ?? [500, {}];
        const { authorization } = request.headers;
        issuer.asked.push({ authorization, form: Object.fromEntries(new URLSearchParams(text)) });
        response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
      });
    });
    issuer.#origin = await Origin.listen(server);
    return issuer;
  }

  get url(): string {
    return `http://127.0.0.1:${this.#origin!.port}/token`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#origin?.[Symbol.asyncDispose]();
  }
}

const token = (access_token: string, expires_in: number, more: object = {}): [number, object] => [
  200,
  { access_token, token_type: 'Bearer', expires_in, ...more },
];

interface Ended extends Outcome {
  readonly events: string;
  /** What the requests of this run were sent with, in order. */
  readonly sent: readonly (string | undefined)[];
}

let runs = 0;
/** Runs a script with one credential, API_TOKEN, that is got as `oauth2` says. */
const run = async (script: string, oauth2: object): Promise<Ended> => {
  runs += 1;
  const [policy, events, credentials] = ['policy', 'events', 'credentials'].map((name) =>
    scratch.join(`${name}-${runs}`),
  ) as [string, string, string];
  writePolicy(policy, {
    endpoints: [{ host: 'api.test', port: 443, protocol: 'rest', access: 'read-only' }],
    binaries: ['/usr/bin/curl'],
  });
  // JSON is YAML.
  const entry = { name: 'API_TOKEN', oauth2, bindings: [{ host: 'api.test' }] };
  writeFileSync(credentials, JSON.stringify({ credentials: [entry] }));
  const operator = ['--resolve', `api.test:443=127.0.0.1:${origin.port}`, '--upstream-ca', authority.file];
  const before = origin.seen.length;
  const outcome = await openshell(
    [
      ...['run', '--policy', policy, '--events', events, ...operator],
      ...['--credentials', credentials, '--', 'sh'],
    ],
    { cwd: scratch.path, input: script, env: { CLIENT_SECRET: SECRET } },
  );
  const sent = origin.seen.slice(before).map(({ headers }) => headers.authorization);
  return { ...outcome, events: readFileSync(events, 'utf8'), sent };
};

const byClient = ({ url }: Issuer): object => ({
  grant: 'client_credentials',
  token_url: url,
  client_id: 'build',
  client_secret: { env: 'CLIENT_SECRET' },
  scopes: ['read', 'list'],
});

const assertHidden = ({ stdout, stderr, events }: Ended, ...hidden: readonly string[]): void => {
  for (const text of hidden) assert.ok(!(stdout + stderr + events).includes(text), text);
};

describe('a token that the proxy asks for', () => {
  test('is got once for all requests, with a secret that the command cannot find, as it cannot find the token', async () => {
    await using issuer = await Issuer.start(token('minted-token-1', 3600));
    const ended = await run(
      `${REQUEST}a; ${REQUEST}b & ${REQUEST}c; wait
echo "$API_TOKEN"
cat /proc/*/environ /proc/*/cmdline /run/openshell/*/* 2>/dev/null | tr '\\0' '\\n' | grep -c '[t]he-secret-of\\|[m]inted-token'`,
      byClient(issuer),
    );
    assert.deepEqual(
      ended.stdout.trim().split('\n'),
      [...Array(3).fill(`sent Bearer ${PLACEHOLDER}`), PLACEHOLDER, '0'],
      ended.stderr,
    );
    assert.deepEqual(ended.sent, Array(3).fill('Bearer minted-token-1'));
    const authorization = `Basic ${Buffer.from(`build:${SECRET}`).toString('base64')}`;
    assert.deepEqual(issuer.asked, [
      { authorization, form: { grant_type: 'client_credentials', scope: 'read list' } },
    ]);
    assertHidden(ended, SECRET, 'minted-token', authorization.slice('Basic '.length));
  });

  test('is got anew when it is over', async () => {
    await using issuer = await Issuer.start(token('minted-token-1', 0), token('minted-token-2', 3600));
    const ended = await run(`${REQUEST}a; ${REQUEST}b; ${REQUEST}c`, byClient(issuer));
    assert.deepEqual(
      ended.sent,
      ['minted-token-1', 'minted-token-2', 'minted-token-2'].map((one) => `Bearer ${one}`),
      ended.stderr,
    );
    assert.equal(issuer.asked.length, 2);
    assertHidden(ended, SECRET, 'minted-token');
  });

  test('by a refresh token leaves the next refresh token in the file of the last', async () => {
    await using issuer = await Issuer.start(token('minted-token-1', 3600, { refresh_token: 'refresh-me-2' }));
    const file = scratch.join('refresh');
    writeFileSync(file, 'refresh-me-1\n', { mode: 0o600 });
    const ended = await run(`${REQUEST}a`, {
      ...{ grant: 'refresh_token', token_url: issuer.url, client_id: 'build', refresh_token: { file } },
    });
    assert.deepEqual(ended.sent, ['Bearer minted-token-1'], ended.stderr);
    assert.deepEqual(issuer.asked, [
      {
        authorization: undefined,
        form: { grant_type: 'refresh_token', refresh_token: 'refresh-me-1', client_id: 'build' },
      },
    ]);
    assert.equal(readFileSync(file, 'utf8').trim(), 'refresh-me-2');
    assertHidden(ended, 'refresh-me', 'minted-token');
  });

  test('that is refused: requests get 502 with the reason, none goes out, and the issuer is asked once', async () => {
    const words = { error: 'invalid_client', error_description: `no client build with ${SECRET}` };
    await using issuer = await Issuer.start([401, words]);
    const ended = await run(
      `${REQUEST}a; ${CURL} -o /dev/null -w '%{http_code}\\n' -H "Authorization: Bearer $API_TOKEN" https://api.test/b`,
      byClient(issuer),
    );
    const [body = '', status] = ended.stdout.split('\n');
    const { error, detail } = JSON.parse(body);
    assert.deepEqual([error, status, ended.sent], ['token_grant_failed', '502', []]);
    assert.match(detail, /API_TOKEN: the token endpoint 127\.0\.0\.1:\d+ answered 401: invalid_client/);
    assert.equal(issuer.asked.length, 1);
    assert.deepEqual(
      httpEvents(ended.events).map(({ http_response }) => http_response?.code),
      [502, 502],
    );
    assertHidden(ended, SECRET);
  });

  test('from an issuer that is not there: the same', async () => {
    const gone = await Issuer.start([500, {}]);
    const source = byClient(gone);
    await gone[Symbol.asyncDispose]();
    const ended = await run(`${REQUEST}a`, source);
    const { error, detail } = JSON.parse(ended.stdout);
    assert.deepEqual([error, ended.sent], ['token_grant_failed', []]);
    assert.match(detail, /cannot be asked: .*ECONNREFUSED/);
    assertHidden(ended, SECRET);
  });

  test('over plain HTTP to another machine starts nothing', async () => {
    const { code, stderr } = await openshell([
      ...['run', '--credentials', credentialsFor('http://auth.test/token'), '--', 'true'],
    ]);
    assert.equal(code, 125);
    assert.match(stderr, /API_TOKEN: the token URL is not one that secrets may be sent to/);
  });
});

const credentialsFor = (token_url: string): string => {
  const path = scratch.join('credentials-elsewhere');
  const oauth2 = { grant: 'client_credentials', token_url, client_id: 'build' };
  const entry = { name: 'API_TOKEN', oauth2, bindings: [{ host: 'api.test' }] };
  writeFileSync(path, JSON.stringify({ credentials: [entry] }));
  return path;
};
