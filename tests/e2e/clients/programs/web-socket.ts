// A WebSocket client of the package ws: `web-socket.ts URL MESSAGE...` sends each message after the answer to the one before.
import { once } from 'node:events';
import WebSocket from 'ws';

const [, , url = '', ...messages] = process.argv;
const socket = new WebSocket(url);
const closed = once(socket, 'close').then(([code, reason]) => console.log(`closed ${code} ${reason}`));
closed.catch(() => {}); // an error before that is told below
try {
  await once(socket, 'open');
  for (const message of messages) {
    socket.send(message);
    const answer = await Promise.race([once(socket, 'message'), closed]);
    if (answer === undefined) break;
    console.log(String(answer[0]));
  }
  socket.close();
} catch (error) {
  console.error((error as Error).message);
  process.exitCode = 1;
}
