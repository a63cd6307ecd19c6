import { loadTrust } from '../tls/trust.ts';
import type { UpstreamOptions } from '../upstream/opener.ts';
import { UpstreamProxy } from '../upstream/upstream-proxy.ts';
import { readOperatorFile } from './read-file.ts';

/** A certificate that the proxy shows to hosts that match. */
export interface ClientCertificateFiles {
  /** An exact name or a wildcard, as in policies. */
  readonly host: string;
  /** PEM file: the certificate, followed by intermediates. */
  readonly certificate: string;
  /** PEM file: its unencrypted key. */
  readonly key: string;
}

/** The proxy that the operator's network lets connections out through. */
export interface UpstreamProxyWord {
  /** `http://host:port`, without user and password. */
  readonly url: string;
  /** File with `user:password`. */
  readonly authFile?: string;
  /** As in `NO_PROXY`. */
  readonly noProxy?: string;
}

/** What the operator says about the way to upstreams: plain data, files by name. */
export interface UpstreamWord {
  /** PEM files of authorities besides the machine's own. */
  readonly authorities: readonly string[];
  readonly clientCertificates: readonly ClientCertificateFiles[];
  readonly proxy?: UpstreamProxyWord | undefined;
}

/** Reads the files. Throws `operator_file_unreadable`, `certificate_invalid`, `bad_host`, `bad_upstream_proxy` or `bad_no_proxy`. */
export function readUpstream({ authorities, clientCertificates, proxy }: UpstreamWord): UpstreamOptions {
  const trust = loadTrust({
    operatorPem: authorities.map((path) => readOperatorFile(path, 'the authorities')),
    clientCertificates: clientCertificates.map(({ host, certificate, key }) => ({
      hostPattern: host,
      certPem: readOperatorFile(certificate, 'the client certificate'),
      keyPem: readOperatorFile(key, 'the key of the client certificate'),
    })),
  });
  return { trust, proxy: proxy && openProxy(proxy) };
}

function openProxy({ url, authFile, noProxy }: UpstreamProxyWord): UpstreamProxy {
  return new UpstreamProxy({
    url,
    ...(authFile !== undefined && {
      auth: readOperatorFile(authFile, 'the credentials of the upstream proxy'),
    }),
    ...(noProxy !== undefined && { noProxy }),
  });
}
