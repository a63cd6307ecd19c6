import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { sandboxId } from '@openshell/base';
import { PROTOCOL, type TenantReport } from '@openshell/control';
import { FakeProxy } from '@openshell/control/testing';
import { FileController } from './file-controller.ts';

const policyFor = (host: string, binaries = ''): string =>
  `version: 1\nnetwork_policies:\n  a:\n    endpoints: [{ host: ${host}, port: 443 }]\n${binaries}`;
const BINARIES = '    binaries: [{ path: /usr/bin/curl }]\n';

/** Files, a proxy that is told by them, and what was said. */
class Fixture implements AsyncDisposable {
  readonly proxy = new FakeProxy();
  readonly said: string[] = [];
  readonly unusable: [string, number][] = [];
  readonly folder: string;
  controller!: FileController;

  static async make(files: Readonly<Record<string, string>>): Promise<Fixture> {
    const fixture = new Fixture(await mkdtemp(join(tmpdir(), 'openshell-files-')));
    await fixture.write(files);
    return fixture;
  }

  private constructor(folder: string) {
    this.folder = folder;
  }

  async start(): Promise<FileController> {
    this.controller = await FileController.start({
      control: this.proxy.control,
      source: { kind: 'file', file: join(this.folder, 'tenants.yaml') },
      log: (_level, message) => this.said.push(message),
      unusable: (tenant, generation) => this.unusable.push([tenant, generation]),
    });
    return this.controller;
  }

  async write(files: Readonly<Record<string, string>>): Promise<void> {
    for (const [name, text] of Object.entries(files)) await writeFile(join(this.folder, name), text);
  }

  /** Writes, reads again, and gives what was said about it. */
  async change(files: Readonly<Record<string, string>>): Promise<string> {
    this.said.length = 0;
    await this.write(files);
    await this.controller.reload();
    return this.said.join('\n');
  }

  async tenants(): Promise<Record<string, number>> {
    await using session = await this.proxy.control.connect({
      name: 'test',
      protocol: PROTOCOL,
      role: 'observer',
    });
    const { tenants } = await session.status();
    return Object.fromEntries(
      tenants.map(({ id, installed }: TenantReport) => [id, installed?.generation ?? 0]),
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.proxy[Symbol.asyncDispose]();
    await this.controller?.[Symbol.asyncDispose]();
    await rm(this.folder, { recursive: true });
  }
}

const tenant = (id: string, port: number, more = ''): string =>
  `  - { id: ${id}, policy: ${id}.yaml, recognised_by: [{ listen: "127.0.0.1:${port}" }]${more} }\n`;

const TWO = {
  'tenants.yaml': `tenants:\n${tenant('a', 1)}${tenant('b', 2)}`,
  'a.yaml': policyFor('a.example'),
  'b.yaml': policyFor('b.example'),
};

describe('files as a controller', () => {
  test('install what they say, follow what changes, and leave alone what does not', async () => {
    await using fixture = await Fixture.make(TWO);
    const controller = await fixture.start();
    assert.deepEqual(await fixture.tenants(), { a: 1, b: 1 });
    assert.deepEqual(
      controller.files.map((file) => file.slice(fixture.folder.length + 1)),
      ['tenants.yaml', 'a.yaml', 'b.yaml'],
    );
    assert.equal(await fixture.change({}), '');
    assert.match(
      await fixture.change({ 'a.yaml': policyFor('c.example') }),
      /^tenant a: the policy .*a\.yaml is in force as generation 2$/,
    );
    assert.deepEqual(await fixture.tenants(), { a: 2, b: 1 });
    const fewer = await fixture.change({ 'tenants.yaml': `tenants:\n${tenant('a', 1)}` });
    assert.equal(fewer, 'tenant b is no longer served');
    assert.deepEqual(await fixture.tenants(), { a: 2 });
  });

  test('that are wrong for one tenant leave its generation in force, and do not hinder the others', async () => {
    await using fixture = await Fixture.make(TWO);
    await fixture.start();
    const said = await fixture.change({
      'a.yaml': 'network_policies: 5\nversion: 2\n',
      'b.yaml': policyFor('d.example'),
    });
    assert.match(
      said,
      /a\.yaml:1:\d+: .*a\.yaml:2:\d+: .*tenant a: the new policy is refused; generation 1 stays in force/s,
    );
    assert.match(said, /tenant b: .* generation 2/);
    assert.deepEqual(await fixture.tenants(), { a: 1, b: 2 });
    assert.deepEqual(fixture.unusable, []);
    await rm(join(fixture.folder, 'a.yaml'));
    assert.match(await fixture.change({}), /a\.yaml.*generation 1 stays in force/s);
    assert.deepEqual(fixture.unusable, [['a', 1]]);
    await fixture.change({ 'tenants.yaml': 'tenants: 5\n' });
    assert.deepEqual(await fixture.tenants(), { a: 1, b: 2 });
  });

  test('give a tenant up for another way of being recognised only when the rest is right', async () => {
    await using fixture = await Fixture.make(TWO);
    await fixture.start();
    await fixture.change({
      'tenants.yaml': `tenants:\n${tenant('a', 3)}${tenant('b', 2)}`,
      'a.yaml': 'wrong: 1\n',
    });
    assert.deepEqual(await fixture.tenants(), { a: 1, b: 1 });
    // Registered anew, its generations are counted anew.
    await fixture.change({ 'a.yaml': policyFor('e.example') });
    await fixture.change({ 'a.yaml': policyFor('f.example') });
    assert.deepEqual(await fixture.tenants(), { a: 2, b: 1 });
  });

  test('may not speak of programs where nobody can tell them apart', async () => {
    await using fixture = await Fixture.make({ ...TWO, 'a.yaml': policyFor('a.example', BINARIES) });
    await assert.rejects(fixture.start(), /a\.yaml:5:5: network_policies\.a\.binaries: .*identity: none/);
    // A file that is refused at the start begins nothing: somebody else may control the proxy.
    await fixture.write({
      'tenants.yaml': `tenants:\n${tenant('c', 5, ', identity: none')}`,
      'c.yaml': policyFor('a.example', BINARIES),
    });
    await fixture.start();
    assert.deepEqual(Object.keys(await fixture.tenants()).includes('c'), true);
  });

  test('are not read any longer when a controller has taken over, and say so', async () => {
    await using fixture = await Fixture.make(TWO);
    await fixture.start();
    await using other = await fixture.proxy.control.connect({
      name: 'gateway',
      protocol: PROTOCOL,
      role: 'controller',
      takeOver: true,
    });
    await other.removeTenant(sandboxId('b'));
    assert.match(fixture.said.join('\n'), /"gateway" has taken over: files are not read any longer/);
    assert.match(
      await fixture.change({ 'a.yaml': policyFor('c.example') }),
      /files are not read: the controller "gateway" has taken over/,
    );
    assert.deepEqual(await fixture.tenants(), { a: 1 });
  });

  test('that cannot be read are refused with their name', async () => {
    await using fixture = await Fixture.make({
      'tenants.yaml': TWO['tenants.yaml'],
      'a.yaml': policyFor('a.example'),
    });
    await assert.rejects(fixture.start(), /tenant b: the policy cannot be read: .*b\.yaml/);
  });
});
