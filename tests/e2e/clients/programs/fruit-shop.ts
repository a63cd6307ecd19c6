/** Text as it is: the protocol is tested here, not a schema. */
const text = {
  requestSerialize: (value: string): Buffer => Buffer.from(value),
  requestDeserialize: (bytes: Buffer): string => bytes.toString(),
  responseSerialize: (value: string): Buffer => Buffer.from(value),
  responseDeserialize: (bytes: Buffer): string => bytes.toString(),
};

const method = (name: string, streams: { requestStream: boolean; responseStream: boolean }) => ({
  path: `/fruit.Shop/${name}`,
  ...streams,
  ...text,
});

/** The service that `grpc.ts` calls and the origin offers: one method of each kind that matters, and one to refuse. */
export const fruitShop = {
  price: method('Price', { requestStream: false, responseStream: false }),
  list: method('List', { requestStream: false, responseStream: true }),
  chat: method('Chat', { requestStream: true, responseStream: true }),
  empty: method('Empty', { requestStream: false, responseStream: false }),
};
