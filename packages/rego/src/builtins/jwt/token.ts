import { isObject, type RegoObject, type Value } from '../../value/index.ts';
import { decodeBase64Url } from '../encoding/base64.ts';
import { textOfBytes } from '../encoding/bytes.ts';
import { unmarshalJson } from '../encoding/json.ts';

/** The three sections of a compact token (RFC 7515, section 7.1), still encoded. */
export interface Token {
  readonly header: string;
  readonly payload: string;
  readonly signature: string;
}

/** Throws for anything but three sections. */
export const splitToken = (text: string): Token => {
  const sections = text.split('.');
  if (sections.length === 1 && text === '') throw new Error('encoded JWT had no period separators');
  const [header, payload, signature] = sections;
  if (sections.length !== 3 || header === undefined || payload === undefined || signature === undefined) {
    throw new Error(
      sections.length === 1
        ? 'encoded JWT had no period separators'
        : `encoded JWT must have 3 sections, found ${sections.length}`,
    );
  }
  return { header, payload, signature };
};

/** What is signed. */
export const signingInput = ({ header, payload }: Token): string => `${header}.${payload}`;

/** Throws for what is not JSON, and for encrypted tokens. */
export const headerOf = (token: Token): RegoObject => {
  const header = jsonObject(textOfBytes(section(token.header, 'header')));
  if (header.has('enc')) throw new Error('JWT is a JWE object, which is not supported');
  return header;
};

export const payloadText = (token: Token): string => textOfBytes(section(token.payload, 'payload'));

export const signatureOf = (token: Token): Buffer => section(token.signature, 'signature');

const section = (text: string, name: string): Buffer => {
  try {
    return decodeBase64Url(text);
  } catch (thrown) {
    throw new Error(`JWT ${name} had invalid encoding: ${(thrown as Error).message}`);
  }
};

/** Throws for JSON that is not an object. */
export const jsonObject = (text: string): RegoObject => {
  let value: Value;
  try {
    value = unmarshalJson(text);
  } catch (thrown) {
    throw new Error(`invalid JSON: ${(thrown as Error).message}`);
  }
  if (!isObject(value)) throw new Error('decoded JSON type was not an Object');
  return value;
};

/** A token within a token is its payload, perhaps in quotes (RFC 7519, section 5.2). */
export const isNested = (header: RegoObject): boolean => header.getString('cty') === 'JWT';

export const nestedToken = (token: Token): string => payloadText(token).replace(/^["']+|["']+$/g, '');
