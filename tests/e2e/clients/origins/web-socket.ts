import type { Server } from 'node:net';
import { WebSocketServer } from 'ws';
import type { Seen } from './seen.ts';

/** Repeats each message in capitals, compressed where the client can. */
export const addWebSocket = (server: Server, seen: Seen): void => {
  const sockets = new WebSocketServer({ server: server as never, perMessageDeflate: true });
  sockets.on('connection', (socket) => {
    socket.on('message', (data) => {
      const text = String(data);
      seen.note(`message ${text}`);
      socket.send(text.toUpperCase());
    });
  });
};
