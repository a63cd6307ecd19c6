import { type ClientCase, shell } from '../client-case.ts';

const GIT = 'git -c user.name=Test -c user.email=test@git.test';

/** git and the package managers: several requests each, and programs that start programs. */
export const toolClients: readonly ClientCase[] = [
  {
    client: 'git clone',
    needs: ['git'],
    allowed: {
      command: shell('git clone --quiet https://git.test/apples.git cloned && cat cloned/README'),
      shows: /^fruit\n$/,
      requests: ['GET git.test/apples.git/info/refs 200', 'POST git.test/apples.git/git-upload-pack 200'],
      arrives: ['POST git.test/apples.git/git-upload-pack'],
    },
    refused: {
      command: ['git', 'ls-remote', 'https://git.test/apples.git/sub/tree'],
      shows: /The requested URL returned error: 403/,
      requests: ['GET git.test/apples.git/sub/tree/info/refs 403'],
      arrives: ['GET git.test/apples.git/sub/tree/info/refs'],
      line: /refused git-remote-http.* -> git\.test:443: GET \/apples\.git\/sub\/tree\/info\/refs /,
    },
  },
  {
    client: 'git push',
    needs: ['git'],
    allowed: {
      command: shell(
        // More than git sends with a length (http.postBuffer, 1 MiB): it goes in chunks.
        `git clone --quiet https://git.test/pears.git pushed && cd pushed && head -c 3000000 /dev/urandom > core &&
         git add core && ${GIT} commit --quiet --message More && git push --quiet &&
         git ls-remote origin main | cut -f 2`,
      ),
      shows: /^refs\/heads\/main\n$/,
      requests: ['POST git.test/pears.git/git-receive-pack 200'],
      arrives: ['POST git.test/pears.git/git-receive-pack'],
    },
    refused: {
      command: shell(
        `git clone --quiet https://git.test/apples.git kept && cd kept && ${GIT} commit --quiet --allow-empty --message No && git push`,
      ),
      shows: /The requested URL returned error: 403/,
      requests: ['GET git.test/apples.git/info/refs 403'],
      arrives: ['POST git.test/apples.git/git-receive-pack'],
      line: /refused git-remote-http.* -> git\.test:443: GET \/apples\.git\/info\/refs /,
    },
  },
  {
    client: 'npm install',
    needs: ['npm', 'node'],
    allowed: {
      command: shell(
        `mkdir eats && cd eats && npm install --silent --registry https://npm.test/ --no-audit --no-fund --no-update-notifier apples &&
         node -p 'require("apples")'`,
      ),
      shows: /crunch\n$/,
      requests: ['GET npm.test/apples 200', 'GET npm.test/apples/-/apples-1.0.0.tgz 200'],
      arrives: ['GET npm.test/apples/-/apples-1.0.0.tgz'],
    },
    refused: {
      command: shell(
        'mkdir starves && cd starves && npm install --registry https://npm.test/ --no-audit --no-fund --no-update-notifier pears',
      ),
      shows: /403 Forbidden - GET https:\/\/npm\.test\/pears/,
      requests: ['GET npm.test/pears 403'],
      arrives: ['GET npm.test/pears'],
      line: /refused (node|npm).* -> npm\.test:443: GET \/pears /,
    },
  },
  {
    client: 'pip download',
    needs: ['pip3'],
    allowed: {
      command: shell(`${pip('wheels')} apples && ls wheels`),
      shows: /apples-1\.0-py3-none-any\.whl\n$/,
      requests: ['GET pip.test/simple/apples/ 200', 'GET pip.test/files/apples-1.0-py3-none-any.whl 200'],
      arrives: ['GET pip.test/files/apples-1.0-py3-none-any.whl'],
    },
    refused: {
      command: shell(`${pip('none')} pears`),
      shows: /403|No matching distribution found/,
      requests: ['GET pip.test/simple/pears/ 403'],
      arrives: ['GET pip.test/simple/pears/'],
      line: /refused python3.* -> pip\.test:443: GET \/simple\/pears\/ /,
    },
  },
];

function pip(directory: string): string {
  return `/usr/bin/python3 -m pip download --quiet --disable-pip-version-check --no-cache-dir --index-url https://pip.test/simple/ --dest ${directory}`;
}
