/** The thread in which commands load the middleware of users. */
import { parentPort, workerData } from 'node:worker_threads';
import { thrownText } from '../base/thrown-text.ts';
import { outliveMiddleware } from '../middleware/custom/running-middleware.ts';
import { checkEntries } from './check-custom.ts';
import type { CustomThreadMessage, CustomToCheck } from './check-custom-apart.ts';

outliveMiddleware((name, error) => post({ type: 'fault', name, error: thrownText(error) }));
// Sound: `checkCustomApart` starts it.
const { entries, limitMs } = workerData as CustomToCheck;
const checked = await checkEntries(entries, limitMs, (entry) => post({ type: 'loading', entry }));
post({ type: 'checked', checked });

function post(message: CustomThreadMessage): void {
  parentPort?.postMessage(message);
}
