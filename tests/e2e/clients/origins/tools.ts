import type { RequestListener } from 'node:http';
import { Server } from '@modelcontextprotocol/sdk/server/index.js';
import { StreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/streamableHttp.js';
import type { Transport } from '@modelcontextprotocol/sdk/shared/transport.js';
import { CallToolRequestSchema, ListToolsRequestSchema } from '@modelcontextprotocol/sdk/types.js';
import type { Seen } from './seen.ts';

const TOOLS = ['weigh', 'discard'].map((name) => ({ name, inputSchema: { type: 'object' as const } }));

/** An MCP server without sessions, with two tools. */
export const toolsSite =
  (seen: Seen): RequestListener =>
  async (request, response) => {
    const server = new Server({ name: 'fruit', version: '1' }, { capabilities: { tools: {} } });
    server.setRequestHandler(ListToolsRequestSchema, () => ({ tools: TOOLS }));
    server.setRequestHandler(CallToolRequestSchema, ({ params }) => {
      seen.note(`tool ${params.name}`);
      return { content: [{ type: 'text', text: `${params.name}: done` }] };
    });
    const transport = new StreamableHTTPServerTransport();
    response.on('close', () => void server.close());
    await server.connect(transport as Transport);
    await transport.handleRequest(request, response);
  };
