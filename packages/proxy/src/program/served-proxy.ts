import type { SecurityEvent } from '@openshell/audit';
import type { ProxyControl } from '@openshell/control';
import type { ControlView } from '../control/proxy-host.ts';
import type { LinkCertificates } from '../link/index.ts';
import type { ActivatedSockets } from './listen/activation.ts';
import type { ListenWord } from './options/address.ts';

/** The proxy as the program sees it, in however many processes it is. */
export interface ServedProxy extends AsyncDisposable {
  /** Where nodes connect to; known when it listens. */
  readonly linkPort: number | undefined;
  /** The contract, for one kind of controller. */
  control(view: ControlView): ProxyControl;
  /** Puts an event of the program beside those of its tenants. */
  record(event: SecurityEvent): void;
  /** Serves tenants that share listeners, and nodes; answers with the addresses. Throws `listen_failed` or `link_certificate`. */
  listen(words: readonly ListenWord[], activated: ActivatedSockets): Promise<readonly string[]>;
  /** Shows nodes these from now on. Throws `link_certificate`, and goes on with the last ones. */
  renewLink(certificates: LinkCertificates): Promise<void>;
  /** Takes no new connections; resolves when the last one has ended, or was ended after this many milliseconds. */
  drain(timeoutMs: number): Promise<void>;
}
