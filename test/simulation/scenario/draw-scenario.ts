import { type Classes, drawClasses } from './classes.ts';
import { Draw } from './draw.ts';
import { drawClient } from './draw-client.ts';
import { drawConfig, UPSTREAMS } from './draw-config.ts';
import { drawWay } from './draw-way.ts';
import type { ControlScript, Scenario, UpstreamScript, WayScript } from './scenario.ts';

/** So many neighbours share a configuration: to read one takes longer than to play a run. */
const RUNS_OF_A_CONFIG = 16;

export function drawScenario(seed: number, transport: Scenario['transport']): Scenario {
  const draw = new Draw(seed).of('scenario');
  const classes = drawClasses(draw.of('classes'));
  const ofConfig = new Draw(Math.floor(seed / RUNS_OF_A_CONFIG)).of('config');
  const configs = [drawConfig(ofConfig.of('first'), classes.longGaps)];
  if (classes.reload) configs.push(changed(configs[0] as Scenario['configs'][number], ofConfig.of('second'), classes));
  const workers = draw.oneIn(3) ? 1 : 2;
  return {
    schedule: draw.seed(),
    ...{ transport, workers, configs },
    gathers: draw.oneIn(2),
    upstreams: Array.from({ length: UPSTREAMS }, (_, number) =>
      drawUpstream(draw.of('upstream', number), number, classes),
    ),
    clients: Array.from({ length: draw.between(2, 12) }, (_, number) =>
      drawClient(draw.of('client', number), number, workers, configs[0] as Scenario['configs'][number], classes),
    ),
    control: drawControl(draw.of('control'), classes, workers),
  };
}

/** Another configuration with routes of the same names: what is asked for is there before and after. */
function changed(config: Scenario['configs'][number], draw: Draw, { longGaps }: Classes): Scenario['configs'][number] {
  const other = drawConfig(draw, longGaps);
  const backends = config.backends.map((backend) => {
    const drawn = other.backends.find(({ name }) => name === backend.name);
    return draw.oneIn(2) || drawn === undefined ? backend : drawn;
  });
  const routes = config.routes.map((route, index) => {
    const drawn = other.routes[index];
    return draw.oneIn(2) || drawn === undefined
      ? route
      : { ...drawn, name: route.name, backend: route.backend, hooks: route.hooks };
  });
  return { server: draw.oneIn(2) ? config.server : other.server, backends, routes };
}

function drawUpstream(draw: Draw, number: number, classes: Classes): UpstreamScript {
  const outages: UpstreamScript['outages'][number][] = [];
  if (classes.outages && draw.oneIn(2)) {
    const fromMs = draw.below(2000);
    outages.push({
      fromMs,
      toMs: fromMs + draw.pick([200, 1000, 5000]),
      how: draw.pick(['refuse', 'refuse', 'ignore']),
    });
  }
  return {
    address: `10.2.0.${number + 1}:8000`,
    nature: drawUpstreamWay(draw.of('way'), classes),
    outages,
    idleMs: draw.oneIn(4) ? draw.pick([50, 500, 2000]) : null,
  };
}

/** What a steady one has not read waits in the gateway, and not in the system. */
function drawUpstreamWay(draw: Draw, classes: Classes): WayScript {
  const { dialMs, ...way } = drawWay(draw, classes);
  const { fromGateway } = way;
  const smallBytes = draw.pick([1000, 4096, 16_384]);
  return {
    ...way,
    // The reply of an echo stops at its client, and not on a slow way there.
    toGateway: classes.echoes ? { ...way.toGateway, capacityBytes: 262_144, latencyMs: 0 } : way.toGateway,
    fromGateway: classes.steadyUpstreams ? { ...fromGateway, capacityBytes: smallBytes } : fromGateway,
    // There and back: twice.
    dialMs: classes.slowDials ? draw.pick([100, 220, 235]) : dialMs,
  };
}

function drawControl(draw: Draw, classes: Classes, workers: number): readonly ControlScript[] {
  const control: ControlScript[] = [];
  // Most is under way in the first second.
  const atMs = () => 10 + draw.below(draw.pick([100, 500, 1000, 3000]));
  if (classes.reload) control.push({ atMs: atMs(), what: 'reload', config: 1 });
  if (classes.drain) control.push({ atMs: atMs(), what: 'drain', row: draw.below(workers) });
  if (classes.death)
    control.push({ atMs: atMs(), what: 'die', row: draw.below(workers), backAfterMs: draw.pick([1, 30, 500]) });
  if (classes.stalls)
    control.push({ atMs: atMs(), what: 'stall', row: draw.below(workers), forMs: draw.pick([100, 300, 1000]) });
  if (classes.health) {
    const upstream = draw.below(UPSTREAMS);
    const downMs = atMs();
    control.push({ atMs: downMs, what: 'health', upstream, healthy: false });
    control.push({ atMs: downMs + draw.below(3000), what: 'health', upstream, healthy: true });
  }
  return control;
}
