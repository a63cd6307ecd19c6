import { execFile, spawn } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import type { RequestListener } from 'node:http';
import { promisify } from 'node:util';
import type { Scratch } from '../../../support/scratch.ts';
import { pathOf } from './web.ts';

const run = promisify(execFile);

const environment = {
  PATH: '/usr/local/bin:/usr/bin:/bin',
  GIT_CONFIG_GLOBAL: '/dev/null',
  GIT_CONFIG_NOSYSTEM: '1',
  GIT_AUTHOR_NAME: 'Test',
  GIT_AUTHOR_EMAIL: 'test@git.test',
  GIT_COMMITTER_NAME: 'Test',
  GIT_COMMITTER_EMAIL: 'test@git.test',
};

/** Bare repositories with one commit below `directory`, which take pushes. */
const makeRepositories = async (scratch: Scratch, directory: string): Promise<void> => {
  const tree = scratch.join('git-tree');
  const git = (...args: string[]): Promise<unknown> => run('git', args, { cwd: tree, env: environment });
  mkdirSync(tree);
  mkdirSync(directory);
  writeFileSync(`${tree}/README`, 'fruit\n');
  await git('init', '--quiet', '--initial-branch=main');
  await git('add', 'README');
  await git('commit', '--quiet', '--message', 'First');
  for (const name of ['apples', 'pears', 'private/plums']) {
    await git('clone', '--quiet', '--bare', '.', `${directory}/${name}.git`);
    await git('-C', `${directory}/${name}.git`, 'config', 'http.receivepack', 'true');
  }
};

/** A header block of CGI (RFC 3875 section 6): fields, an empty line, the body. */
const readHead = (text: string): { status: number; fields: [string, string][] } => {
  const fields = text
    .split('\r\n')
    .map((line): [string, string] => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 2)]);
  const status = fields.find(([name]) => name === 'Status')?.[1] ?? '200';
  return { status: Number.parseInt(status, 10), fields: fields.filter(([name]) => name !== 'Status') };
};

/** git's smart protocol over HTTP, by git's own CGI program. Below `/private/` only for those who name themselves. */
export const gitSite = async (scratch: Scratch): Promise<RequestListener> => {
  const directory = scratch.join('repositories');
  await makeRepositories(scratch, directory);
  return (request, response) => {
    if (pathOf(request).startsWith('/private/') && !request.headers.authorization) {
      response.writeHead(401, { 'www-authenticate': 'Basic realm="git"' }).end();
      return;
    }
    const { 'content-type': type, 'content-encoding': encoding, 'git-protocol': protocol } = request.headers;
    const child = spawn('git', ['http-backend'], {
      env: {
        ...environment,
        GIT_PROJECT_ROOT: directory,
        GIT_HTTP_EXPORT_ALL: '1',
        REQUEST_METHOD: request.method,
        PATH_INFO: pathOf(request),
        QUERY_STRING: request.url?.split('?')[1] ?? '',
        ...(type && { CONTENT_TYPE: type }),
        ...(encoding && { HTTP_CONTENT_ENCODING: encoding }),
        ...(typeof protocol === 'string' && { GIT_PROTOCOL: protocol }),
      },
      stdio: ['pipe', 'pipe', 'ignore'],
    });
    child.stdin.on('error', () => {}); // it may have seen enough
    request.pipe(child.stdin);
    let head = Buffer.alloc(0);
    child.stdout.on('data', (bytes: Buffer) => {
      if (response.headersSent) {
        response.write(bytes);
        return;
      }
      head = Buffer.concat([head, bytes]);
      const end = head.indexOf('\r\n\r\n');
      if (end < 0) return;
      const { status, fields } = readHead(head.toString('latin1', 0, end));
      response.writeHead(status, Object.fromEntries(fields));
      response.write(head.subarray(end + 4));
    });
    child.stdout.on('end', () => response.end());
  };
};
