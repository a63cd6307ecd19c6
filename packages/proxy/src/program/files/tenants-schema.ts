import { schema } from '@openshell/policy';
import { LIMITS } from '../../limits.ts';

const { integer, list, object, text } = schema;

const MOST = Number.MAX_SAFE_INTEGER;
const path = text({ maxBytes: 4096 });

const RECOGNITION = object('A recognition', 'One way in which connections are known to be the tenant’s.', {
  listen: { type: text(), doc: 'Address and port that the tenant has for itself: `127.0.0.1:3129`.' },
  username: { type: text(), doc: 'User name of `Proxy-Authorization: Basic`, or of SOCKS5.' },
  password_sha256: { type: text(), doc: 'SHA-256 of the random password that goes with it, in hexadecimal.' },
  source: {
    type: text(),
    doc: 'Addresses that its connections come from: `10.1.0.0/16`. Only where nobody else can send from them.',
  },
  certificate: {
    type: text(),
    doc: 'URI or DNS name in the certificate of the node that its sandbox runs on (`--link`).',
  },
});

const BOUNDS = object('limits', 'What the tenant may use up.', {
  connections: { type: integer(1, MOST), doc: 'Connections at one time.' },
  held_bytes: { type: integer(1, MOST), doc: 'Bytes of bodies and messages held in memory at one time.' },
  events_per_second: { type: integer(1, MOST), doc: 'Events that are passed on.' },
});

const TENANT = object('A tenant', 'A client, or several that are the same to policy.', {
  id: { type: text(), required: true, doc: 'What events call it.' },
  recognised_by: {
    type: list(RECOGNITION, 64, { nonEmpty: true }),
    required: true,
    doc: 'How its connections are known; any of these is enough.',
  },
  identity: {
    type: text({ oneOf: ['none'] }),
    doc: '`none`: programs are not told apart, so what the policy allows to some may be used by any.',
  },
  policy: { type: path, doc: 'File, relative to this one. Without a policy everything is denied.' },
  credentials: { type: path, doc: 'File, relative to this one.' },
  routes: { type: path, doc: 'File, relative to this one.' },
  limits: { type: BOUNDS, doc: 'What it may use up.' },
});

/** Every field of a file of tenants. */
export const TENANTS_SCHEMA = object('The file', 'Who is served, and by which policy.', {
  tenants: { type: list(TENANT, LIMITS.controlTenants.value), required: true, doc: 'Each tenant once.' },
});
