import type { SecurityEvent } from './event.ts';
import type { FindingEvent } from './events/finding.ts';
import type { HttpEvent } from './events/http.ts';
import type { NetworkEvent } from './events/network.ts';
import type { ProcessEvent } from './events/process.ts';
import type { OcsfEndpoint, OcsfProcess, OcsfRule } from './objects.ts';
import type { BaseEvent } from './ocsf.ts';
import { contextText, plainText, quotedText, truncated } from './text.ts';

const REASON_BYTES = 256;
const MESSAGE_BYTES = 120;
const WORD_BYTES = 256;

const SEVERITY_TAGS = ['UNKNOWN', 'INFO', 'LOW', 'MED', 'HIGH', 'CRIT', 'FATAL'];

const word = (text: string): string => truncated(contextText(text), WORD_BYTES);
const message = (text: string): string => truncated(plainText(text), MESSAGE_BYTES);

const actor = (process: OcsfProcess): string =>
  process.pid === undefined ? word(process.name) : `${word(process.name)}(${process.pid})`;

function destination({ domain, ip, port }: OcsfEndpoint): string {
  const host = domain ?? ip ?? '?';
  const shown = host.includes(':') ? `[${host.replace(/[^0-9a-f:.%]/gi, '?')}]` : word(host);
  return port === undefined ? shown : `${shown}:${port}`;
}

const brackets = (words: readonly string[]): string => (words.length === 0 ? '' : ` [${words.join(' ')}]`);

function rule(rule: OcsfRule | undefined): string[] {
  if (rule === undefined) return [];
  const place = rule.uid === undefined ? [] : [`rule:${word(rule.uid)}`];
  return [`policy:${word(rule.name)}`, ...place, `engine:${word(rule.type)}`];
}

const reason = (event: BaseEvent): string =>
  `[reason:${truncated(plainText(event.status_detail ?? event.message ?? 'not given').replace(/[\\[\]]/g, '\\$&'), REASON_BYTES)}]`;

const unmapped = (event: BaseEvent): string[] =>
  Object.entries(event.unmapped ?? {})
    .filter(([, value]) => value !== undefined && typeof value !== 'object')
    .map(([key, value]) => `${word(key)}:${word(String(value))}`);

/** What was asked for inside of a request, and by which credentials. */
function details({ unmapped }: BaseEvent): string[] {
  const { operation, credentials } = unmapped ?? {};
  return [
    ...(typeof operation === 'string'
      ? [`op:${quotedText(truncated(operation, MESSAGE_BYTES)).replace(/[[\]]/g, '\\$&')}`]
      : []),
    ...(Array.isArray(credentials) ? [`credentials:${word(credentials.join(','))}`] : []),
  ];
}

function measures({ traffic, duration }: NetworkEvent | HttpEvent): string[] {
  return [
    ...(traffic ? [`in:${traffic.bytes_in}`, `out:${traffic.bytes_out}`] : []),
    ...(duration === undefined ? [] : [`ms:${Math.round(duration)}`]),
  ];
}

function network(event: NetworkEvent): string {
  const parts: string[] = [];
  if (event.action !== undefined) parts.push(event.action.toUpperCase());
  parts.push(`${event.actor ? `${actor(event.actor.process)} ` : ''}-> ${destination(event.dst_endpoint)}`);
  if (event.connection_info.protocol_name !== 'tcp') parts[parts.length - 1] += '/udp';
  const context = [...rule(event.firewall_rule), ...details(event), ...measures(event)];
  const why = isNoteworthy(event) || event.activity_name === 'Fail' ? ` ${reason(event)}` : '';
  return parts.join(' ') + brackets(context) + why;
}

function http(event: HttpEvent): string {
  const { http_method: method, url } = event.http_request;
  const usual = url.scheme === 'https' ? 443 : 80;
  const port = url.port === usual ? '' : `:${url.port}`;
  const who = event.actor ? `${actor(event.actor.process)} -> ` : '';
  const target = `${word(method)} ${url.scheme}://${word(url.hostname)}${port}${word(url.path)}`;
  const status = event.http_response === undefined ? [] : [`status:${event.http_response.code}`];
  const context = [...status, ...rule(event.firewall_rule), ...details(event), ...measures(event)];
  if (event.trace !== undefined) context.push(`trace:${word(event.trace.uid)}`);
  const outcome = event.disposition === 'Error' ? 'FAILED' : event.action.toUpperCase();
  const why = isNoteworthy(event) ? ` ${reason(event)}` : '';
  return `${outcome} ${who}${target}${brackets(context)}${why}`;
}

/** Whether a person wants to know why. */
const isNoteworthy = ({ disposition }: NetworkEvent | HttpEvent): boolean =>
  disposition !== undefined && disposition !== 'Allowed';

function processText({ process, exit_code }: ProcessEvent): string {
  const exit = exit_code === undefined ? [] : [`exit:${exit_code}`];
  const command =
    process.cmd_line === undefined ? '' : ` [cmd:${quotedText(truncated(process.cmd_line, MESSAGE_BYTES))}]`;
  return actor(process) + brackets(exit) + command;
}

function finding(event: FindingEvent): string {
  const context = [`type:${word(event.finding_info.uid)}`, ...unmapped(event)];
  if (event.count !== undefined) context.push(`count:${event.count}`);
  context.push(`confidence:${event.confidence.toLowerCase()}`);
  return quotedText(truncated(event.finding_info.title, MESSAGE_BYTES)) + brackets(context);
}

interface Shown {
  /** Class and activity. */
  readonly head: string;
  readonly body: string;
}

function shown(event: SecurityEvent): Shown {
  switch (event.class_uid) {
    case 4001:
      return { head: `NET:${event.activity_name}`, body: network(event) };
    case 4002:
      return { head: `HTTP:${word(event.http_request.http_method)}`, body: http(event) };
    case 4003: {
      const who = event.actor ? `${actor(event.actor.process)} -> ` : '';
      const body = `DENIED ${who}${word(event.query.hostname)} ${event.query.type} [rcode:${event.rcode}] ${reason(event)}`;
      return { head: `DNS:${event.activity_name}`, body };
    }
    case 1007:
      return { head: `PROC:${event.activity_name}`, body: processText(event) };
    case 2004:
      return { head: `FINDING:${event.disposition ?? event.activity_name}`, body: finding(event) };
    case 5019:
      return {
        head: `CONFIG:${word(event.state)}`,
        body: message(event.message) + brackets(unmapped(event)),
      };
    case 6002: {
      const why = event.status_detail === undefined ? '' : ` ${reason(event)}`;
      return {
        head: `LIFECYCLE:${event.activity_name}`,
        body: `${word(event.app.name)} ${event.status}${why}`,
      };
    }
    default: {
      const unreachable: never = event;
      return unreachable;
    }
  }
}

/**
 * One event as one line for people, e.g. `NET:OPEN [INFO] ALLOWED curl(12) -> host:443 [policy:x engine:builtin]`.
 * Text that the sandbox chose cannot forge a second line or a bracket, and is cut at fixed lengths.
 */
export function eventLine(event: SecurityEvent): string {
  const { head, body } = shown(event);
  return `${head.toUpperCase()} [${SEVERITY_TAGS[event.severity_id] ?? 'UNKNOWN'}] ${body}`;
}
