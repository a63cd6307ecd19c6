import { postgresPrograms } from '../../../../packages/proxy/src/sql/test-support/postgres.ts';
import type { ClientCase } from '../client-case.ts';
import { program } from '../client-world.ts';
import { AWS_KEYS } from '../origins/bucket.ts';

const AWS = {
  options: [
    ...['--credential', 'AWS_ACCESS_KEY_ID@s3.test'],
    ...['--credential', 'AWS_SECRET_ACCESS_KEY@s3.test'],
  ],
  env: { AWS_ACCESS_KEY_ID: AWS_KEYS.id, AWS_SECRET_ACCESS_KEY: AWS_KEYS.secret },
};

const psql = (...statements: string[]): readonly string[] => [
  ...['psql', '-XAt', 'host=database.test user=admin dbname=postgres sslmode=require'],
  ...statements.flatMap((statement) => ['-c', statement]),
];

/** What speaks another protocol inside of HTTP, or no HTTP at all. */
export const protocolClients: readonly ClientCase[] = [
  {
    client: '@grpc/grpc-js',
    allowed: {
      command: program('grpc', 'price'),
      shows: /^apple costs 3\napple\npear\nplum\nHELLO\nBYE\n$/,
      requests: ['Price', 'List', 'Chat'].map((method) => `POST grpc.test/fruit.Shop/${method} 200`),
      arrives: ['price of apple', 'list'],
    },
    refused: {
      command: program('grpc', 'empty'),
      shows: /7 PERMISSION_DENIED: POST \/fruit\.Shop\/Empty is not allowed/,
      arrives: ['empty'],
      line: /refused node .* -> grpc\.test:443: POST \/fruit\.Shop\/Empty /,
    },
  },
  {
    client: 'ws',
    allowed: {
      command: program('web-socket', 'wss://ws.test/chat', 'hello', 'again '.repeat(1000)),
      shows: /^HELLO\n(AGAIN ){1000}\nclosed 1005 \n$/,
      requests: ['GET ws.test/chat 101'],
      arrives: ['message hello'],
    },
    refused: {
      command: program('web-socket', 'wss://ws.test/quiet', 'not here'),
      shows: /closed 1008 A text message on \/quiet is not allowed/,
      requests: ['GET ws.test/quiet 101'],
      arrives: ['message not here'],
      line: /refused node .* -> ws\.test:443 WEBSOCKET_TEXT \/quiet: /,
    },
  },
  {
    client: 'the MCP SDK',
    allowed: {
      command: program('mcp', 'weigh'),
      shows: /^weigh discard\n\[\{"type":"text","text":"weigh: done"\}\]\n$/,
      requests: ['POST mcp.test/mcp 200'],
      arrives: ['tool weigh'],
    },
    refused: {
      command: program('mcp', 'discard'),
      shows: /discard.* not allowed/,
      requests: ['POST mcp.test/mcp 403'],
      arrives: ['tool discard'],
      line: /refused node .* -> mcp\.test:443: .*discard/,
    },
  },
  {
    client: 'the S3 client of the AWS SDK, signed on the way',
    allowed: {
      command: program('s3', 'copy'),
      ...AWS,
      shows: /^a whole object\nan object in parts\n$/,
      requests: ['PUT s3.test/box/red%20apple 200', 'GET s3.test/box/red%20apple 200'],
      arrives: ['PUT s3.test/box/red%20apple'],
    },
    refused: {
      command: program('s3', 'delete'),
      ...AWS,
      shows: /with status 403/,
      requests: ['DELETE s3.test/box/red%20apple 403'],
      arrives: ['DELETE s3.test/box/red%20apple'],
      line: /refused node .* -> s3\.test:443: DELETE \/box\//,
    },
  },
  {
    client: 'psql with sslmode=require',
    needs: ['psql'],
    unless: postgresPrograms() ? false : 'no PostgreSQL server is installed',
    allowed: {
      command: psql('select 6 * 7', 'select ssl from pg_stat_ssl where pid = pg_backend_pid()'),
      shows: /^42\nt\n$/,
      arrives: [],
    },
    refused: {
      command: psql('create table fruit (id int)'),
      shows: /ERROR: {2}OpenShell: .*CREATE TABLE/,
      arrives: [],
      line: /refused psql .* -> database\.test:5432: .*CREATE TABLE/,
    },
  },
];
