/**
 * The TLS and cryptography of Node.js, loaded when they are first used: they take a fifth of the time in which a sandbox that opens no
 * TLS starts.
 */
export const tls = (): typeof import('node:tls') => process.getBuiltinModule('node:tls');
export const crypto = (): typeof import('node:crypto') => process.getBuiltinModule('node:crypto');
