import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { test } from 'node:test';
import { authorityFiles, CA_BUNDLE, EXTRA_CA, PROXY_CA } from './authorities.ts';

const PEM = '-----BEGIN CERTIFICATE-----\nb3Vycw==\n-----END CERTIFICATE-----\n';
const DEBIAN = '/etc/ssl/certs/ca-certificates.crt';

test('nothing is added where nobody but the system is to be trusted', () => {
  assert.deepEqual(authorityFiles({ upstreamCa: [] }), []);
});

test('the proxy is among those that the bundle, the extra file and the system itself name', () => {
  const files = new Map(
    authorityFiles({ upstreamCa: [], proxyCa: PEM }).map(({ path, content }) => [path, Buffer.from(content)]),
  );
  for (const path of [CA_BUNDLE, EXTRA_CA, PROXY_CA]) assert.ok(files.get(path)?.includes(PEM), path);
  const system = files.get(DEBIAN);
  assert.equal(system !== undefined, existsSync(DEBIAN));
  if (system) assert.ok(system.equals(files.get(CA_BUNDLE)!));
});
