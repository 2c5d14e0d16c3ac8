import type { Case } from '../bench.ts';
import { accessLogCase } from './access-log.ts';
import { fullChainCase } from './full-chain.ts';
import { handshakeCases } from './handshake.ts';
import { latencyCase } from './latency.ts';
import { limitContendedCase } from './limit-contended.ts';
import { limitPassedCase } from './limit-passed.ts';
import { memoryCases } from './memory.ts';
import { manyRoutesCase, proxyCases } from './proxy.ts';
import { proxyGuardedCase } from './proxy-guarded.ts';
import { refusedCase } from './refused.ts';

export const cases: readonly Case[] = [
  ...proxyCases,
  proxyGuardedCase,
  fullChainCase,
  refusedCase,
  ...handshakeCases,
  manyRoutesCase,
  accessLogCase,
  limitContendedCase,
  limitPassedCase,
  latencyCase,
  ...memoryCases,
];
