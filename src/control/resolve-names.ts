/**
 * A process that says which names the system resolves. A look-up cannot be called off, and the end of a process waits for
 * those under way: whoever does not want to wait for a slow resolver kills this one instead.
 */
import { lookup } from 'node:dns/promises';

/** Sent by the process, one for each name, in any order. */
export interface ResolvedName {
  readonly name: string;
  readonly resolves: boolean;
}

process.once('message', (names: readonly string[]) => {
  void Promise.all(names.map(report)).then(() => process.disconnect?.());
});

async function report(name: string): Promise<void> {
  const resolves = await lookup(name).then(
    () => true,
    () => false,
  );
  process.send?.({ name, resolves } satisfies ResolvedName);
}
