/** One bound: how much, of what, and what happens to whoever goes beyond it. */
export interface ControlLimit {
  readonly value: number;
  readonly unit: string;
  readonly what: string;
  readonly onExcess: string;
}

/** Every bound of the control connection. Those of tenants and connections are the proxy's own. */
export const CONTROL_LIMITS = {
  observers: {
    value: 64,
    unit: 'sessions',
    what: 'Observers at one time, beside the one controller',
    onExcess: 'refused with `too_many_sessions`',
  },
  connections: {
    value: 128,
    unit: 'connections',
    what: 'Control connections at one time, with or without a session',
    onExcess: 'closed at once',
  },
  handshakeTime: {
    value: 10_000,
    unit: 'ms',
    what: 'From accepting a control connection to its first call that is let in',
    onExcess: 'closed',
  },
  calls: {
    value: 256,
    unit: 'calls',
    what: 'Calls at one time on one control connection',
    onExcess: 'refused (HTTP/2 stream limit)',
  },
  requestBytes: {
    value: 8_388_608,
    unit: 'bytes',
    what: 'One message to the proxy: a generation with all its parts',
    onExcess: 'refused with `request_invalid`',
  },
  answerBytes: {
    value: 16_777_216,
    unit: 'bytes',
    what: 'One message from the proxy: the status of all its tenants',
    onExcess: 'the call fails',
  },
  pingInterval: {
    value: 10_000,
    unit: 'ms',
    what: 'Between two pings on a control connection, both ways',
    onExcess: 'the next is sent',
  },
  pingTime: {
    value: 10_000,
    unit: 'ms',
    what: 'Answer to a ping',
    onExcess: 'the connection is lost, and with it the session',
  },
  connectTime: {
    value: 10_000,
    unit: 'ms',
    what: 'Reaching a proxy: connection, TLS and hello',
    onExcess: 'given up with `unavailable`',
  },
  closeTime: {
    value: 2000,
    unit: 'ms',
    what: 'Good-bye of a session that its controller closes',
    onExcess: 'the connection is closed without it',
  },
  peerChecks: {
    value: 16,
    unit: 'connections',
    what: 'Connections to the Unix socket whose peer is being found out at one time',
    onExcess: 'closed at once',
  },
  peerCheckTime: {
    value: 5000,
    unit: 'ms',
    what: 'Finding out whose a connection to the Unix socket is',
    onExcess: 'closed',
  },
  tokenBytes: {
    value: 4096,
    unit: 'bytes',
    what: 'Token in a file, or in a request',
    onExcess: 'refused',
  },
  nameLength: {
    value: 128,
    unit: 'characters',
    what: 'Name of a controller, of a tenant, of a part, of a revision',
    onExcess: 'refused with `request_invalid` or `tenant_invalid`',
  },
  recognitions: {
    value: 64,
    unit: 'recognitions',
    what: 'Ways in which one tenant is recognised',
    onExcess: 'refused with `tenant_invalid`',
  },
  partBytes: {
    value: 1_048_576,
    unit: 'bytes',
    what: 'Text of one part of a generation (UTF-8)',
    onExcess: 'refused with `request_invalid`',
  },
  secrets: {
    value: 1024,
    unit: 'values',
    what: 'Values that are pushed with one generation',
    onExcess: 'refused with `request_invalid`',
  },
  secretBytes: {
    value: 65_536,
    unit: 'bytes',
    what: 'One value that is pushed (UTF-8)',
    onExcess: 'refused with `request_invalid`',
  },
  secretsBytes: {
    value: 4_194_304,
    unit: 'bytes',
    what: 'All values that are pushed with one generation (UTF-8)',
    onExcess: 'refused with `request_invalid`',
  },
  problems: {
    value: 500,
    unit: 'problems',
    what: 'Problems of a refused generation that travel to its controller',
    onExcess: 'the others are counted in the message',
  },
} as const satisfies Record<string, ControlLimit>;
