// An MCP client of the official SDK: `mcp.ts TOOL` lists the tools and calls one.
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import type { Transport } from '@modelcontextprotocol/sdk/shared/transport.js';

const [, , tool = ''] = process.argv;
const client = new Client({ name: 'tests', version: '1' });
try {
  await client.connect(new StreamableHTTPClientTransport(new URL('https://mcp.test/mcp')) as Transport);
  const { tools } = await client.listTools();
  console.log(tools.map(({ name }) => name).join(' '));
  const { content } = await client.callTool({ name: tool, arguments: { fruit: 'apple' } });
  console.log(JSON.stringify(content));
} catch (error) {
  console.error((error as Error).message);
  process.exitCode = 1;
} finally {
  await client.close();
}
