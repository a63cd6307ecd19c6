// A service of this machine. Says its port, then answers every request.
import { createServer } from 'node:http';

const server = createServer((request, response) => {
  request.resume().on('end', () => response.end(`api.test got ${request.method} ${request.url}\n`));
});
server.listen(0, '127.0.0.1', () => console.log(server.address().port));
