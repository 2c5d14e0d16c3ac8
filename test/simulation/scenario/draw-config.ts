import type { Draw } from './draw.ts';
import type { BackendScript, ConfigScript, RouteScript, ServerScript } from './scenario.ts';

const TIMEOUTS_MS = [300, 500, 800, 1200, 2000, 5000];
const ALGORITHMS = [
  ...[
    'round_robin',
    'least_connections',
    'weighted_round_robin',
    'random',
    'power_of_two',
    'ip_hash',
    'consistent_hash',
  ],
];

/** How many upstreams all configurations have together. */
export const UPSTREAMS = 3;

export function drawConfig(draw: Draw, longGaps: boolean): ConfigScript {
  const backends = [drawBackend(draw.of('backend', 0), 'origin', [0, 1])];
  if (draw.oneIn(2)) backends.push(drawBackend(draw.of('backend', 1), 'other', [2]));
  const names = backends.map(({ name }) => name);
  const routes = Array.from({ length: draw.between(1, 3) }, (_, number) =>
    drawRoute(draw.of('route', number), `r${'abc'[number]}`, draw.pick(names)),
  );
  return { server: drawServer(draw.of('server'), longGaps), backends, routes };
}

function drawServer(draw: Draw, longGaps: boolean): ServerScript {
  return {
    connectionTimeoutMs: draw.pick(TIMEOUTS_MS),
    keepaliveTimeoutMs: longGaps ? 75_000 : draw.pick([1000, 3000, 10_000]),
    bodyTimeoutMs: draw.pick(TIMEOUTS_MS),
    sendTimeoutMs: draw.pick(TIMEOUTS_MS),
    maxBodyBytes: draw.oneIn(3) ? draw.pick([500, 5000, 50_000]) : null,
    maxHeaderBytes: 8192,
    middlewareTimeoutMs: draw.pick([1200, 2000, 5000]),
  };
}

function drawBackend(draw: Draw, name: string, choice: readonly number[]): BackendScript {
  const upstreams = draw.oneIn(2) ? choice.slice(0, 1) : choice;
  const limited = draw.oneIn(2);
  // Requests wait here, and often in vain.
  const crowded = draw.oneIn(4);
  if (crowded)
    return { ...drawUncrowded(draw, name, upstreams, true), ...CROWDED, queueTimeoutMs: draw.pick([200, 300, 500]) };
  return drawUncrowded(draw, name, upstreams, limited);
}

/** One connection, and a queue whose time is shorter than what a request takes: see `isCrowded`. */
const CROWDED = { maxConnections: 1, queueSize: 64, readTimeoutMs: 2000, breakerThreshold: null } as const;

export const isCrowded = ({ maxConnections, queueSize, readTimeoutMs }: BackendScript): boolean =>
  maxConnections === 1 && queueSize === 64 && readTimeoutMs === 2000;

function drawUncrowded(draw: Draw, name: string, upstreams: readonly number[], limited: boolean): BackendScript {
  return {
    ...{ name, upstreams, algorithm: draw.pick(ALGORITHMS) },
    maxConnections: limited ? draw.pick([1, 1, 2, 3]) : null,
    connectTimeoutMs: draw.pick([300, 500, 1000]),
    readTimeoutMs: draw.pick([300, 500, 800, 1200, 2000]),
    writeTimeoutMs: draw.pick([300, 500, 1000, 2000]),
    queueSize: draw.pick([0, 1, 2, 64]),
    queueTimeoutMs: draw.pick([200, 500, 1000, 3000]),
    breakerThreshold: draw.oneIn(3) ? draw.pick([1, 2, 3, 5]) : null,
    breakerOpenMs: draw.pick([500, 1000, 3000]),
    breakerSuccesses: draw.pick([1, 1, 2]),
    retryInitialMs: draw.pick([1, 25, 200]),
    sticky: draw.oneIn(8),
  };
}

function drawRoute(draw: Draw, name: string, backend: string): RouteScript {
  const apiKey = draw.oneIn(5);
  return {
    ...{ name, backend, apiKey },
    methods: draw.oneIn(5) ? ['GET', 'POST', 'PUT'] : null,
    timeoutMs: draw.oneIn(3) ? draw.pick([500, 1000, 2000, 5000]) : null,
    retries: draw.pick([0, 1, 1, 2, 3]),
    hooks: draw.pick([0, 0, 1, 1, 2]),
    compress: draw.oneIn(4),
    transform: draw.oneIn(4),
    cors: draw.oneIn(6),
    bodyLimit: draw.oneIn(6) ? draw.pick([100, 1000, 10_000]) : null,
    stripPrefix: draw.oneIn(6),
  };
}
