/**
 * A process that compiles one configuration and ends: reading ten thousand routes takes half a second and half a gigabyte, and what a
 * configuration written in TypeScript loads stays loaded for as long as its process lives.
 */
// They are meant for the gateway, and reach the whole group of a terminal: whether it goes on is the gateway's decision.
for (const signal of ['SIGINT', 'SIGHUP'] as const) process.on(signal, () => undefined);
// The gateway is gone.
process.on('disconnect', () => process.exit());
process.title = 'photon-compiler';
// What takes long to load is loaded now, before a file is named. A name that comes earlier waits in the channel.
const { compile } = await import('./compile.ts');
process.once('message', async (file: string) => process.send?.(await compile(file)));
