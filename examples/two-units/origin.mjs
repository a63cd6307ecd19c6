// The service that the workload may read: it stands outside, where only the proxy can reach it.
import { createServer } from 'node:http';

createServer((request, response) => {
  response.setHeader('content-type', 'application/json');
  response.end(`${JSON.stringify({ method: request.method, path: request.url, from: 'api.test' })}\n`);
}).listen(8080, () => console.log('listening'));
process.on('SIGTERM', () => process.exit());
