import type { DockerFacts } from './facts.ts';

/** Milliseconds. */
const limit = 2_000;

/** The socket that Docker's own client would use. A daemon on another machine is none of this machine's. */
export const dockerSocket = (dockerHost: string | undefined): string =>
  dockerHost?.startsWith('unix://') ? dockerHost.slice('unix://'.length) : '/var/run/docker.sock';

/** Whether a daemon answers on a socket (Docker Engine API, `GET /_ping`). */
export const pingDocker = async (socket: string): Promise<DockerFacts> => {
  const { request } = await import('node:http');
  return new Promise((resolve) => {
    const attempt = request(
      { socketPath: socket, path: '/_ping', signal: AbortSignal.timeout(limit) },
      (response) => {
        response.resume();
        const version = String(response.headers['api-version'] ?? 'unknown');
        response.once('end', () => resolve({ kind: 'answers', socket, version }));
        response.once('error', (error) => resolve({ kind: 'silent', socket, reason: error.message }));
      },
    );
    attempt.once('error', (error: NodeJS.ErrnoException) => resolve(judgeFailure(error, socket)));
    attempt.end();
  });
};

const judgeFailure = (error: NodeJS.ErrnoException, socket: string): DockerFacts => {
  switch (error.code) {
    case 'ENOENT':
      return { kind: 'absent', socket };
    case 'EACCES':
      return { kind: 'denied', socket };
    case 'ABORT_ERR':
      return { kind: 'silent', socket, reason: `no answer within ${limit / 1000} s` };
    default:
      return { kind: 'silent', socket, reason: error.code ?? error.message };
  }
};
