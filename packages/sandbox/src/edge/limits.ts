/** Every bound of the node's side of the link. Those of the proxy's side are in the proxy's own table, and hold whatever a node does. */
export const EDGE_LIMITS = {
  /** Connections of the sandbox at one time; those beyond are reset. As many as the proxy lets one sandbox have. */
  connections: 8192,
  /** TLS handshakes with the proxy at one time; further ones wait their turn. */
  dials: 32,
  /** TCP and TLS handshake with the proxy, in ms. */
  dialTime: 10_000,
  /** Connections with the proxy that are kept ready after one was used: the next ones need no handshake. */
  spare: 4,
  /** How long one is kept, in ms: well below what the proxy allows (`linkSpareTime`). */
  spareTime: 60_000,
  /** Finding out which program asked, in ms; then it is unknown, which policy denies. */
  evidenceTime: 5000,
  /** Names that are asked at one time; further ones fail. */
  questions: 256,
  /** For the answer about one name, in ms. */
  questionTime: 4000,
  /** Between two attempts at a session, in ms: doubled after each that failed. */
  retryFirst: 200,
  retryMost: 2000,
} as const;
