import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { ContainerEngine, noContainerEngine } from '../../support/container-engine.ts';
import { needsProgram } from '../../support/paths.ts';

const ROOT = fileURLToPath(new URL('../../..', import.meta.url)).replace(/\/$/, '');

interface BuiltImage {
  readonly image: string;
  readonly bytes: number;
  readonly modules?: readonly string[];
}

const skip = noContainerEngine() ?? false;

describe('two units: the workload in one container, the proxy in another', { skip }, () => {
  let engine: ContainerEngine;
  let images: readonly BuiltImage[];

  before(async () => {
    engine = await ContainerEngine.start();
    images = engine
      .run(process.execPath, `${ROOT}/scripts/images.ts`, '--json')
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as BuiltImage);
  });
  after(async () => {
    await engine?.[Symbol.asyncDispose]();
  });

  const modulesOf = (name: string): readonly string[] =>
    images.find(({ image }) => image.startsWith(name))?.modules ?? [];

  const shows = (environment: Readonly<Record<string, string>> = {}): void => {
    const shown = engine.run(
      'env',
      ...Object.entries(environment).map((entry) => entry.join('=')),
      `${ROOT}/examples/two-units/run`,
    );
    const line = (start: string): string => shown.split('\n').find((text) => text.startsWith(start)) ?? '';
    assert.match(line('GET http://api.test:8080/items'), /200 .*"from":"api\.test"/);
    assert.match(line('DELETE http://api.test:8080/items/1'), / 403 .*policy/);
    assert.match(line('GET http://elsewhere.test/'), / 403 /);
    const around = shown.split('\n').filter((text) => text.startsWith('directly to'));
    assert.equal(around.length, 2);
    for (const text of around) assert.match(text, /no way out/);
    assert.match(line('lookup of api.test'), /no names here/);
    assert.match(shown, /"class_uid":4002/);
    assert.equal(engine.run('docker', 'ps', '--all', '--quiet'), '', 'a container was left');
  };

  test('the example shows what is allowed, what is refused, and that there is no way around', () => shows());

  test('and the same where gVisor is the workload’s kernel', { skip: needsProgram('runsc') }, () =>
    shows({ WORKLOAD_RUNTIME: 'runsc' }),
  );

  test('the proxy’s image has no shell, no SSH, no launcher and no Landlock code', () => {
    const modules = modulesOf('openshell-proxy');
    assert.ok(modules.includes('packages/proxy/src/proxy.ts'), 'the list is of the proxy');
    const unwanted = /^packages\/(runtime|sandbox|cli)\/|landlock|launcher|seccomp|^npm:(ssh2|dockerode)/i;
    assert.deepEqual(
      modules.filter((name) => unwanted.test(name)),
      [],
    );
    const files = filesOf('openshell-proxy:local');
    assert.ok(files.includes('app/openshell-proxy.mjs'));
    const programs = files.filter((name) => /(^|\/)s?bin\/./.test(name));
    assert.deepEqual(programs, ['usr/local/bin/node']);
    assert.deepEqual(
      files.filter((name) => /openshell-launcher/.test(name)),
      [],
    );
  });

  test('the runtime’s image has no interception of TLS, no evaluation of policies and no HTTP parsing', () => {
    const modules = modulesOf('openshell-runtime');
    assert.ok(
      modules.some((name) => name.startsWith('packages/runtime/')),
      'the list is of the runtime',
    );
    const unwanted =
      /^packages\/(rego|cli)\/|^packages\/policy\/src\/evaluate\/|^packages\/proxy\/src\/(?!dns\/|limits\.ts|relay\/(linger|reset)\.ts)|^npm:@(connectrpc|bufbuild|opentelemetry|open-policy-agent)\//;
    assert.deepEqual(
      modules.filter((name) => unwanted.test(name)),
      [],
    );
    assert.ok(filesOf('openshell-runtime:local').some((name) => name.endsWith('/openshell-launcher')));
  });

  test('the proxy’s image runs as nobody in particular, without capabilities on a read-only root', () => {
    const [described] = JSON.parse(engine.run('docker', 'image', 'inspect', 'openshell-proxy:local')) as [
      { Config: { User: string; Entrypoint: readonly string[] } },
    ];
    assert.equal(described.Config.User, '65532:65532');
    const help = engine.run(
      ...(['docker', 'run', '--rm', '--network', 'none', '--read-only', '--cap-drop', 'ALL'] as const),
      ...['openshell-proxy:local', '--help'],
    );
    assert.match(help, /--listen/);
  });

  const filesOf = (image: string): string[] => {
    const id = engine.run('docker', 'create', '--network', 'none', image).trim();
    const listing = engine.run('sh', '-c', `docker export ${id} | tar --list`);
    engine.run('docker', 'rm', id);
    return listing.split('\n').filter((name) => name !== '' && !name.endsWith('/'));
  };
});
