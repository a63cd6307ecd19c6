import type { NetlinkItem } from '../spec/spec.ts';
import { message, NETLINK_ROUTE, NLM_F_ACK, NLM_F_CREATE, NLM_F_EXCL } from './message.ts';

/** linux/rtnetlink.h, linux/if.h */
const RTM_NEWLINK = 16;
const RTM_NEWROUTE = 24;
const IFF_UP = 1;
const RT_TABLE_LOCAL = 255;
const RTPROT_BOOT = 3;
const RT_SCOPE_UNIVERSE = 0;
const RT_SCOPE_HOST = 254;
const RTN_LOCAL = 2;
const RTA_OIF = 4;
const AF_INET = 2;
const AF_INET6 = 10;

/** `lo` is the first interface of every network namespace. */
const LOOPBACK_INDEX = 1;

/** `ip link set lo up` */
export const loopbackUp = (): NetlinkItem => {
  const link = Buffer.alloc(16);
  link.writeInt32LE(LOOPBACK_INDEX, 4);
  link.writeUInt32LE(IFF_UP, 8);
  link.writeUInt32LE(IFF_UP, 12);
  const bytes = message(RTM_NEWLINK, NLM_F_ACK, 1, link);
  return { name: 'loopback', protocol: NETLINK_ROUTE, required: true, lastSequence: 1, bytes };
};

/**
 * `ip route add local default dev lo`: every address is this host's, so every packet comes back in through `lo`.
 * A kernel without IPv6 has no IPv6 way out either, so that one may fail.
 */
export const everythingLocal = (family: 4 | 6): NetlinkItem => {
  const route = Buffer.alloc(12);
  route[0] = family === 4 ? AF_INET : AF_INET6;
  route[4] = RT_TABLE_LOCAL;
  route[5] = RTPROT_BOOT;
  route[6] = family === 4 ? RT_SCOPE_HOST : RT_SCOPE_UNIVERSE;
  route[7] = RTN_LOCAL;
  const device = Buffer.alloc(8);
  device.writeUInt16LE(8, 0);
  device.writeUInt16LE(RTA_OIF, 2);
  device.writeUInt32LE(LOOPBACK_INDEX, 4);
  const bytes = message(
    RTM_NEWROUTE,
    NLM_F_ACK | NLM_F_CREATE | NLM_F_EXCL,
    1,
    Buffer.concat([route, device]),
  );
  return { name: `routes${family}`, protocol: NETLINK_ROUTE, required: family === 4, lastSequence: 1, bytes };
};
