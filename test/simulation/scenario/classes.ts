import type { Draw } from './draw.ts';

/**
 * Whole classes of behaviour, switched on or off for a run: so many runs are clean in most respects, and the strict rules of the oracle
 * apply to them.
 */
export interface Classes {
  readonly faultyRequests: boolean;
  readonly leavingClients: boolean;
  readonly slowClients: boolean;
  readonly steadyClients: boolean;
  readonly stallingUploads: boolean;
  readonly brokenReplies: boolean;
  readonly malformedReplies: boolean;
  readonly surplus: boolean;
  readonly slowUpstreams: boolean;
  readonly silentUpstreams: boolean;
  readonly spentDeadlines: boolean;
  readonly reluctantUpstreams: boolean;
  readonly steadyUpstreams: boolean;
  readonly serverErrors: boolean;
  readonly outages: boolean;
  readonly early: boolean;
  readonly uploads: boolean;
  readonly large: boolean;
  readonly ahead: boolean;
  readonly hooks: boolean;
  readonly wildHooks: boolean;
  readonly lateHooks: boolean;
  readonly reload: boolean;
  readonly drain: boolean;
  readonly death: boolean;
  readonly health: boolean;
  readonly stalls: boolean;
  readonly longGaps: boolean;
  readonly smallSegments: boolean;
  readonly smallPipes: boolean;
  readonly loginConnections: boolean;
  readonly longStays: boolean;
  readonly slowDials: boolean;
  readonly echoes: boolean;
}

export function drawClasses(draw: Draw): Classes {
  const quiet = draw.oneIn(5);
  const on = (oneIn: number): boolean => draw.oneIn(oneIn) && !quiet;
  const loginConnections = on(6);
  return {
    faultyRequests: on(3),
    leavingClients: on(3),
    slowClients: draw.oneIn(3),
    steadyClients: draw.oneIn(6),
    stallingUploads: on(4),
    brokenReplies: on(3),
    malformedReplies: on(4),
    // What is sent unasked concerns connections that belong to a client too.
    surplus: on(loginConnections ? 2 : 3),
    slowUpstreams: draw.oneIn(2),
    silentUpstreams: on(4),
    spentDeadlines: on(5),
    reluctantUpstreams: on(6),
    steadyUpstreams: draw.oneIn(6),
    serverErrors: on(4),
    outages: on(5),
    early: draw.oneIn(3),
    uploads: draw.oneIn(2),
    large: draw.oneIn(5),
    ahead: draw.oneIn(3),
    hooks: draw.oneIn(2),
    wildHooks: on(3),
    lateHooks: on(5),
    reload: draw.oneIn(5),
    drain: on(7),
    death: on(7),
    health: on(8),
    stalls: draw.oneIn(8),
    longGaps: draw.oneIn(25),
    smallSegments: draw.oneIn(3),
    smallPipes: draw.oneIn(2),
    loginConnections,
    longStays: draw.oneIn(3),
    slowDials: on(8),
    echoes: draw.oneIn(8),
  };
}
