import type { SessionEnd } from '../contract/proxy-control.ts';
import { ControlRefusal } from '../contract/refusal.ts';

/** What a call meets after the end of its session. */
export function endedRefusal(end: SessionEnd): ControlRefusal {
  switch (end.kind) {
    case 'closed':
      return new ControlRefusal('this session was closed', {
        code: 'session_ended',
        remedy: 'Connect again.',
      });
    case 'taken_over':
      return new ControlRefusal(`"${end.by}" has taken over the control of the proxy`, {
        code: 'session_ended',
        remedy:
          'Let one controller alone steer the proxy; connect again and take over if it is to be this one.',
      });
    case 'proxy_stopping':
      return new ControlRefusal('the proxy is stopping', {
        code: 'session_ended',
        remedy: 'Connect again when it has started.',
      });
    case 'lost':
      return new ControlRefusal(`the connection to the proxy was lost: ${end.reason}`, {
        code: 'unavailable',
        remedy: 'Connect again. The proxy keeps what is installed.',
      });
  }
}
