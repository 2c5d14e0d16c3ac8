/** Asks somebody else, without holding up other requests: whether the shop is open. The answer is kept for a while. */
import { defineMiddleware } from 'photon-gateway';

interface Options {
  /** Answers 200 while the shop is open. */
  readonly url: string;
  readonly keep_ms?: number;
}

export default defineMiddleware<Options>({
  name: 'business-hours',
  create({ url, keep_ms: keepMs = 10_000 }) {
    let isOpen = false;
    let askedMs = Number.NEGATIVE_INFINITY;

    async function ask(): Promise<boolean> {
      const { ok } = await fetch(url, { signal: AbortSignal.timeout(1000) });
      askedMs = performance.now();
      isOpen = ok;
      return ok;
    }

    return {
      async onRequest() {
        const open = performance.now() - askedMs < keepMs ? isOpen : await ask();
        return open ? undefined : { status: 503, headers: { 'Retry-After': '600' }, body: 'We are closed.\n' };
      },
    };
  },
});
