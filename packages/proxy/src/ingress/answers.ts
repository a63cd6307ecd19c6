import { type AnswerOptions, renderAnswer } from '../http/answer.ts';
import type { Unrecognised } from './recognise.ts';

const REMEDIES: Readonly<Record<Unrecognised, string>> = {
  source_unknown: 'Connect from a network that a tenant of this proxy has, or have this one registered.',
  credentials_missing:
    'Give the proxy the user name and password of your tenant: http://USER:PASSWORD@HOST:PORT in HTTP_PROXY and HTTPS_PROXY, or socks5h://USER:PASSWORD@HOST:PORT.',
  credentials_wrong: 'Use the user name and password that your tenant was registered with.',
};

const DETAILS: Readonly<Record<Unrecognised, string>> = {
  source_unknown: 'this proxy serves nobody at your address',
  credentials_missing: 'this proxy serves several tenants and has to know which one you are',
  credentials_wrong: 'no tenant of this proxy has these credentials',
};

export const detailOf = (why: Unrecognised): string => DETAILS[why];

/** What a client of HTTP is told whose connection is nobody's (RFC 9110 section 15.5.8 where credentials would help). */
export function unrecognisedAnswer(why: Unrecognised): AnswerOptions {
  const challenge = why !== 'source_unknown';
  return {
    status: challenge ? 407 : 403,
    challenge,
    body: { error: why, layer: 'l4', detail: DETAILS[why], remedy: REMEDIES[why], next_steps: [] },
  };
}

export const renderUnrecognised = (why: Unrecognised): Buffer => renderAnswer(unrecognisedAnswer(why));
