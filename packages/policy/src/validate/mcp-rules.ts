import { compileGlob, globMatches } from '../glob/glob.ts';
import type { RawMatcher } from '../schema/policy-schema.ts';
import type { RuleContext } from './rules.ts';
import type { Scope } from './scope.ts';

const WILDCARD = /[*?[\]{}]/;
const TOOL_CALL = 'tools/call';
const TOOL_METHODS = /^tools\/[^{}[\]\\]*$/;

/** Checks what only MCP rules have: the tool selector, and patterns in the `tools/` family of methods. */
export function checkMcpMatcher(raw: RawMatcher, context: RuleContext, scope: Scope): void {
  checkMethod(raw, context, scope);
  checkParams(raw, scope);
  if (!selectsTools(raw)) return;
  if (raw.method !== TOOL_CALL && !(context.allowAllKnownMethods && raw.method === undefined)) {
    scope.problem(
      'tool_without_call',
      'Tools are named only in calls of tools.',
      `Add method: ${TOOL_CALL}.`,
    );
  }
  if (!context.strictToolNames && toolPatterns(raw).some((tool) => WILDCARD.test(tool))) {
    scope
      .at('tool')
      .problem(
        'wildcard_tool',
        'A tool pattern can be dodged while tool names may hold any character.',
        'Set mcp.strict_tool_names to true, or write the tools out.',
      );
  }
}

/** A rule for every tool call makes the tools that allow rules name pointless. */
export function checkMcpBreadth(
  rules: readonly RawMatcher[],
  denied: readonly RawMatcher[],
  scope: Scope,
): void {
  if (!rules.some(selectsTools)) return;
  for (const [field, list] of [
    ['rules', rules],
    ['deny_rules', denied],
  ] as const) {
    // A rule about arguments is no broad one.
    const index = list.findIndex(
      (rule) => !selectsTools(rule) && !rule.params && rule.from !== 'server' && matchesToolCall(rule.method),
    );
    if (index < 0) continue;
    scope
      .at(field, index)
      .problem(
        'broad_tool_rule',
        `This rule is about every call of a tool, while other rules allow single tools.`,
        'Remove it, or the rules that name tools.',
      );
  }
}

function checkMethod(raw: RawMatcher, context: RuleContext, scope: Scope): void {
  if (raw.method === undefined) {
    if (!context.allowAllKnownMethods || !selectsTools(raw))
      scope.problem('incomplete_rule', 'The rule has no method.', 'Add method: NAME.');
  } else if (raw.method !== '*' && WILDCARD.test(raw.method) && !TOOL_METHODS.test(raw.method)) {
    scope
      .at('method')
      .problem(
        'method_pattern',
        'Patterns are accepted only for methods that start with "tools/".',
        'Write the method out, or "*" for all.',
      );
  }
}

function checkParams(raw: RawMatcher, scope: Scope): void {
  if (raw.tool && raw.params?.has('name'))
    scope
      .at('params')
      .problem('tool_twice', 'The tool is given both as "tool" and in "params".', 'Keep "tool".', 'key');
}

/** Whether the rule names tools. `params.name` does so in calls of tools; prompts have names, too. */
export const selectsTools = (raw: RawMatcher): boolean =>
  raw.tool !== undefined || (raw.params?.has('name') === true && matchesToolCall(raw.method));

function toolPatterns(raw: RawMatcher): readonly string[] {
  const named = raw.params?.get('name');
  const any = typeof named === 'object' && named !== null && 'any' in named ? named.any : [named];
  return [...(raw.tool ?? []), ...(Array.isArray(any) ? any : [])].filter((one) => typeof one === 'string');
}

function matchesToolCall(method: string | undefined): boolean {
  if (method === undefined || method === '*' || method === TOOL_CALL) return true;
  return TOOL_METHODS.test(method) && globMatches(compileGlob(method, 'none'), TOOL_CALL);
}
