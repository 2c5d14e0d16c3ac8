import type { Exchange } from './exchange.ts';

/**
 * Ends every wait of the exchange: for a hook, for a connection, for the pause before a retry. Called before its response is decided
 * otherwise, and at its end, so that the end of the wait does not continue it.
 */
export function stopWaiting(exchange: Exchange): void {
  const { queue } = exchange;
  exchange.pendingHook = null;
  exchange.waitTimer.disarm();
  exchange.queue = null;
  queue?.leave(exchange);
}
