#!/usr/bin/env node
/**
 * The program. This file must run on any Node, to be able to say which one it wants: the rest is loaded after that.
 */
import { setFlagsFromString } from 'node:v8';
import { closeUninvitedDebugger, holdSignals } from './cli/signals.ts';

const OLDEST_NODE = 24;

holdSignals();

// V8 would mark the garbage of one thread with several others at once, and those that serve would wait for a processor: up to 13 ms
// at a reload, against 5 without (docs/benchmarks.md). The heaps are small; what grows lies in buffers and shared memory.
setFlagsFromString('--no-concurrent-marking');

const major = Number(process.versions.node.split('.')[0]);
if (major >= OLDEST_NODE) {
  closeUninvitedDebugger();
  const { main } = await import('./cli/main.ts');
  closeUninvitedDebugger();
  process.exitCode = await main(process.argv.slice(2));
} else {
  process.stderr.write(`photon: Cannot run on Node ${process.versions.node}: want Node ${OLDEST_NODE} or later.\n`);
  process.exitCode = 1;
}
