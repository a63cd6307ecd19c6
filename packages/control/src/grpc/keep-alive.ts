import type { Http2Session } from 'node:http2';
import { CONTROL_LIMITS } from '../limits.ts';

/** In ms. */
export interface Rhythm {
  /** Between two pings. */
  readonly every: number;
  /** For the answer to one. */
  readonly patience: number;
}

const RHYTHM: Rhythm = {
  every: CONTROL_LIMITS.pingInterval.value,
  patience: CONTROL_LIMITS.pingTime.value,
};

/** Finds out when a peer has died in silence, and destroys the connection to it. Holds nothing alive. */
export function keepAlive(session: Http2Session, { every, patience }: Rhythm = RHYTHM): void {
  let late: NodeJS.Timeout | undefined;
  const ping = () => {
    if (late || session.destroyed || session.connecting) return;
    late = setTimeout(() => session.destroy(new Error('the peer does not answer')), patience).unref();
    session.ping(() => {
      clearTimeout(late);
      late = undefined;
    });
  };
  const pulse = setInterval(ping, every).unref();
  session.once('close', () => {
    clearInterval(pulse);
    clearTimeout(late);
  });
}
