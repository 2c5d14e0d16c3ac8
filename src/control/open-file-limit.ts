import { readFileSync } from 'node:fs';
import type { RoutelessConfig } from '../pipeline/compiled-config.ts';
import type { EventLog } from './event-log.ts';

/** For 200 connections that are being refused (`MAX_REFUSALS` of the data plane), files that are read, and what Node holds open. */
const RESERVED = 250;
/** A thread has an event loop of its own, its wake-ups, and a listener or several: seven descriptors with one. */
const PER_WORKER = 16;
/** The client's and, while a request is under way, the upstream's. */
const PER_CONNECTION = 2;

const MIN_CHECKS = 16;
const MAX_CHECKS = 1000;
/** One descriptor in so many may be a health check's. */
const CHECKS_SHARE = 16;

/** How many descriptors the process may have open; null where that is unlimited or cannot be known. Node raised it to the most that it may. */
export function readOpenFileLimit(path = '/proc/self/limits'): number | null {
  let text: string;
  try {
    text = readFileSync(path, 'latin1');
  } catch {
    return null;
  }
  const found = /^Max open files +(\d+)/m.exec(text)?.[1];
  return found === undefined ? null : Number(found);
}

/** How many sockets of clients and upstreams there may be below an open-file limit, over all workers; null for no limit. */
export function socketsWithin(openFileLimit: number | null, workers: number): number | null {
  return openFileLimit === null ? null : openFileLimit - RESERVED - workers * PER_WORKER;
}

/** How many client connections fit below an open-file limit, over all workers; below 1 when nothing can be served. */
export function connectionsWithin(openFileLimit: number, workers: number): number {
  return Math.floor((openFileLimit - RESERVED - workers * PER_WORKER) / PER_CONNECTION);
}

/** How many health checks there may be at a time: those that hang must not hold up the others, nor take what clients need. */
export function checksWithin(openFileLimit: number | null): number {
  return Math.min(
    MAX_CHECKS,
    Math.max(MIN_CHECKS, Math.floor((openFileLimit ?? MAX_CHECKS * CHECKS_SHARE) / CHECKS_SHARE)),
  );
}

/**
 * The configuration with no more `max_connections` than there are descriptors for: the gateway is full, and says so to clients,
 * before accepting fails. Throws an Error of one line when not even one connection fits.
 */
export function withinOpenFileLimit(
  config: RoutelessConfig,
  log: EventLog,
  openFileLimit: number | null = readOpenFileLimit(),
): RoutelessConfig {
  if (openFileLimit === null) return config;
  const { maxConnections, workers } = config.server;
  const fitting = connectionsWithin(openFileLimit, workers);
  if (fitting >= maxConnections) return config;
  const wanted = RESERVED + workers * PER_WORKER + maxConnections * PER_CONNECTION;
  if (fitting < 1) {
    throw new Error(
      `Cannot serve ${maxConnections} connections with ${workers} workers: want an open-file limit of ${wanted}, got ${openFileLimit}`,
    );
  }
  log.warn('max-connections-lowered', {
    maxConnections,
    loweredTo: fitting,
    openFileLimit,
    wantedOpenFileLimit: wanted,
  });
  return { ...config, server: { ...config.server, maxConnections: fitting } };
}
