import type { Classes } from './classes.ts';
import type { Draw } from './draw.ts';
import type { PauseScript, ReplyFault, ReplyHeadFault, ReplyScript } from './scenario.ts';

const HEAD_FAULTS: readonly ReplyHeadFault[] = [
  ...(['status line', 'two framings', 'two lengths', 'bad length', 'switching', 'space before colon'] as const),
];

export interface ReplyOccasion {
  readonly method: string;
  readonly requestBytes: number;
  readonly readTimeoutMs: number;
  readonly writeTimeoutMs: number;
  /** Others wait for the connection. */
  readonly crowded: boolean;
}

export function drawReply(draw: Draw, classes: Classes, occasion: ReplyOccasion): ReplyScript {
  const status = drawStatus(draw, classes);
  const framing = drawFraming(draw, status);
  const { requestBytes } = occasion;
  const isEcho = classes.echoes && requestBytes > 0 && draw.oneIn(2);
  const isEarly = isEcho || (classes.early && requestBytes > 0 && draw.oneIn(2));
  // Its reply is more than anything on the way holds, so that it stops where its client does.
  const bytes = framing === 'none' ? 0 : isEcho ? 600_000 : drawBytes(draw, classes);
  const reply: ReplyScript = {
    ...{ status, framing, bytes },
    when: isEcho ? 'head' : isEarly ? draw.pick(['head' as const, draw.below(requestBytes + 1)]) : 'whole',
    delayMs: drawDelay(draw, classes, occasion),
    interims: classes.early && draw.oneIn(6) ? draw.pick([[103], [103, 103], [102]]) : [],
    chunkBytes: draw.pick([1, 16, 100, 1000, 20_000]),
    trailers: framing === 'chunked' && draw.oneIn(4),
    versionMinor: framing === 'close' && draw.oneIn(2) ? 0 : 1,
    closes: draw.oneIn(classes.surplus ? 3 : 8),
    pauses: drawPauses(draw, classes.slowUpstreams, bytes + 200),
    waitsForWhole: isEarly && draw.oneIn(2) ? draw.below(bytes + 200) : null,
    readPauses: isEcho ? [] : drawReadPauses(draw, classes, occasion),
    echoes: isEcho,
    fault: null,
    extraLines: drawLines(draw, classes),
  };
  const chunkBytes = Math.max(reply.chunkBytes, Math.ceil(bytes / 400));
  return { ...reply, chunkBytes, fault: drawFault(draw.of('fault'), classes, reply) };
}

function drawStatus(draw: Draw, { serverErrors }: Classes): number {
  if (serverErrors && draw.oneIn(3)) return draw.pick([500, 502, 503, 501]);
  return draw.pick([200, 200, 200, 200, 201, 404, 204, 304]);
}

function drawFraming(draw: Draw, status: number): ReplyScript['framing'] {
  if (status === 204 || status === 304) return 'none';
  return draw.pick(['length', 'length', 'chunked', 'chunked', 'close', 'none']);
}

function drawBytes(draw: Draw, { large }: Classes): number {
  if (large && draw.oneIn(4)) return draw.pick([100_000, 300_000, 1_000_000]);
  return draw.pick([draw.size(100), draw.size(3000), draw.size(40_000)]);
}

function drawDelay(draw: Draw, { silentUpstreams }: Classes, { readTimeoutMs, crowded }: ReplyOccasion): number {
  if (silentUpstreams && draw.oneIn(4)) return readTimeoutMs + draw.pick([-150, 400, 3000]);
  if (crowded) return draw.pick([0, 30, 200, 350, 600]);
  return draw.pick([0, 0, 0, 1, 5, 30, 120, 200]);
}

function drawPause(draw: Draw, bytes: number): PauseScript {
  return { atBytes: draw.below(bytes + 1), forMs: draw.pick([5, 50, 200, 250, 700, 1500]) };
}

/**
 * A reluctant one reads on later than a silence may last, and sooner than a write may take. A steady one needs longer for all of the request
 * than a silence may last, and stops for no longer than that, nor than a write may take.
 */
function drawReadPauses(
  draw: Draw,
  { slowUpstreams, reluctantUpstreams, steadyUpstreams }: Classes,
  { requestBytes, readTimeoutMs, writeTimeoutMs }: ReplyOccasion,
): readonly PauseScript[] {
  if (requestBytes === 0) return [];
  if (reluctantUpstreams && writeTimeoutMs > readTimeoutMs + 550 && draw.oneIn(2))
    return [{ atBytes: draw.below(200), forMs: readTimeoutMs + 500 }];
  if (steadyUpstreams && draw.oneIn(2)) {
    const forMs = Math.floor(Math.min(readTimeoutMs, writeTimeoutMs) * draw.pick([0.3, 0.6]));
    return Array.from({ length: 10 }, (_, number) => ({ atBytes: Math.ceil((requestBytes * number) / 10), forMs }));
  }
  return slowUpstreams && draw.oneIn(requestBytes > 3000 ? 2 : 4) ? [drawPause(draw, requestBytes)] : [];
}

export function drawPauses(draw: Draw, on: boolean, bytes: number): readonly PauseScript[] {
  if (!on || draw.oneIn(2)) return [];
  return Array.from({ length: draw.between(1, 3) }, () => drawPause(draw, bytes));
}

function drawLines(draw: Draw, { loginConnections }: Classes): string {
  if (loginConnections && draw.oneIn(3))
    return draw.pick(['WWW-Authenticate: NTLM\r\n', 'WWW-Authenticate: Negotiate\r\n']);
  return '';
}

function drawFault(draw: Draw, classes: Classes, reply: ReplyScript): ReplyFault | null {
  const kinds = [
    ...(classes.brokenReplies ? (['close', 'reset'] as const) : []),
    ...(classes.silentUpstreams ? (['silence'] as const) : []),
    ...(classes.malformedReplies ? (['malformed', 'chunk'] as const) : []),
    ...(classes.surplus ? (['surplus'] as const) : []),
  ];
  if (kinds.length === 0 || !draw.oneIn(2)) return null;
  const kind = draw.pick(kinds);
  switch (kind) {
    case 'malformed':
      return { kind, what: draw.pick(HEAD_FAULTS) };
    case 'chunk':
      return reply.framing === 'chunked' ? { kind, atBytes: draw.below(reply.bytes + 1) } : null;
    case 'surplus':
      // What comes behind a body that ends with its connection is body.
      if (reply.framing === 'close') return null;
      return { kind, afterMs: draw.pick([0, 0, 0, 1, 5, 50]), what: draw.pick(['reply', 'line end', 'body']) };
    default:
      return { kind, atBytes: draw.oneIn(2) ? 0 : draw.below(reply.bytes + 250) };
  }
}
