import { childrenOf, DerReader, oidOf, stringOf } from './der.ts';

/** One attribute of a distinguished name. */
export interface NameAttribute {
  readonly oid: string;
  readonly value: string;
}

/** The attributes of a name in their order (RFC 5280, section 4.1.2.4). */
export const readName = (content: Buffer): NameAttribute[] =>
  childrenOf(content).flatMap((set) =>
    childrenOf(set.content).map((attribute) => {
      const reader = new DerReader(attribute.content);
      const oid = oidOf(reader.next().content);
      return { oid, value: stringOf(reader.next()) };
    }),
  );

/** The alternative names of a subject (RFC 5280, section 4.2.1.6). */
export interface AlternativeNames {
  readonly dns: string[];
  readonly emails: string[];
  readonly addresses: Buffer[];
  readonly uris: string[];
}

export const readAlternativeNames = (value: Buffer): AlternativeNames => {
  const names: AlternativeNames = { dns: [], emails: [], addresses: [], uris: [] };
  for (const { tag, content } of childrenOf(new DerReader(value).next().content)) {
    switch (tag) {
      case 0x81:
        names.emails.push(content.toString('latin1'));
        break;
      case 0x82:
        names.dns.push(content.toString('latin1'));
        break;
      case 0x86:
        names.uris.push(content.toString('latin1'));
        break;
      case 0x87:
        names.addresses.push(content);
        break;
      default:
        break;
    }
  }
  return names;
};
