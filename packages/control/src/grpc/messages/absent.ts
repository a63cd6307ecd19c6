import { ControlRefusal } from '../../contract/refusal.ts';

/** A message that lacks what it is about: the other side speaks another language. */
export function absent(what: string): ControlRefusal {
  return new ControlRefusal(`the message has no ${what}, or one that is not known here`, {
    code: 'request_invalid',
  });
}

/** The value, where there has to be one. Throws `request_invalid`. */
export function present<T>(value: T | undefined, what: string): T {
  if (value === undefined) throw absent(what);
  return value;
}
