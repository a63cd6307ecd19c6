import type { ClientSessionOptions, ServerSessionOptions } from 'node:http2';
import type { Limits } from '../limits.ts';

/**
 * What both sides of a session bound. Frames of all kinds are bounded by nghttp2 itself: CONTINUATION frames of a head to 8,
 * SETTINGS and PING that nobody reads the answers of to 1,000.
 */
function sessionOptions(limits: Limits) {
  return {
    maxSessionMemory: limits.http2SessionMemory,
    // Pseudo-header fields are counted too.
    maxHeaderListPairs: limits.headFields + 8,
    maxOutstandingPings: 2,
    maxSettings: 32,
    // A field may come more than once if the other side says so; what is forbidden is looked at where messages are understood.
    strictSingleValueFields: false,
    // Without this nghttp2 drops such fields without a word; here they are seen.
    strictFieldWhitespaceValidation: false,
  };
}

/** Twice what is understood: what is a little too large is answered, and only what is more is reset. */
const headListSize = (limits: Limits): number => 2 * limits.headBytes;

/** Of a connection that a client has made. */
export function serverOptions(limits: Limits): ServerSessionOptions {
  return {
    ...sessionOptions(limits),
    maxSessionInvalidFrames: limits.http2Faults,
    maxSessionRejectedStreams: limits.http2Faults,
    streamResetBurst: limits.http2ResetBurst,
    streamResetRate: limits.http2ResetRate,
    settings: {
      maxConcurrentStreams: limits.http2Streams,
      initialWindowSize: limits.http2ClientWindow,
      maxHeaderListSize: headListSize(limits),
      enableConnectProtocol: false,
    },
  };
}

/** Of a connection to an origin. */
export function clientOptions(limits: Limits): ClientSessionOptions {
  return {
    ...sessionOptions(limits),
    peerMaxConcurrentStreams: limits.http2Streams,
    maxReservedRemoteStreams: 0,
    settings: {
      enablePush: false,
      initialWindowSize: limits.http2OriginWindow,
      maxHeaderListSize: headListSize(limits),
    },
  };
}
