#!/usr/bin/env node
/**
 * The program. This file must run on any Node, to be able to say which one it wants: the rest is loaded after that.
 */
const OLDEST_NODE = 24;

const major = Number(process.versions.node.split('.')[0]);
if (major >= OLDEST_NODE) {
  const { main } = await import('./cli/main.ts');
  process.exitCode = await main(process.argv.slice(2));
} else {
  process.stderr.write(`photon: Cannot run on Node ${process.versions.node}: want Node ${OLDEST_NODE} or later.\n`);
  process.exitCode = 1;
}
