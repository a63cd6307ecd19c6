import type { Protocol } from './policy.ts';

/** Protocols whose requests are looked into one by one. */
export const INSPECTED_PROTOCOLS: readonly Protocol[] = [
  'rest',
  'websocket',
  'graphql',
  'json-rpc',
  'mcp',
  'sql',
];

/** Whether requests under this protocol are looked into one by one. */
export const isInspected = (protocol: Protocol): boolean => INSPECTED_PROTOCOLS.includes(protocol);

/** The IANA registry of HTTP methods (RFC 9110 section 16.1) in its August 2024 state, plus QUERY. */
export const HTTP_METHODS: readonly string[] = (
  'ACL BASELINE-CONTROL BIND CHECKIN CHECKOUT CONNECT COPY DELETE GET HEAD LABEL LINK LOCK MERGE MKACTIVITY MKCALENDAR MKCOL ' +
  'MKREDIRECTREF MKWORKSPACE MOVE OPTIONS ORDERPATCH PATCH POST PRI PROPFIND PROPPATCH PUT QUERY REBIND REPORT SEARCH TRACE ' +
  'UNBIND UNCHECKOUT UNLINK UNLOCK UPDATE UPDATEREDIRECTREF VERSION-CONTROL'
).split(' ');
