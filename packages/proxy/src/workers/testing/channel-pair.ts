import type { Channel } from '../channel.ts';

interface End extends Channel {
  deliver(message: object): void;
}

/** Two ends within one process; what is sent is cloned, as it is between two. */
export function channelPair(): readonly [Channel, Channel] {
  const over = Promise.withResolvers<void>();
  let isOpen = true;
  void over.promise.then(() => {
    isOpen = false;
  });
  const end = (other: () => End): End => {
    let listener: (message: unknown) => void = () => undefined;
    return {
      send: (message) => {
        const copy = structuredClone(message);
        if (isOpen) setImmediate(() => other().deliver(copy));
      },
      receive: (listen) => {
        listener = listen;
      },
      deliver: (message) => isOpen && listener(message),
      closed: over.promise,
      close: () => over.resolve(),
    };
  };
  const one: End = end(() => two);
  const two: End = end(() => one);
  return [one, two];
}
