import type { PhotonError } from '../base/errors.ts';
import type { Exchange } from './exchange.ts';

/**
 * The one end of every exchange: completed, refused, failed or abandoned. Both sides have let go of it, and it goes back for the
 * next request. Called exactly once for each.
 */
export function finish(exchange: Exchange, error: PhotonError | null = null): void {
  if (exchange.downstream === null) throw new Error('an exchange was finished twice');
  exchange.deadline.disarm();
  exchange.services.exchangeFinished(exchange, error);
}
