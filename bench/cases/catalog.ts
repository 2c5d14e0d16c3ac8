import type { Case } from '../bench.ts';
import { accessLogCase } from './access-log.ts';
import { handshakeCases } from './handshake.ts';
import { latencyCase } from './latency.ts';
import { limitContendedCase } from './limit-contended.ts';
import { memoryCases } from './memory.ts';
import { manyRoutesCase, proxyCases } from './proxy.ts';
import { proxyGuardedCase } from './proxy-guarded.ts';

export const cases: readonly Case[] = [
  ...proxyCases,
  proxyGuardedCase,
  ...handshakeCases,
  manyRoutesCase,
  accessLogCase,
  limitContendedCase,
  latencyCase,
  ...memoryCases,
];
