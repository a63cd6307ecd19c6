/** The service that the sandbox uses: HTTP at port 8080, HTTPS at 8443, and says what it was asked. `origin.ts CERT KEY`. */
import { readFileSync } from 'node:fs';
import { createServer, type RequestListener } from 'node:http';
import { createServer as createTlsServer } from 'node:https';

const [cert = '', key = ''] = process.argv.slice(2);

const answer: RequestListener = ({ method, url, headers }, response) => {
  response.end(`origin ${method} ${url}\n`);
  process.stdout.write(`${method} ${url} ${headers.authorization ?? 'without a credential'}\n`);
};
createServer(answer).listen(8080, '127.0.0.1');
createTlsServer({ cert: readFileSync(cert), key: readFileSync(key) }, answer).listen(8443, '127.0.0.1');
