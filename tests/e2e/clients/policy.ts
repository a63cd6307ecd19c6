import type { TestEndpoint } from '../../support/policy.ts';

const allow = (method: string, path: string, more: object = {}): object => ({
  allow: { method, path, ...more },
});
const rest = (host: string, ...rules: object[]): TestEndpoint => ({
  host,
  port: 443,
  protocol: 'rest',
  rules,
});

/** One endpoint for each kind of client, each of which allows something and refuses something else at the same host. */
export const ENDPOINTS: readonly TestEndpoint[] = [
  rest('web.test', allow('GET', '/open/**'), allow('POST', '/open/inbox'), allow('GET', '/whoami')),
  rest(
    'git.test',
    allow('GET', '/{*,private/*}/info/refs', { query: { service: 'git-upload-pack' } }),
    allow('POST', '/{*,private/*}/git-upload-pack'),
    allow('GET', '/pears.git/info/refs', { query: { service: 'git-receive-pack' } }),
    allow('POST', '/pears.git/git-receive-pack'),
  ),
  {
    ...{ host: 'npm.test', port: 443, protocol: 'rest', access: 'read-only' },
    deny_rules: [{ method: '*', path: '/pears' }],
  },
  rest('pip.test', allow('GET', '/simple/apples/'), allow('GET', '/files/*')),
  rest('grpc.test', allow('POST', '/fruit.Shop/{Price,List,Chat}')),
  {
    ...{ host: 'ws.test', port: 443, protocol: 'websocket', websocket_credential_rewrite: true },
    rules: [allow('GET', '/*'), allow('WEBSOCKET_TEXT', '/chat')],
  },
  {
    ...{ host: 'mcp.test', port: 443, protocol: 'mcp', path: '/mcp' },
    rules: [
      ...['initialize', 'notifications/initialized', 'tools/list'].map((method) => ({ allow: { method } })),
      { allow: { method: 'tools/call', tool: 'weigh', params: { arguments: { fruit: 'apple' } } } },
    ],
  },
  {
    ...rest('s3.test', allow('GET', '/box/*'), allow('PUT', '/box/*')),
    ...{ credential_signing: 'sigv4', signing_service: 's3', signing_region: 'eu-central-1' },
  },
  { host: 'database.test', port: 5432, protocol: 'sql', access: 'read-only' },
];
