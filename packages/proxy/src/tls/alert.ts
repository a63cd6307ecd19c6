/**
 * A fatal `access_denied` alert (RFC 8446 section 6.2, number 49) in a record of its own (section 5.1), for a client
 * that has sent its ClientHello and got nothing yet: TLS libraries report it by name instead of a dead connection.
 */
export const ACCESS_DENIED_ALERT: Buffer = Buffer.from([21, 3, 3, 0, 2, 2, 49]);

/** The same with `internal_error` (80), for what is no fault of the client's. */
export const INTERNAL_ERROR_ALERT: Buffer = Buffer.from([21, 3, 3, 0, 2, 2, 80]);
