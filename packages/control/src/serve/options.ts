import type { ProxyControl } from '../contract/proxy-control.ts';

/** What the listener shows and believes, in PEM. At least one of `clientCa` and a token is needed. */
export interface ServerTls {
  readonly certificate: string;
  readonly key: string;
  /** Controllers need a certificate from one of these. */
  readonly clientCa?: string | undefined;
  /** Controllers need a certificate for one of these: URI or DNS subject alternative names. Absent: any from `clientCa`. */
  readonly clientNames?: readonly string[] | undefined;
}

export type ListenAddress =
  | {
      readonly kind: 'unix';
      readonly path: string;
      /**
       * `checked`: the kernel is asked whose each connection is; the proxy's own user, root and `uids` may control. `file-permissions`: who can
       * open the socket may control, which the directory and mode (0600) restrict to the proxy's own user and root; for where asking is impossible.
       */
      readonly peers:
        | { readonly kind: 'checked'; readonly uids: readonly number[] }
        | { readonly kind: 'file-permissions' };
    }
  | { readonly kind: 'tcp'; readonly host: string; readonly port: number; readonly tls: ServerTls };

export interface ServeOptions {
  readonly control: ProxyControl;
  readonly address: ListenAddress;
  /** Each call needs the token in this file (`Authorization: Bearer`), beside what the address asks for. Read anew for each call. */
  readonly tokenFile?: string | undefined;
  /** Hears of connections that were turned away, for the record. */
  readonly onRefused?: ((refused: { readonly who: string; readonly why: string }) => void) | undefined;
}

export interface ControlServer extends AsyncDisposable {
  /** `unix:/PATH` or `HOST:PORT`, with the port that was given. */
  readonly address: string;
  /** Shows and believes this from the next connection on. Throws `request_invalid` for a Unix socket. */
  renew(tls: ServerTls): void;
}
