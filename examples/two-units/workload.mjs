// Stands for an agent: it knows of the proxy by the usual variables (NODE_USE_ENV_PROXY), and then tries without it.
import { lookup } from 'node:dns/promises';
import { connect } from 'node:net';

const show = (what, outcome) => console.log(`${what.padEnd(44)} ${outcome}`);

const ask = async (method, url) => {
  const response = await fetch(url, { method });
  show(`${method} ${url}`, `${response.status} ${(await response.text()).trim()}`);
};

/** Resolves to how a connection that does not ask the proxy ends. */
const connectTo = (host, port) =>
  new Promise((resolve) => {
    const socket = connect({ host, port, timeout: 1000 });
    socket.once('connect', () => resolve('connected'));
    socket.once('timeout', () => resolve('no way out: nothing answers'));
    socket.once('error', (error) => resolve(`no way out: ${error.code}`));
  }).then((outcome) => show(`directly to ${host}:${port}`, outcome));

await ask('GET', 'http://api.test:8080/items');
await ask('DELETE', 'http://api.test:8080/items/1');
await ask('GET', 'http://elsewhere.test/');
await connectTo(process.env.ORIGIN_ADDRESS, 8080);
await connectTo('192.0.2.1', 443);
await lookup('api.test').then(
  ({ address }) => show('lookup of api.test', address),
  (error) => show('lookup of api.test', `no names here: ${error.code}`),
);
process.exit();
