import type { PipeNature } from '../net/pipe.ts';
import type { Classes } from './classes.ts';
import type { Draw } from './draw.ts';
import type { WayScript } from './scenario.ts';

export function drawWay(draw: Draw, classes: Classes): WayScript {
  return {
    toGateway: drawPipe(draw.of('in'), classes),
    fromGateway: drawPipe(draw.of('out'), classes),
    dialMs: draw.pick([0, 0, 1, 5, 20]),
    seed: draw.seed(),
  };
}

function drawPipe(draw: Draw, { smallSegments, smallPipes }: Classes): PipeNature {
  const small = smallSegments && draw.oneIn(2);
  return {
    capacityBytes: smallPipes && draw.oneIn(2) ? draw.pick([1000, 4096, 16_384]) : draw.pick([65_536, 262_144]),
    // A way that is slow by itself would be what every timeout measures.
    latencyMs: small ? draw.pick([0, 0, 0.05, 0.1]) : draw.pick([0, 0, 0, 0.5, 1, 3]),
    segmentBytes: small ? draw.pick([1, 7, 30, 100]) : draw.pick([1460, 65_536]),
  };
}
