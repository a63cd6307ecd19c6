import type { Refusal } from '@openshell/audit';
import { sandboxId } from '@openshell/base';
import type { BinaryIdentity, Evidence } from '@openshell/policy';
import { Fields } from './fields.ts';
import {
  LINK_FRAME_BYTES,
  type LinkFlow,
  type NodeMessage,
  type Opening,
  type ProxyMessage,
  type Unsupported,
} from './protocol.ts';

/** Not every text that a frame can hold: it becomes part of events, messages and maps. */
const TENANT = /^[A-Za-z0-9][A-Za-z0-9._:-]{0,127}$/;
const PRINTABLE = /^[ -~]{1,128}$/;
const RECORD_TYPE = /^[A-Z0-9]{1,16}$/;
const SHA256 = /^[0-9a-f]{64}$/;
/** An absolute path as the kernel may name it: PATH_MAX of Linux, and no NUL byte. */
const PATH = /^\/[^\0]{0,4095}$/;

const MAX_PID = 2 ** 31 - 1;
const MAX_ANCESTORS = 256;
const MAX_ARGUMENTS = 4096;
const MAX_VARIABLES = 1024;
const MAX_VERSIONS = 16;

/** What a node's connection is for. Throws `link_protocol`. */
export function readOpening(value: unknown): Opening {
  const fields = new Fields(value, 'the opening');
  const kind = fields.oneOf('kind', ['session', 'stream']);
  const tenant = sandboxId(fields.matching('tenant', TENANT));
  if (kind === 'session') return { kind, tenant, version: fields.matching('version', PRINTABLE) };
  const adapter = fields.oneOf('adapter', ['explicit', 'transparent']);
  return {
    kind,
    tenant,
    adapter,
    flow: readFlow(fields.object('flow')),
    ...(adapter === 'transparent' && fields.has('name') && { name: fields.hostName('name') }),
    evidence: readEvidence(fields.object('evidence')),
  };
}

function readFlow(fields: Fields): LinkFlow {
  const family = fields.oneOf('family', [4, 6] as const);
  return {
    family,
    clientAddress: fields.address('clientAddress', family),
    clientPort: fields.integer('clientPort', 1, 65_535),
    serverAddress: fields.address('serverAddress', family),
    serverPort: fields.integer('serverPort', 1, 65_535),
  };
}

function readEvidence(fields: Fields): Evidence {
  const kind = fields.oneOf('kind', ['process', 'unknown']);
  if (kind === 'unknown') return { kind, reason: fields.text('reason', 1024) };
  return {
    kind,
    pid: fields.integer('pid', 1, MAX_PID),
    executable: readBinary(fields.object('executable')),
    ancestors: fields.list('ancestors', MAX_ANCESTORS, (item, where) => readBinary(new Fields(item, where))),
    argv: fields.list('argv', MAX_ARGUMENTS, (item, where) =>
      new Fields({ word: item }, where).text('word', 4096),
    ),
  };
}

const readBinary = (fields: Fields): BinaryIdentity => ({
  path: fields.matching('path', PATH),
  sha256: fields.matching('sha256', SHA256),
  pinned: fields.flag('pinned'),
});

/** What a node says in a session. Throws `link_protocol`. */
export function readNodeMessage(value: unknown): NodeMessage {
  const fields = new Fields(value, 'the message');
  const kind = fields.oneOf('kind', ['question', 'ping']);
  if (kind === 'ping') return { kind };
  return {
    kind,
    id: fields.integer('id', 0, Number.MAX_SAFE_INTEGER),
    name: fields.hostName('name'),
    type: fields.matching('type', RECORD_TYPE),
  };
}

/** What a proxy says in a session. Throws `link_protocol`. */
export function readProxyMessage(value: unknown): ProxyMessage {
  const fields = new Fields(value, 'the message');
  const kind = fields.oneOf('kind', ['waiting', 'ready', 'answer', 'refusal', 'pong']);
  switch (kind) {
    case 'pong':
      return { kind };
    case 'waiting':
      return { kind, why: fields.text('why', 1024) };
    case 'answer':
      return { kind, id: fields.integer('id', 0, Number.MAX_SAFE_INTEGER), known: fields.flag('known') };
    case 'refusal':
      return { kind, refusal: readRefusal(fields.object('refusal')) };
    case 'ready':
      return {
        kind,
        generation: fields.integer('generation', 1, Number.MAX_SAFE_INTEGER),
        policyHash: fields.matching('policyHash', SHA256),
        authorityPem: fields.text('authorityPem', LINK_FRAME_BYTES),
        environment: fields.texts('environment', MAX_VARIABLES),
      };
    default:
      return kind satisfies never;
  }
}

/** Whoever shows it cleans and shortens its texts. */
function readRefusal(fields: Fields): Refusal {
  const optional = (name: string): string | undefined =>
    fields.has(name) ? fields.text(name, LINK_FRAME_BYTES) : undefined;
  return {
    code: fields.text('code', 128),
    host: fields.text('host', 1024),
    reason: fields.text('reason', LINK_FRAME_BYTES),
    binary: optional('binary'),
    port: fields.has('port') ? fields.integer('port', 0, 65_535) : undefined,
    subject: optional('subject'),
    remedy: optional('remedy'),
  };
}

/** The answer to a node whose versions the proxy does not speak; undefined where it is something else. */
export function readUnsupported(value: unknown): Unsupported | undefined {
  const fields = new Fields(value, 'the answer');
  if (!fields.has('speaks')) return undefined;
  const version = (item: unknown, where: string): string =>
    new Fields({ version: item }, where).matching('version', PRINTABLE);
  return { kind: 'unsupported', speaks: fields.list('speaks', MAX_VERSIONS, version) };
}
