// The HTTP clients of Node.js: `fetch.ts fetch|https|http2 URL`. `fetch` goes through the proxy of the environment; the others have never heard of one.
import { once } from 'node:events';
import { connect } from 'node:http2';
import { Agent, get } from 'node:https';

const [, , client, address = ''] = process.argv;
const url = new URL(address);

const byFetch = async (): Promise<string> => {
  const response = await fetch(url);
  return `${response.status} ${await response.text()}`;
};

const byHttps = async (): Promise<string> => {
  const [response] = await once(get(url, { agent: new Agent() }), 'response');
  return `${response.statusCode} ${(await response.setEncoding('utf8').toArray()).join('')}`;
};

const byHttp2 = async (): Promise<string> => {
  const session = connect(url);
  const stream = session.request({ ':path': url.pathname });
  const [headers] = await once(stream, 'response');
  const text = (await stream.setEncoding('utf8').toArray()).join('');
  session.close();
  return `${headers[':status']} ${text}`;
};

const ways: Readonly<Record<string, () => Promise<string>>> = {
  fetch: byFetch,
  https: byHttps,
  http2: byHttp2,
};
process.stdout.write((await ways[client ?? '']?.()) ?? 'no such client\n');
