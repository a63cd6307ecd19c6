import type { NetlinkItem } from '../spec/spec.ts';
import {
  attribute,
  message,
  NETLINK_NETFILTER,
  NLM_F_ACK,
  NLM_F_APPEND,
  NLM_F_CREATE,
  nested,
  numberAttribute,
  textAttribute,
} from './message.ts';

/** linux/netfilter/nfnetlink.h and nf_tables.h */
const NFNL_MSG_BATCH_BEGIN = 16;
const NFNL_MSG_BATCH_END = 17;
const NFNL_SUBSYS_NFTABLES = 10;
const NFT_MSG_NEWTABLE = 0;
const NFT_MSG_NEWCHAIN = 3;
const NFT_MSG_NEWRULE = 6;
const NFTA_TABLE_NAME = 1;
const NFTA_CHAIN = { table: 1, name: 3, hook: 4, type: 7 } as const;
const NFTA_HOOK = { number: 1, priority: 2 } as const;
const NFTA_RULE = { table: 1, chain: 2, expressions: 4 } as const;
const NFTA_LIST_ELEM = 1;
const NFTA_EXPR = { name: 1, data: 2 } as const;
const NFTA_DATA = { value: 1, verdict: 2 } as const;
const NFT_META_L4PROTO = 16;
const NFT_PAYLOAD_NETWORK_HEADER = 1;
const NFT_CMP = { equal: 0, notEqual: 1 } as const;
const NFT_REG_VERDICT = 0;
const NFT_REG_1 = 1;
const NF_INET_PRE_ROUTING = 0;
const NF_IP_PRI_MANGLE = -150;
const NF_ACCEPT = 1;
const NFPROTO = { 4: 2, 6: 10 } as const;
const IPPROTO_TCP = 6;

const TABLE = 'openshell';
const CHAIN = 'capture';

const expression = (name: string, data: readonly Uint8Array[]): Buffer =>
  nested(NFTA_LIST_ELEM, [textAttribute(NFTA_EXPR.name, name), nested(NFTA_EXPR.data, data)]);

const value = (type: number, bytes: Uint8Array): Buffer => nested(type, [attribute(NFTA_DATA.value, bytes)]);

const compare = (operator: number, bytes: Uint8Array): Buffer =>
  expression('cmp', [numberAttribute(1, NFT_REG_1), numberAttribute(2, operator), value(3, bytes)]);

/** The bytes of the destination address that tell loopback: 127/8 by its first, ::1 by all sixteen. */
const LOOPBACK = {
  4: { offset: 16, bytes: Uint8Array.of(127) },
  6: { offset: 24, bytes: Uint8Array.from([...new Array(15).fill(0), 1]) },
} as const;

/** `meta l4proto tcp  daddr != loopback  tproxy to :PORT  accept` */
const captureRule = (family: 4 | 6, port: number): Buffer[] => {
  const { offset, bytes } = LOOPBACK[family];
  return [
    expression('meta', [numberAttribute(1, NFT_REG_1), numberAttribute(2, NFT_META_L4PROTO)]),
    compare(NFT_CMP.equal, Uint8Array.of(IPPROTO_TCP)),
    expression('payload', [
      numberAttribute(1, NFT_REG_1),
      numberAttribute(2, NFT_PAYLOAD_NETWORK_HEADER),
      numberAttribute(3, offset),
      numberAttribute(4, bytes.length),
    ]),
    compare(NFT_CMP.notEqual, bytes),
    expression('immediate', [numberAttribute(1, NFT_REG_1), value(2, Uint8Array.of(port >> 8, port & 255))]),
    expression('tproxy', [numberAttribute(1, NFPROTO[family]), numberAttribute(3, NFT_REG_1)]),
    expression('immediate', [
      numberAttribute(1, NFT_REG_VERDICT),
      nested(2, [nested(NFTA_DATA.verdict, [numberAttribute(1, NF_ACCEPT)])]),
    ]),
  ];
};

/** struct nfgenmsg: family, version, and for the batch marks the subsystem in network byte order. */
const generic = (family: number, resource: number): Buffer =>
  Buffer.from([family, 0, resource >> 8, resource & 255]);

/**
 * The capture rules of one address family as one nf_tables batch: all of it or nothing.
 * Without them TCP to any address fails at once; with them the proxy sees it and can say why.
 */
export const captureRules = (family: 4 | 6, port: number): NetlinkItem => {
  const about = generic(NFPROTO[family], 0);
  const nft = (kind: number): number => (NFNL_SUBSYS_NFTABLES << 8) | kind;
  const mark = generic(0, NFNL_SUBSYS_NFTABLES);
  const chain = [
    textAttribute(NFTA_CHAIN.table, TABLE),
    textAttribute(NFTA_CHAIN.name, CHAIN),
    nested(NFTA_CHAIN.hook, [
      numberAttribute(NFTA_HOOK.number, NF_INET_PRE_ROUTING),
      numberAttribute(NFTA_HOOK.priority, NF_IP_PRI_MANGLE),
    ]),
    textAttribute(NFTA_CHAIN.type, 'filter'),
  ];
  const rule = [
    textAttribute(NFTA_RULE.table, TABLE),
    textAttribute(NFTA_RULE.chain, CHAIN),
    nested(NFTA_RULE.expressions, captureRule(family, port)),
  ];
  const lastSequence = 4;
  const bytes = Buffer.concat([
    message(NFNL_MSG_BATCH_BEGIN, 0, 1, mark),
    message(
      nft(NFT_MSG_NEWTABLE),
      NLM_F_CREATE,
      2,
      Buffer.concat([about, textAttribute(NFTA_TABLE_NAME, TABLE)]),
    ),
    message(nft(NFT_MSG_NEWCHAIN), NLM_F_CREATE, 3, Buffer.concat([about, ...chain])),
    message(
      nft(NFT_MSG_NEWRULE),
      NLM_F_CREATE | NLM_F_APPEND | NLM_F_ACK,
      lastSequence,
      Buffer.concat([about, ...rule]),
    ),
    message(NFNL_MSG_BATCH_END, 0, 5, mark),
  ]);
  return { name: `tproxy${family}`, protocol: NETLINK_NETFILTER, required: false, lastSequence, bytes };
};
