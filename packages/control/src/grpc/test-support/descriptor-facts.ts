import { readFileSync } from 'node:fs';
import { fromBinary } from '@bufbuild/protobuf';
import {
  type DescriptorProto,
  type FieldDescriptorProto,
  type FileDescriptorProto,
  FileDescriptorSetSchema,
  FieldDescriptorProto_Label as Label,
  FieldDescriptorProto_Type as Type,
} from '@bufbuild/protobuf/wkt';
import { type AnyDefinition, loadSync } from '@grpc/proto-loader';
import { file_openshell_proxy_v1_proxy as generated } from '../generated/openshell/proxy/v1/proxy_pb.ts';

const PACKAGE = 'openshell.proxy.v1.';

/** Versions whose descriptors are kept. */
export const PINNED = [1] as const;

export const PROTO = new URL('../../../../../proto/openshell/proxy/v1/proxy.proto', import.meta.url);

export const pinnedBytes = (version: (typeof PINNED)[number]): Buffer =>
  readFileSync(new URL(`../../../test/pinned/protocol-${version}.binpb`, import.meta.url));

/** What goes over the wire by the generated TypeScript, a line each. */
export const generatedFacts = (): string[] => factsOf(generated.proto);

export function pinnedFacts(version: (typeof PINNED)[number]): string[] {
  const { file } = fromBinary(FileDescriptorSetSchema, pinnedBytes(version));
  return file.filter(({ package: name }) => `${name}.` === PACKAGE).flatMap(factsOf);
}

/** By the text of the .proto, which another parser has read. It does not tell which fields are of a `oneof`. */
export function writtenFacts(): string[] {
  const definitions: [string, AnyDefinition][] = Object.entries(loadSync(PROTO.pathname, { keepCase: true }));
  return definitions.flatMap(([name, definition]) =>
    'format' in definition
      ? messageFacts(definition.type as unknown as PlainMessage)
      : Object.entries(definition).map(([call, { requestType, responseType, responseStream }]) =>
          callFact(name, call, nameIn(requestType.type), nameIn(responseType.type), responseStream),
        ),
  );
}

export const withoutOneofs = (facts: readonly string[]): string[] =>
  facts.map((fact) => fact.replace(/ in oneof \w+$/, ''));

interface PlainMessage {
  readonly name: string;
  readonly field: readonly {
    readonly name: string;
    readonly number: number;
    readonly label: string;
    readonly type: string;
    readonly typeName: string;
  }[];
}

const messageFacts = ({ name, field }: PlainMessage): string[] =>
  field.map(({ name: key, number, label, type, typeName }) =>
    fieldFact(name, key, number, label.replace('LABEL_', ''), type.replace('TYPE_', ''), typeName),
  );

const factsOf = (file: FileDescriptorProto): string[] => [
  ...file.messageType.flatMap((message) => message.field.map((field) => fieldOf(message, field))),
  ...file.service.flatMap(({ name, method }) =>
    method.map((call) =>
      callFact(
        PACKAGE + name,
        call.name,
        call.inputType.split('.').at(-1) ?? '',
        call.outputType.split('.').at(-1) ?? '',
        call.serverStreaming,
      ),
    ),
  ),
];

const fieldOf = (message: DescriptorProto, field: FieldDescriptorProto): string => {
  const { name, number, label, type, typeName, proto3Optional } = field;
  const inOneof = isSet(field, 'oneofIndex') && !proto3Optional;
  const oneof = inOneof ? ` in oneof ${message.oneofDecl[field.oneofIndex]?.name}` : '';
  return `${fieldFact(message.name, name, number, Label[label], Type[type], typeName)}${oneof}`;
};

/** Of proto2 fields, whose default values are in the prototype of the message. */
const isSet = (message: object, key: string): boolean => Object.hasOwn(message, key);

const fieldFact = (
  message: string,
  name: string,
  number: number,
  label: string | undefined,
  type: string | undefined,
  target: string,
): string =>
  // Entries of a map are called differently by each parser.
  [
    message,
    name,
    number,
    label,
    type,
    target
      .split('.')
      .at(-1)
      ?.replace(/Entry$/, ''),
  ]
    .join(' ')
    .trim();

const callFact = (
  service: string,
  call: string,
  request: string,
  response: string,
  streams: boolean,
): string => `${service}/${call} ${request} ${streams ? 'stream ' : ''}${response}`;

const nameIn = (type: object): string => ('name' in type ? String(type.name) : '');
