/**
 * The methods that the Model Context Protocol defines, revisions 2025-06-18 and 2025-11-25, in both directions. Patterns and
 * `allow_all_known_mcp_methods` cover these; any other method needs a rule that writes it out.
 */
export const MCP_METHODS: ReadonlySet<string> = new Set([
  'initialize',
  'ping',
  'completion/complete',
  'elicitation/create',
  'logging/setLevel',
  'prompts/get',
  'prompts/list',
  'resources/list',
  'resources/read',
  'resources/subscribe',
  'resources/templates/list',
  'resources/unsubscribe',
  'roots/list',
  'sampling/createMessage',
  'tasks/cancel',
  'tasks/get',
  'tasks/list',
  'tasks/result',
  'tools/call',
  'tools/list',
  'notifications/cancelled',
  'notifications/elicitation/complete',
  'notifications/initialized',
  'notifications/message',
  'notifications/progress',
  'notifications/prompts/list_changed',
  'notifications/resources/list_changed',
  'notifications/resources/updated',
  'notifications/roots/list_changed',
  'notifications/tasks/status',
  'notifications/tools/list_changed',
]);

export const isMcpMethod = (method: string): boolean => MCP_METHODS.has(method);

/** What a tool may be called under `strict_tool_names`. */
export const STRICT_TOOL_NAME = /^[A-Za-z0-9_./-]{1,128}$/;
