import { randomBytes } from 'node:crypto';
import { atomicWakeUps, type WakeUps } from '../memory/wake-ups.ts';
import { CONTENT_CODINGS, type ContentCodings } from '../middleware/compress/content-coding.ts';
import { chooseTransport } from '../net/choose-transport.ts';
import type { AfterEvents } from '../net/gathered-events.ts';
import type { Transport } from '../net/transport.ts';

/** What a data plane takes from the machine it runs on, beside its clock. A simulation gives it its own, all from one seed. */
export interface Platform {
  readonly transport: Transport;
  /** Milliseconds since 1970. */
  readonly unixMs: () => number;
  /** From 0 to below 1. */
  readonly random: () => number;
  /** Bytes that nobody can guess. */
  readonly randomBytes: (length: number) => Buffer;
  readonly afterEvents: AfterEvents;
  readonly wakeUps: WakeUps;
  readonly contentCodings: ContentCodings;
}

/** The machine itself. Throws where `PHOTON_TRANSPORT` names no transport that works here. */
export function systemPlatform(): Platform {
  return {
    transport: chooseTransport(process.env['PHOTON_TRANSPORT']),
    unixMs: Date.now,
    random: Math.random,
    randomBytes,
    afterEvents: setImmediate,
    wakeUps: atomicWakeUps,
    contentCodings: CONTENT_CODINGS,
  };
}
