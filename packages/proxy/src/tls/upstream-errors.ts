import type { UpstreamFailure } from '../exchange/exchange.ts';

type Explained = Omit<UpstreamFailure, 'retry'>;

const ADD_ROOT = 'If its authority is to be trusted, add its certificate with --upstream-ca FILE.';

/** What OpenSSL's verdicts on a certificate mean for a person. */
const UNTRUSTED: Readonly<Record<string, readonly [detail: string, remedy?: string]>> = {
  DEPTH_ZERO_SELF_SIGNED_CERT: ['is signed by itself', ADD_ROOT],
  SELF_SIGNED_CERT_IN_CHAIN: ['comes from an authority that is not trusted', ADD_ROOT],
  UNABLE_TO_GET_ISSUER_CERT: ['comes from an authority that is not known', ADD_ROOT],
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: ['comes from an authority that is not known', ADD_ROOT],
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: [
    'comes without its chain, or from an authority that is not known',
    ADD_ROOT,
  ],
  CERT_HAS_EXPIRED: ['or one of its chain has expired'],
  CERT_NOT_YET_VALID: ['is not valid yet', "Check this machine's clock."],
  CERT_REVOKED: ['has been revoked'],
  CERT_SIGNATURE_FAILURE: ['or one of its chain has a wrong signature'],
  CERT_CHAIN_TOO_LONG: ['has too long a chain'],
  INVALID_CA: ['is signed by a certificate that may not sign'],
  INVALID_PURPOSE: ["is not a server's"],
  PATH_LENGTH_EXCEEDED: ['has a chain longer than its authority allows'],
  ERR_TLS_CERT_ALTNAME_INVALID: ['is for other names'],
};

/** Verdicts of OpenSSL's X509_verify_cert that have no sentence above. */
const VERDICT =
  /^(?:CERT_|CRL_|CA_MD_|CA_KEY_|EE_KEY_|HOSTNAME_MISMATCH|SUBJECT_|EMAIL_|IP_ADDRESS_|UNABLE_TO_|ERROR_IN_CERT_)/;

/** Why a TLS connection to an upstream did not come about, or broke. */
export function explainUpstreamError(error: NodeJS.ErrnoException, host: string): Explained {
  const code = error.code ?? '';
  const known = UNTRUSTED[code];
  if (known !== undefined) {
    const [detail, remedy] = known;
    return { code: 'upstream_untrusted', detail: `the certificate of ${host} ${detail}`, remedy };
  }
  if (VERDICT.test(code)) {
    return { code: 'upstream_untrusted', detail: `the certificate of ${host} is not acceptable (${code})` };
  }
  if (code.startsWith('ERR_SSL_')) return explainProtocolError(code, host);
  return {
    code: 'upstream_unreachable',
    detail: `the TLS handshake with ${host} failed: ${code || 'the connection broke'}`,
  };
}

/** An upstream's word about the client's certificate (RFC 8446 section 6.2) or the lack of one. */
const ABOUT_CLIENT = /CERTIFICATE_REQUIRED|HANDSHAKE_FAILURE|BAD_CERTIFICATE|UNKNOWN_CA|ACCESS_DENIED/;

/**
 * A handshake that the upstream refused when the client had taken it for complete, as TLS 1.3 has it for everything about the
 * client's certificate: the connection ends with this error, and requests that wait for an answer can say why there is none.
 */
export class LateRefusal extends Error {
  readonly explained: Explained;

  constructor(explained: Explained) {
    super(explained.detail);
    this.explained = explained;
  }
}

/** What an error of a connection that was secured says about its handshake; undefined where it is about something else. */
export const lateRefusal = (error: NodeJS.ErrnoException, host: string): LateRefusal | undefined =>
  ABOUT_CLIENT.test(error.code ?? '') ? new LateRefusal(explainUpstreamError(error, host)) : undefined;

function explainProtocolError(code: string, host: string): Explained {
  const name = code.slice('ERR_SSL_'.length);
  if (name === 'WRONG_VERSION_NUMBER' || name === 'PACKET_LENGTH_TOO_LONG' || name === 'HTTP_REQUEST') {
    return { code: 'upstream_protocol', detail: `${host} does not speak TLS on this port` };
  }
  if (ABOUT_CLIENT.test(name)) {
    return {
      code: 'upstream_protocol',
      detail: `${host} refused the TLS handshake (${name})`,
      remedy: 'It may want a client certificate: give it with --client-certificate HOST=CERT,KEY.',
    };
  }
  return { code: 'upstream_protocol', detail: `the TLS handshake with ${host} failed (${name})` };
}
