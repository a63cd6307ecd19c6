import type { Generation } from '@openshell/base';
import type { EndpointRef } from './engine.ts';
import type { Endpoint, Middleware, OperationType } from './policy.ts';

/** One query parameter, percent-decoded. Repeated names are repeated entries. */
export type QueryParameter = readonly [name: string, value: string];

/** One GraphQL operation that a request asks to have executed. */
export interface GraphqlOperation {
  readonly type: OperationType;
  readonly name?: string;
  /** Root fields by their real names (aliases resolved), fragments written out, without duplicates. */
  readonly fields: readonly string[];
  /** The hash or id of a registered query; `type`, `name` and `fields` are then the registry's. */
  readonly persisted?: string;
}

/** One JSON-RPC message (JSON-RPC 2.0 sections 4 and 5). */
export interface RpcMessage {
  readonly kind: 'request' | 'notification' | 'response';
  /** Empty for a response. */
  readonly method: string;
  /** MCP: `params.name` of `tools/call`. */
  readonly tool?: string;
  /** Leaves of `params`: names joined with dots, array positions left out, values as text. */
  readonly params: readonly QueryParameter[];
}

/** What an SQL statement can change: nothing; rows; anything else (schema, rights, the server). */
export type SqlEffect = 'read' | 'write' | 'other';

export interface SqlStatement {
  /** Leading keywords in upper case: `SELECT`, `INSERT`, `CREATE TABLE`, ... */
  readonly command: string;
  readonly effect: SqlEffect;
  /** Every table that it names, as `schema.table` or `table`, in lower case unless quoted. */
  readonly tables: readonly string[];
}

/** What is inside a request, as far as its protocol lets policy speak about it. */
export type RequestContent =
  /** Nothing but the head matters. */
  | { readonly kind: 'http' }
  | { readonly kind: 'graphql'; readonly operations: readonly GraphqlOperation[] }
  /** Messages of one body. `receiveStream`: the GET that opens MCP's stream from the server; no messages. */
  | { readonly kind: 'rpc'; readonly messages: readonly RpcMessage[]; readonly receiveStream: boolean }
  /** One WebSocket message on an upgraded connection; its method is `WEBSOCKET_TEXT` or `WEBSOCKET_BINARY`. `control`: GraphQL over WebSocket that executes nothing. */
  | { readonly kind: 'message'; readonly graphql?: GraphqlOperation | 'control' }
  | { readonly kind: 'sql'; readonly statements: readonly SqlStatement[] }
  /** Could not be understood: denied, whatever the enforcement. */
  | { readonly kind: 'malformed'; readonly reason: string };

/** One request (or one message, or one statement) as policy sees it. */
export interface RequestFacts {
  /** Upper case. */
  readonly method: string;
  /** Canonical (no dot segments, unreserved characters decoded); credentials in it are replaced by `[CREDENTIAL]`. */
  readonly path: string;
  readonly query: readonly QueryParameter[];
  readonly content: RequestContent;
  /** Who speaks: the workload, or (MCP, JSON-RPC, WebSocket) the server to it. */
  readonly from: 'client' | 'server';
}

export type RequestDenyCode =
  /** Nothing allows it. */
  | 'request_not_allowed'
  /** A deny rule matches. */
  | 'request_denied'
  /** It could not be understood. */
  | 'request_malformed'
  | 'rules_denied'
  | 'rules_failed';

/**
 * The answer to one request. `audit`: the rules do not allow it and the endpoint only watches, so it goes through and
 * is reported.
 */
export type RequestDecision =
  | {
      readonly action: 'allow' | 'audit';
      readonly generation: Generation;
      readonly reason: string;
      /** Name of the policy. */
      readonly policy: string;
      readonly endpoint: EndpointRef;
      /** Place in the file of what decided, as in `network_policies.github.endpoints[0].rules[2]`. */
      readonly rule: string;
    }
  | {
      readonly action: 'deny';
      readonly generation: Generation;
      readonly code: RequestDenyCode;
      readonly reason: string;
      /** What the person could change in the policy to allow exactly this. */
      readonly remedy: string;
      readonly policy?: string;
      readonly endpoint?: EndpointRef;
      readonly rule?: string;
    };

/** How requests to the paths of one endpoint are read. */
export interface Treatment {
  readonly ref: EndpointRef;
  /** Name of the policy. */
  readonly policy: string;
  readonly endpoint: Endpoint;
  /** Nobody has allowed it: it is let through to be recorded. No credential goes there. */
  readonly learned?: true;
  /** Whether a canonical path is one of this endpoint's. */
  matches(path: string): boolean;
}

/** Why a connection is looked into, and how. */
export interface Inspection {
  /** Inspected endpoints that the program may use; the one with the most specific path first. */
  readonly treatments: readonly Treatment[];
  /** That select this host, in order. */
  readonly middlewares: readonly Middleware[];
  /** What becomes of bytes that are neither TLS nor HTTP. Absent: they go nowhere. */
  readonly unreadable?: 'pass';
}

/** The treatment of a path: that of the most specific endpoint. Undefined: no inspected endpoint has it. */
export const treatmentOf = (inspection: Inspection, path: string): Treatment | undefined =>
  inspection.treatments.find((treatment) => treatment.matches(path));
