import type { Exchange } from './exchange.ts';

/**
 * The exchange waits for nothing any more: neither for a hook, nor for a connection, nor for the pause before a retry to pass. Called
 * before its response is decided otherwise, and at its end: what it waited for must not go on with it.
 */
export function stopWaiting(exchange: Exchange): void {
  const { queue } = exchange;
  exchange.pendingHook = null;
  exchange.waitTimer.disarm();
  exchange.queue = null;
  queue?.leave(exchange);
}
