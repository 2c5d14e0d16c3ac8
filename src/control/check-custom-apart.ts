import { Worker } from 'node:worker_threads';
import { formatDuration } from '../base/duration.ts';
import type { Config, CustomMiddleware } from '../config/config.ts';
import { isMessage } from '../messages/is-message.ts';
import { customOf } from '../pipeline/compiled-config.ts';
import { type CheckedCustom, faultOf, NOTHING_WRONG } from './check-custom.ts';

/** What the thread is given, and what it answers. */
export interface CustomToCheck {
  readonly entries: readonly CustomMiddleware[];
  readonly limitMs: number;
}

export type CustomThreadMessage =
  | { readonly type: 'loading'; readonly entry: CustomMiddleware }
  | { readonly type: 'fault'; readonly name: string; readonly error: unknown }
  | { readonly type: 'checked'; readonly checked: CheckedCustom };

/** Called with a fault of a middleware's code while it is loaded, outside of the module's own run. */
export type ReportFault = (name: string, error: unknown) => void;

/** A thread that computes does not see that the time of a module is over: then it has so much longer. */
const GRACE_MS = 5000;

const PROGRAM = new URL(`./check-custom-thread${import.meta.url.endsWith('.ts') ? '.ts' : '.js'}`, import.meta.url);

/**
 * The same as `checkCustom`, in a thread of its own: whatever a module does, loops for ever or ends its process, is a fault that names it, and
 * the process goes on.
 */
export async function checkCustomApart(
  config: Config,
  reportFault: ReportFault = () => undefined,
): Promise<CheckedCustom> {
  const toCheck: CustomToCheck = { entries: customOf(config), limitMs: config.server.reloadTimeoutMs };
  if (toCheck.entries.length === 0) return NOTHING_WRONG;
  const thread = new Worker(PROGRAM, { workerData: toCheck });
  try {
    return await answerOf(thread, toCheck, reportFault);
  } finally {
    await thread.terminate();
  }
}

function answerOf(
  thread: Worker,
  { entries, limitMs }: CustomToCheck,
  reportFault: ReportFault,
): Promise<CheckedCustom> {
  const { promise, resolve, reject } = Promise.withResolvers<CheckedCustom>();
  let current = entries[0] as CustomMiddleware;
  const blame = (reason: string) => resolve({ ...NOTHING_WRONG, faults: [faultOf(current, new Error(reason))] });
  const tooLate = () => blame(`its module has not loaded within ${formatDuration(limitMs)}: it computes without end`);
  let timer = setTimeout(tooLate, limitMs + GRACE_MS);
  thread.on('message', (message: CustomThreadMessage) => {
    if (!isMessage(message)) return;
    switch (message.type) {
      case 'checked':
        resolve(message.checked);
        break;
      case 'fault':
        reportFault(message.name, message.error);
        break;
      case 'loading':
        current = message.entry;
        clearTimeout(timer);
        timer = setTimeout(tooLate, limitMs + GRACE_MS);
        break;
    }
  });
  thread.once('error', reject);
  thread.once('exit', (code) => blame(`its module ends the thread that loads it, with code ${code}`));
  return promise.finally(() => clearTimeout(timer));
}
