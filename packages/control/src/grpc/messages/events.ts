import type { MessageInitShape, MessageShape } from '@bufbuild/protobuf';
import type { SecurityEvent } from '@openshell/audit';
import { sandboxId } from '@openshell/base';
import type { ControlEvent, EventCursor, EventQuery } from '../../contract/events.ts';
import type {
  EventCursorSchema,
  FollowEventsRequestSchema,
  FollowEventsResponseSchema,
} from '../generated/openshell/proxy/v1/proxy_pb.ts';
import { present } from './absent.ts';
import { narrow, narrowOr, wide, wideOr } from './numbers.ts';

export const queryTo = (query: EventQuery): MessageInitShape<typeof FollowEventsRequestSchema> => ({
  after: query.after && cursorTo(query.after),
  tenants: [...(query.tenants ?? [])],
  denialsOnly: query.denialsOnly ?? false,
  follow: query.follow,
});

export const queryFrom = (message: MessageShape<typeof FollowEventsRequestSchema>): EventQuery => ({
  after: message.after && cursorFrom(message.after),
  ...(message.tenants.length > 0 && { tenants: message.tenants.map(sandboxId) }),
  denialsOnly: message.denialsOnly,
  follow: message.follow,
});

/** The event travels as the JSON that files of events have, so that a new kind of event needs no new protocol. */
export const eventTo = (event: ControlEvent): MessageInitShape<typeof FollowEventsResponseSchema> => {
  const cursor = cursorTo(event.cursor);
  switch (event.kind) {
    case 'event': {
      const ocsfJson = Buffer.from(JSON.stringify(event.event));
      return { cursor, message: { case: 'event', value: { tenant: event.tenant, ocsfJson } } };
    }
    case 'gap':
      return { cursor, message: { case: 'gap', value: { lost: wideOr(event.lost) } } };
  }
};

/** Undefined: of a kind that is not known here. */
export const eventFrom = (
  response: MessageShape<typeof FollowEventsResponseSchema>,
): ControlEvent | undefined => {
  const cursor = cursorFrom(present(response.cursor, 'place in the events'));
  const { message } = response;
  switch (message.case) {
    case 'event': {
      const event: SecurityEvent = JSON.parse(Buffer.from(message.value.ocsfJson).toString());
      return { kind: 'event', cursor, tenant: sandboxId(message.value.tenant), event };
    }
    case 'gap':
      return { kind: 'gap', cursor, lost: narrowOr(message.value.lost) };
    case undefined:
      return undefined;
  }
};

const cursorTo = ({ instance, sequence }: EventCursor): MessageInitShape<typeof EventCursorSchema> => ({
  instance,
  sequence: wide(sequence),
});

const cursorFrom = ({ instance, sequence }: MessageShape<typeof EventCursorSchema>): EventCursor => ({
  instance,
  sequence: narrow(sequence),
});
