import type { Readable } from 'node:stream';
import { setTimeout as pause } from 'node:timers/promises';

/** How much a slow reader takes before it rests. */
const PORTION_BYTES = 512 * 1024;

/** Reads a stream to its end; with `pauseMs` above 0 it rests that long after every half megabyte. */
export async function readSlowly(stream: Readable, pauseMs: number, take: (bytes: Buffer) => void): Promise<void> {
  let portion = 0;
  for await (const bytes of stream as AsyncIterable<Buffer>) {
    take(bytes);
    portion += bytes.length;
    if (pauseMs === 0 || portion < PORTION_BYTES) continue;
    portion = 0;
    await pause(pauseMs);
  }
}
