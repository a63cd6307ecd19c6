import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { copyFileSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { after, before, describe, test } from 'node:test';
import { needsProgram } from '../support/paths.ts';
import { Network, WITHOUT_PROXY } from './network-fixture.ts';

let network: Network;
before(async () => {
  network = await Network.start();
});
after(() => network?.[Symbol.asyncDispose]());

const fetchBy = (program: string): string =>
  `${program} -sS -o /dev/null -w '%{http_code} ' http://origin.test:${network.http.port}/`;

describe('who asks is decided by the program that runs', { concurrency: 4 }, () => {
  test('a copy of an allowed program under another name is another program', async () => {
    copyFileSync('/usr/bin/curl', network.scratch.join('curl'));
    const script = `${fetchBy('curl')}; ${fetchBy('./curl')}`;
    const { stdout } = await network.run(['sh', '-c', script], { policy: { binaries: ['/usr/bin/curl'] } });
    assert.equal(stdout, '200 403 ');
  });

  test('a name in argv changes nothing', async () => {
    const script = `exec -a /usr/bin/wget ${fetchBy('/usr/bin/curl')}`;
    const { stdout } = await network.run(['bash', '-c', script], { policy: { binaries: ['/usr/bin/wget'] } });
    assert.equal(stdout, '403 ');
  });

  test('a policy may name a program by a symbolic link of the system', {
    skip: needsProgram('python3'),
  }, async () => {
    const program = `import urllib.request; print(urllib.request.urlopen('http://origin.test:${network.http.port}/').status)`;
    const { stdout, stderr } = await network.run(['/usr/bin/python3', '-c', program], {
      policy: { binaries: ['/usr/bin/python3'] },
    });
    assert.equal(stdout, '200\n', stderr);
  });

  test('a symbolic link that the workload makes changes nothing', async () => {
    const link = network.scratch.join('link');
    const script = `ln -s /usr/bin/curl ${link}; ${fetchBy(link)}`;
    const { stdout } = await network.run(['sh', '-c', script], { policy: { binaries: [link] } });
    assert.equal(stdout, '403 ');
  });

  test('a script is its interpreter, and a policy that names the script allows nothing', {
    skip: needsProgram('python3'),
  }, async () => {
    const script = network.scratch.join('ask');
    writeFileSync(
      script,
      `#!/usr/bin/python3\nimport urllib.request, urllib.error\ntry: print(urllib.request.urlopen('http://origin.test:${network.http.port}/').status)\nexcept urllib.error.HTTPError as e: print(e.code)\n`,
      { mode: 0o755 },
    );
    const byScript = await network.run([script], { policy: { binaries: [script] } });
    const byInterpreter = await network.run([script], { policy: { binaries: ['/usr/bin/python3'] } });
    assert.deepEqual([byScript.stdout, byInterpreter.stdout], ['403\n', '200\n']);
  });

  test('a program is allowed for what it starts: its ancestors count', async () => {
    const script = `${fetchBy('curl')}; true`;
    const shell = await network.run(['bash', '-c', script], { policy: { binaries: ['/usr/bin/bash'] } });
    const other = await network.run(['bash', '-c', script], { policy: { binaries: ['/usr/bin/python3'] } });
    assert.deepEqual([shell.stdout, other.stdout], ['200 ', '403 ']);
  });

  test('a program that has been replaced since its first use is refused and reported', async () => {
    const events = network.scratch.join('swap.jsonl');
    const script = `cp /usr/bin/curl ./tool; ${fetchBy('./tool')}; cp /usr/bin/curl ./new; printf x >>./new; mv ./new ./tool; ${fetchBy('./tool')}`;
    const { stdout, stderr } = await network.run(['sh', '-c', script], {
      policy: { binaries: [network.scratch.join('tool')] },
      options: ['--events', events],
    });
    assert.equal(stdout, '200 403 ', stderr);
    const findings = readFileSync(events, 'utf8')
      .split('\n')
      .filter((line) => line.includes('binary-changed'));
    assert.ok(findings.length >= 1);
    assert.match(findings[0] ?? '', new RegExp(`${network.scratch.path}/tool`));
  });

  test('two programs that hold one connection are refused, captured or not', async () => {
    // The shell opens the connection; another program inherits it.
    const script = `exec 3<>/dev/tcp/127.0.0.1/3128; sleep 30 <&3 & printf 'GET http://origin.test:${network.http.port}/ HTTP/1.1\\r\\nHost: origin.test:${network.http.port}\\r\\nConnection: close\\r\\n\\r\\n' >&3; head -n 1 <&3; kill %1`;
    const { stdout, stderr } = await network.run(['bash', '-c', script], {
      policy: { binaries: ['/usr/bin/bash'] },
    });
    assert.match(stdout, /^HTTP\/1\.1 403 /, stderr);
  });

  test('an anonymous program is no program that a policy can name', {
    skip: needsProgram('python3'),
  }, async () => {
    const program = `
import os, shutil
fd = os.memfd_create('curl', 0)
with open('/usr/bin/curl', 'rb') as source: os.write(fd, source.read())
os.execve(f'/proc/self/fd/{fd}', ['curl', '-s', '-o', '/dev/null', '-w', '%{http_code}', 'http://origin.test:${network.http.port}/'], dict(os.environ))`;
    const { stdout } = await network.run(['/usr/bin/python3', '-c', program], {
      policy: { binaries: ['/usr/bin/curl'] },
    });
    assert.doesNotMatch(stdout, /200/);
  });
});

describe('an event names the program', () => {
  test('by path and SHA-256, in a file that only its owner reads, one OCSF object a line', async () => {
    const events = network.scratch.join('events.jsonl');
    const script = `${fetchBy('curl')}; curl -s http://elsewhere.test/; curl -s http://elsewhere.test/; ${[...WITHOUT_PROXY, 'curl'].join(' ')} -s --resolve x.test:80:203.0.113.9 http://x.test/`;
    await network.run(['sh', '-c', script], {
      policy: { binaries: ['/usr/bin/curl'] },
      options: ['--events', events],
    });
    assert.equal(statSync(events).mode & 0o777, 0o600);
    const lines = readFileSync(events, 'utf8')
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line));
    for (const line of lines) {
      assert.match(line.metadata.version, /^1\.8\./);
      assert.equal(typeof line.class_uid, 'number');
      assert.equal(line.type_uid, line.class_uid * 100 + line.activity_id);
    }
    const sha256 = createHash('sha256').update(readFileSync('/usr/bin/curl')).digest('hex');
    const text = JSON.stringify(lines);
    assert.ok(text.includes(sha256), 'the hash of curl');
    assert.ok(
      lines.some((line) => line.class_uid === 4002 && line.dst_endpoint?.domain === 'origin.test'),
      'an allowed request',
    );
    assert.ok(
      lines.some(
        (line) => JSON.stringify(line).includes('elsewhere.test') && JSON.stringify(line).includes('enied'),
      ),
      'a refused one',
    );
    assert.ok(
      lines.some((line) => JSON.stringify(line).includes('bypass-detect')),
      'a refused capture',
    );
    assert.equal(lines[0].class_uid, 1007);
    const processes = lines.filter((line) => line.class_uid === 1007).map((line) => line.activity_name);
    assert.deepEqual(processes, ['Launch', 'Terminate']);
  });
});
