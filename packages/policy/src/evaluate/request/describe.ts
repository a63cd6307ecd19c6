import type { RequestFacts } from '../../request.ts';
import { operationAt } from './graphql-matcher.ts';

const MAX_WORD = 128;

/** One part of a request for a person, without its query: `PUT /repos/x`, `mutation createIssue { openIssue }`, `tools/call of search`. */
export function describePart(facts: RequestFacts, index: number): string {
  const { content, method, path } = facts;
  switch (content.kind) {
    case 'http':
    case 'malformed':
      return `${method} ${path}`;
    case 'message':
    case 'graphql': {
      const operation = operationAt(content, index);
      const whole = content.kind === 'message' ? `A ${messageName(method)} on ${path}` : `${method} ${path}`;
      if (!operation) return whole;
      const name = operation.name === undefined ? '' : ` ${word(operation.name)}`;
      return `${whole}: ${operation.type}${name} { ${word(operation.fields.join(' '))} }`;
    }
    case 'rpc': {
      const message = content.messages[index];
      const whole = facts.from === 'server' ? `The server's message on ${path}` : `${method} ${path}`;
      if (!message) return whole;
      const tool = message.tool === undefined ? '' : ` of ${word(message.tool)}`;
      return `${whole}: ${message.kind === 'response' ? 'a response' : `${word(message.method)}${tool}`}`;
    }
    case 'sql': {
      const statement = content.statements[index];
      return statement
        ? word(`${statement.command} ${statement.tables.join(', ')}`.trimEnd())
        : 'A statement';
    }
    default:
      return content satisfies never;
  }
}

const messageName = (method: string): string =>
  method === 'WEBSOCKET_BINARY' ? 'binary message' : 'text message';

/** Words of the workload's own choosing, kept to one short line. */
function word(text: string): string {
  const plain = text.replaceAll(/[^\x20-\x7e]/g, '?');
  return plain.length <= MAX_WORD ? plain : `${plain.slice(0, MAX_WORD)}...`;
}
