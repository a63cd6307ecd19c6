import { once } from 'node:events';
import type { SecurityEvent } from '@openshell/audit';
import type { SandboxId } from '@openshell/base';
import type { ControlEvent, EventCursor, EventQuery } from '../contract/events.ts';

/** The last so many events, and readers that each have nothing but a place in them. */
export class FakeEvents {
  readonly #instance: string;
  readonly #kept: number;
  readonly #ring: { readonly tenant: SandboxId; readonly event: SecurityEvent }[] = [];
  readonly #more = new EventTarget();
  #last = 0;

  constructor(instance: string, kept: number) {
    this.#instance = instance;
    this.#kept = kept;
  }

  get last(): number {
    return this.#last;
  }

  add(tenant: SandboxId, event: SecurityEvent): void {
    this.#ring[++this.#last % this.#kept] = { tenant, event };
    this.#more.dispatchEvent(new Event('more'));
  }

  async *read({
    after,
    tenants,
    denialsOnly = false,
    follow,
    signal,
  }: EventQuery): AsyncIterable<ControlEvent> {
    let seen = after === undefined ? this.#last : after.sequence;
    if (after && after.instance !== this.#instance) {
      seen = Math.max(0, this.#last - this.#kept);
      yield { kind: 'gap', cursor: this.#cursor(seen) };
    }
    while (!signal?.aborted) {
      const lost = this.#last - this.#kept - seen;
      if (lost > 0) {
        seen += lost;
        yield { kind: 'gap', cursor: this.#cursor(seen), lost };
      } else if (seen < this.#last) {
        const { tenant, event } = this.#ring[++seen % this.#kept]!;
        const wanted = (tenants?.includes(tenant) ?? true) && (!denialsOnly || isDenial(event));
        if (wanted) yield { kind: 'event', cursor: this.#cursor(seen), tenant, event };
      } else if (!follow) return;
      else await once(this.#more, 'more', signal ? { signal } : {}).catch(() => undefined);
    }
  }

  #cursor(sequence: number): EventCursor {
    return { instance: this.#instance, sequence };
  }
}

const isDenial = (event: SecurityEvent): boolean => 'action_id' in event && event.action_id === 2;
