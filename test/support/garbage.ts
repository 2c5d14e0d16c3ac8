import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

setFlagsFromString('--expose-gc');
const collectNow = runInNewContext('gc') as () => void;

/** What a thread has in use, in bytes: its objects, and what they hold outside the JavaScript heap. */
export interface LiveMemory {
  readonly heapBytes: number;
  readonly externalBytes: number;
}

export function liveMemory(): LiveMemory {
  collectNow();
  collectNow();
  const { heapUsed, external } = process.memoryUsage();
  return { heapBytes: heapUsed, externalBytes: external };
}

/** Bytes of memory outside the JavaScript heap that are in use: that is where message bodies live. */
export function bufferBytes(): number {
  collectNow();
  collectNow();
  const { arrayBuffers, external } = process.memoryUsage();
  return Math.max(arrayBuffers, external);
}
