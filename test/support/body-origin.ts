import { once } from 'node:events';
import { Worker } from 'node:worker_threads';

/**
 * An origin in a thread of its own that makes and checks bodies (see `body-origin-thread.ts`):
 *
 *   GET /body?seed=1&bytes=2&framing=length|chunked      a generated body
 *   PUT /body?seed=1[&pauseMs=3]                         checks a generated body, answers with a {@link CheckedBody};
 *                                                        with `pauseMs` it reads slowly
 */
export interface BodyOrigin {
  readonly port: number;
  close(): Promise<void>;
}

export async function startBodyOrigin(): Promise<BodyOrigin> {
  const thread = new Worker(new URL('./body-origin-thread.ts', import.meta.url));
  const [port] = (await once(thread, 'message')) as [number];
  return {
    port,
    async close() {
      await thread.terminate();
    },
  };
}
