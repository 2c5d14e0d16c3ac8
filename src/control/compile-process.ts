/**
 * A process that compiles one configuration and ends: reading ten thousand routes takes half a second and half a gigabyte, and what a
 * configuration written in TypeScript loads stays loaded for as long as its process lives.
 */
import { outliveMiddleware } from '../middleware/custom/running-middleware.ts';
import type { CompilerMessage } from './compiler.ts';

// They are meant for the gateway. A terminal, a service manager or `pkill photon` sends them to both, and whether this one goes on is the
// gateway's decision, which ends it by SIGKILL.
for (const signal of ['SIGTERM', 'SIGINT', 'SIGQUIT', 'SIGHUP', 'SIGUSR1', 'SIGUSR2'] as const) {
  process.on(signal, () => undefined);
}
// Whatever users' middleware starts by being loaded, and fails, is logged by the workers, which load it too.
outliveMiddleware(() => undefined);
// The gateway is gone.
process.on('disconnect', () => process.exit());
process.title = 'photon-compiler';
// What takes long to load is loaded now, before a file is named. A name that comes earlier waits in the channel.
const { compile } = await import('./compile.ts');
process.once('message', async (file: string) => {
  const answer = await compile(file, ({ name, module }, limitMs) => {
    send({ type: 'loading', middleware: name, module, limitMs });
  });
  send(answer);
});

function send(message: CompilerMessage): void {
  process.send?.(message);
}
