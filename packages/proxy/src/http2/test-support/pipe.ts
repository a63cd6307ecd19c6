import type { BodyLength, BodySource } from '../../exchange/body.ts';
import type { ClientExchange, UpstreamConnection, UpstreamFailure } from '../../exchange/exchange.ts';

export const lengthOf = ({ length }: BodySource): BodyLength =>
  length === undefined ? { kind: 'stream' } : length === 0 ? { kind: 'none' } : { kind: 'length', length };

/** Joins the two sides of an exchange and decides nothing. */
export function pipe(
  exchange: ClientExchange,
  upstream: UpstreamConnection,
  onFailure: (failure: UpstreamFailure) => void = () => {},
): void {
  const { request, body } = exchange;
  let sent = false;
  const toOrigin = upstream.start({ ...request, authority: request.authority ?? '' }, lengthOf(body), {
    continue: () => exchange.continue(),
    interim: (head) => exchange.interim(head),
    response(head, source) {
      const length = lengthOf(source);
      const { declaredLength } = head;
      const toClient = exchange.respond(
        head,
        length.kind === 'none' && declaredLength !== undefined
          ? { kind: 'none', declared: declaredLength }
          : length,
      );
      toClient.onDrain = () => source.resume();
      source.start({
        data: (bytes) => toClient.write(bytes),
        end(trailers) {
          toClient.end(trailers);
          if (sent) return;
          body.cancel();
          toOrigin.abort('answered before the end of the request');
        },
        fail: (reason) => toClient.abort(reason),
      });
    },
    upgraded: () => {},
    failed(failure) {
      onFailure(failure);
      body.cancel();
      exchange.respond({ status: 502, fields: [] }, { kind: 'none' });
    },
  });
  toOrigin.onDrain = () => body.resume();
  exchange.onAbort = (reason) => toOrigin.abort(reason);
  body.start({
    data: (bytes) => toOrigin.write(bytes),
    end(trailers) {
      sent = true;
      toOrigin.end(trailers);
    },
    fail: (reason) => toOrigin.abort(reason),
  });
}
