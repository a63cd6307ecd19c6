import type { Duplex } from 'node:stream';
import type { ProxyControl } from '../contract/proxy-control.ts';
import { ControlRefusal } from '../contract/refusal.ts';
import { admissionOf } from './admission.ts';
import type { Accept, Listener } from './listener.ts';
import type { ControlServer, ListenAddress, ServeOptions } from './options.ts';
import { TlsListener } from './tls-listener.ts';
import { TokenFile } from './token-file.ts';
import { UnixListener } from './unix-listener.ts';

/**
 * Lets controllers in at an address. Throws `request_invalid` (nothing would tell who controls), `listen_failed`.
 * When it is disposed of, sessions are lost: a proxy that stops tells them before.
 */
export async function serveControl({
  control,
  address,
  tokenFile,
  onRefused,
}: ServeOptions): Promise<ControlServer> {
  checkAddress(address, tokenFile);
  const { ControlEndpoint } = await import('../grpc/index.ts');
  const endpoint = new ControlEndpoint(control);
  const token = tokenFile === undefined ? undefined : new TokenFile(tokenFile);
  const accept: Accept = (connection, verdict, who) => {
    if (!verdict.admitted) onRefused?.({ who, why: verdict.why });
    const admission = admissionOf(verdict, token && ((shown) => token.admit(shown)));
    void endpoint.serve(connection, admission);
  };
  const listener = await open(address, accept);
  return {
    address: listener.address,
    renew: (tls) => listener.renew(tls),
    async [Symbol.asyncDispose]() {
      const closed = listener[Symbol.asyncDispose]();
      await endpoint[Symbol.asyncDispose]();
      await closed;
    },
  };
}

/** Steers over one connection that both sides have already; who is there was settled when it was made. Disposing of it ends the connection. */
export async function serveControlOn(control: ProxyControl, connection: Duplex): Promise<AsyncDisposable> {
  const { ControlEndpoint } = await import('../grpc/index.ts');
  const endpoint = new ControlEndpoint(control);
  void endpoint.serve(connection);
  return endpoint;
}

const open = (address: ListenAddress, accept: Accept): Promise<Listener> => {
  switch (address.kind) {
    case 'unix':
      return UnixListener.open(address, accept);
    case 'tcp':
      return TlsListener.open(address, accept);
  }
};

/** Whoever controls a proxy decides about everything that passes it, so who that is must be known. */
function checkAddress(address: ListenAddress, tokenFile: string | undefined): void {
  if (address.kind === 'unix') return;
  const { clientCa, clientNames } = address.tls;
  if (clientCa === undefined && tokenFile === undefined)
    throw unguarded('the control port would let in anybody');
  if (clientCa === undefined && clientNames !== undefined)
    throw unguarded('names of client certificates say nothing without an authority that signs them');
  if (clientNames?.length === 0) throw unguarded('the list of names that may control the proxy is empty');
}

const unguarded = (message: string): ControlRefusal =>
  new ControlRefusal(message, {
    code: 'request_invalid',
    remedy: 'Say which authority signs the certificates of controllers, or which file has their token.',
  });
