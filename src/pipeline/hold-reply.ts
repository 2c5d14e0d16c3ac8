import type { PhotonError } from '../base/errors.ts';
import type { Fields } from '../http/fields.ts';
import type { Exchange } from './exchange.ts';
import { type Delay, middlewareError } from './pass-back.ts';

/**
 * What came of an upstream's reply while its head waits for a middleware. The upstream has been asked to send no more, so that it is
 * what had been read already: at most one read of its connection.
 */
export class HeldReply {
  /** Copies: bytes that are read are valid during the call only. */
  readonly body: Buffer[] = [];
  trailers: Fields | null = null;
  /** All of it is here. */
  complete = false;
}

/** Goes on with a reply where it stopped. `failure`: of the middleware that it waited for. Throws PhotonError. */
export type Onward = (exchange: Exchange, failure: PhotonError | null) => void;

/**
 * The head of a reply waits for one of its middleware:
 *
 *   passBack --(promise)--> held --(it settles)--> onward: through the others, and out
 *                             \--(deadline; client gone; upstream failed)--> failExchange, which holds another reply, or none
 *
 * By the time that the promise settles the exchange may be over, or even be another one: what it holds tells.
 */
export function holdReply(exchange: Exchange, { middleware, promise }: Delay, onward: Onward): void {
  const held = exchange.held ?? new HeldReply();
  exchange.held = held;
  pauseSource(exchange);
  promise.then(
    () => {
      if (exchange.held === held) goOn(exchange, onward, null);
    },
    (error: unknown) => {
      if (exchange.held === held) goOn(exchange, onward, middlewareError(exchange, middleware, error));
    },
  );
}

/** Without an upstream nobody takes what still comes of the request. */
export function pauseSource({ stream, downstream }: Exchange): void {
  if (stream === null) downstream?.pauseRequest();
  else stream.pauseResponse();
}

function goOn(exchange: Exchange, onward: Onward, failure: PhotonError | null): void {
  try {
    onward(exchange, failure);
  } catch (error) {
    exchange.fail(error);
  }
  exchange.services.settle();
}
