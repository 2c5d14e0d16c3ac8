import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

setFlagsFromString('--expose-gc');
const collectNow = runInNewContext('gc') as () => void;

/** Bytes of memory outside the JavaScript heap that are in use: that is where message bodies live. */
export function bufferBytes(): number {
  collectNow();
  collectNow();
  const { arrayBuffers, external } = process.memoryUsage();
  return Math.max(arrayBuffers, external);
}
