import type { MessageInitShape, MessageShape } from '@bufbuild/protobuf';
import type { ProtocolRange } from '../../contract/protocol.ts';
import type { ControllerHello, ProxyHello, SessionEnd } from '../../contract/proxy-control.ts';
import type {
  ConnectRequestSchema,
  EndSchema,
  HelloSchema,
} from '../generated/openshell/proxy/v1/proxy_pb.ts';
import { installedFrom, installedTo } from './generation.ts';

export const connectTo = (hello: ControllerHello): MessageInitShape<typeof ConnectRequestSchema> => ({
  name: hello.name,
  protocol: hello.protocol,
  role: hello.role,
  takeOver: hello.takeOver ?? false,
});

/** The role is whatever the other side says. */
export const connectFrom = (message: MessageShape<typeof ConnectRequestSchema>): ControllerHello => ({
  name: message.name,
  protocol: rangeFrom(message.protocol),
  role: message.role as ControllerHello['role'],
  takeOver: message.takeOver,
});

export const helloTo = (session: string, hello: ProxyHello): MessageInitShape<typeof HelloSchema> => ({
  session,
  instance: hello.instance,
  version: hello.version,
  protocol: hello.protocol,
  range: hello.range,
  features: [...hello.features],
  installed: hello.installed.map(installedTo),
});

export const helloFrom = (message: MessageShape<typeof HelloSchema>): ProxyHello => ({
  instance: message.instance,
  version: message.version,
  protocol: message.protocol,
  range: rangeFrom(message.range),
  features: message.features,
  installed: message.installed.map(installedFrom),
});

/** `lost` is nothing that could be said: there is nobody to hear it. */
export const endTo = (end: Exclude<SessionEnd, { kind: 'lost' }>): MessageInitShape<typeof EndSchema> => {
  switch (end.kind) {
    case 'closed':
      return { reason: { case: 'closed', value: {} } };
    case 'taken_over':
      return { reason: { case: 'takenOver', value: { by: end.by } } };
    case 'proxy_stopping':
      return { reason: { case: 'proxyStopping', value: {} } };
  }
};

export const endFrom = ({ reason }: MessageShape<typeof EndSchema>): SessionEnd => {
  switch (reason.case) {
    case 'closed':
      return { kind: 'closed' };
    case 'takenOver':
      return { kind: 'taken_over', by: reason.value.by };
    case 'proxyStopping':
      return { kind: 'proxy_stopping' };
    case undefined:
      return { kind: 'lost', reason: 'the proxy has ended the session for a reason that is not known here' };
  }
};

const rangeFrom = (range: ProtocolRange | undefined): ProtocolRange => ({
  min: range?.min ?? 0,
  max: range?.max ?? 0,
});
