export { encodeFrame, FrameReader, linkFault } from './frame.ts';
export {
  LINK_ALPN_PREFIX,
  LINK_FRAME_BYTES,
  LINK_PING_MS,
  LINK_SILENCE_MS,
  LINK_VERSIONS,
  type LinkFlow,
  type LinkGeneration,
  type NodeMessage,
  type Opening,
  type ProxyMessage,
  type SessionOpening,
  type StreamOpening,
  type Unsupported,
} from './protocol.ts';
export { readNodeMessage, readOpening, readProxyMessage, readUnsupported } from './read.ts';
