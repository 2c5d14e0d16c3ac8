import type { Classes } from './classes.ts';
import type { Draw } from './draw.ts';
import { isCrowded } from './draw-config.ts';
import { drawPauses, drawReply, type ReplyOccasion } from './draw-reply.ts';
import { drawWay } from './draw-way.ts';
import type {
  ClientScript,
  ConfigScript,
  HeadFault,
  HookAct,
  ReplyScript,
  RequestFault,
  RequestScript,
  RouteScript,
} from './scenario.ts';
import { PREFLIGHT_LINE } from './scenario.ts';

const METHODS = ['GET', 'GET', 'GET', 'POST', 'PUT', 'HEAD', 'DELETE', 'PATCH', 'OPTIONS'];
const HEAD_FAULTS: readonly HeadFault[] = [
  ...([
    'space before colon',
    'two framings',
    'two lengths',
    'no host',
    'two hosts',
    'bare line feed',
    'bad length',
  ] as const),
  ...(['unknown coding', 'unknown expectation', 'version 2', 'bad target', 'large head', 'connect'] as const),
];

export function drawClient(
  draw: Draw,
  number: number,
  workers: number,
  config: ConfigScript,
  classes: Classes,
): ClientScript {
  const requests = Array.from({ length: draw.between(1, 6) }, (_, index) =>
    drawRequest(draw.of('request', index), `t${100 + number}${10 + index}`, config, classes),
  );
  return {
    name: `client-${number}`,
    row: draw.below(workers),
    openMs: 10 + draw.pick([0, 0, draw.below(200), draw.below(2000)]),
    nature: drawWay(draw.of('way'), classes),
    requests,
    ahead: classes.ahead && draw.oneIn(2) ? draw.between(2, 6) : 1,
    readPauses: drawReadPauses(draw.of('pauses'), classes, config.server.sendTimeoutMs),
    ending: draw.pick(['close', 'close', 'fin', 'reset', 'stay']),
    halfCloses: draw.oneIn(8),
    leavesReading:
      classes.leavingClients && draw.oneIn(3)
        ? { atBytes: draw.size(5000), how: draw.pick(['close', 'reset', 'fin']) }
        : null,
  };
}

/** Some read steadily, each pause shorter than what stops a reply. */
function drawReadPauses(draw: Draw, classes: Classes, sendTimeoutMs: number): ClientScript['readPauses'] {
  // The first interim reply is enough for it.
  if (classes.longStays && draw.oneIn(3)) return [{ atBytes: draw.between(1, 60), forMs: 200 }];
  // The client of an echo stops for longer than a write may take, and for no longer than it may itself.
  if (classes.echoes && sendTimeoutMs > 500 && draw.oneIn(2))
    return [{ atBytes: draw.pick([2000, 100_000]), forMs: sendTimeoutMs - 150 }];
  if (!classes.steadyClients || !draw.oneIn(2)) return drawPauses(draw, classes.slowClients, 20_000);
  const step = draw.pick([500, 2000, 10_000]);
  const forMs = Math.floor(Math.min(sendTimeoutMs, 800) * draw.pick([0.3, 0.6]));
  return Array.from({ length: 12 }, (_, number) => ({ atBytes: (number + 1) * step, forMs }));
}

function drawRequest(draw: Draw, tag: string, config: ConfigScript, classes: Classes): RequestScript {
  const route = draw.pick(config.routes);
  const method = draw.pick(METHODS);
  const body = drawBody(draw.of('body'), method, classes);
  const backend = config.backends.find(({ name }) => name === route.backend);
  const occasion = {
    ...{ method, requestBytes: body.bytes },
    ...{ readTimeoutMs: backend?.readTimeoutMs ?? 500, writeTimeoutMs: backend?.writeTimeoutMs ?? 500 },
    crowded: backend !== undefined && isCrowded(backend),
  };
  const request = drawPlain(draw, { tag, route, method, body, occasion }, classes);
  if (request.fault?.kind === 'head') return { ...request, versionMinor: 1 };
  const timed = withTiming(
    draw.of('timing'),
    request.versionMinor === 0 ? { ...request, expects: false } : request,
    route,
    classes,
  );
  if (!classes.longStays || draw.oneIn(3)) return timed;
  const isFaulty = classes.faultyRequests && timed.fault === null && draw.oneIn(6);
  return withStay(draw.of('stay'), isFaulty ? { ...timed, ...FAULTY_UPLOAD } : timed);
}

interface Part {
  readonly tag: string;
  readonly route: RouteScript;
  readonly method: string;
  readonly body: RequestScript['body'];
  readonly occasion: ReplyOccasion;
}

function drawPlain(draw: Draw, { tag, route, method, body, occasion }: Part, classes: Classes): RequestScript {
  return {
    ...{ tag, method, body },
    route: draw.oneIn(25) ? 'nowhere' : route.name,
    versionMinor: draw.oneIn(12) && body.framing !== 'chunked' ? 0 : 1,
    close: draw.oneIn(12),
    key: route.apiKey ? draw.pick(['header', 'query', 'token', 'token and query', 'wrong', 'none']) : 'none',
    origin: route.cors ? draw.pick(['none', 'allowed', 'foreign']) : 'none',
    acceptsGzip: route.compress && draw.oneIn(2),
    trailers: body.framing === 'chunked' && draw.oneIn(4),
    expects: body.framing !== 'none' && draw.oneIn(6),
    pauses: drawUploadPauses(draw.of('pauses'), classes, body.bytes + 150),
    gapMs: drawGap(draw, classes),
    fault: drawFault(draw.of('fault'), classes, body),
    hooks: Array.from({ length: route.hooks }, (_, hook) => ({
      request: drawAct(draw.of('request-hook', hook), classes, 'request'),
      response: drawAct(draw.of('response-hook', hook), classes, 'response'),
    })),
    replies: Array.from({ length: 3 }, (_, attempt) => drawReply(draw.of('reply', attempt), classes, occasion)),
    extraLines:
      (classes.loginConnections && draw.oneIn(3) && !route.apiKey ? 'Authorization: NTLM TlRMTVNTUAAB\r\n' : '') +
      drawLines(draw.of('lines'), method),
  };
}

/** Of what a client takes, and of what a page of another origin asks first. */
function drawLines(draw: Draw, method: string): string {
  const accept = draw.oneIn(8) ? draw.pick(ACCEPTS) : '';
  return accept + (method === 'OPTIONS' && draw.oneIn(2) ? PREFLIGHT_LINE : '');
}

const ACCEPTS = [
  ...['Accept: text/html, application/json;q=0.5\r\n', 'Accept: */*, application/problem+json;q=0\r\n'],
  ...['Accept: text/plain\r\n', 'Accept: application/*\r\n'],
];

/** Times that meet each other only rarely by chance: a hook that settles behind what was wrong, a deadline that is spent before the server. */
function withTiming(draw: Draw, request: RequestScript, route: RouteScript, classes: Classes): RequestScript {
  const [hook, ...others] = request.hooks;
  const { timeoutMs } = route;
  if (hook !== undefined && classes.lateHooks && (request.fault !== null || draw.oneIn(6)))
    return {
      ...request,
      hooks: [{ ...hook, request: { act: 'wait', forMs: draw.pick([20, 150, 400, 1250, 2600, 5600]) } }, ...others],
    };
  if (timeoutMs === null || !classes.spentDeadlines || !draw.oneIn(3)) return request;
  const spentMs = Math.floor(timeoutMs * draw.pick([0.3, 0.5, 0.7]));
  const replies = request.replies.map((reply) => ({ ...reply, delayMs: timeoutMs }));
  if (request.body.framing !== 'none')
    return { ...request, replies, pauses: [{ atBytes: draw.below(request.body.bytes + 150), forMs: spentMs }] };
  return hook === undefined
    ? request
    : { ...request, replies, hooks: [{ ...hook, request: { act: 'wait', forMs: spentMs } }, ...others] };
}

/** Stays long in one state, in the middle of which its body goes on, where it has one: whatever else happens then meets it there. */
function withStay(draw: Draw, request: RequestScript): RequestScript {
  const [hook, ...others] = request.hooks;
  const state = draw.pick(hook === undefined ? STAYS : HOOK_STAYS);
  const forMs = draw.pick([250, 450, 700]);
  const wait: HookAct = { act: 'wait', forMs };
  if (state === 'request hook' && hook !== undefined)
    return { ...pausedInBody(draw, request, forMs), hooks: [{ ...hook, request: wait }, ...others] };
  // Behind those that answer, fail or take too long nothing would come.
  const hooks = request.hooks.map((each) => ({ ...each, request: PASS }));
  const early = { ...pausedInBody(draw, request, forMs), hooks };
  const inReply = (change: (reply: ReplyScript) => Partial<ReplyScript>): RequestScript => ({
    ...early,
    replies: request.replies.map((reply) => ({ ...reply, when: 'head', waitsForWhole: null, ...change(reply) })),
  });
  switch (state) {
    case 'response hook': {
      const told = inReply(() => ({ interims: draw.oneIn(2) ? [103] : [], fault: null }));
      return { ...told, hooks: hooks.map((each, index) => (index === 0 ? { ...each, response: wait } : each)) };
    }
    case 'replying':
      return inReply(({ bytes }) => ({ pauses: [{ atBytes: 150 + draw.below(bytes + 1), forMs }] }));
    default:
      return { ...early, replies: request.replies.map((reply) => ({ ...reply, delayMs: forMs })) };
  }
}

const FAULTY_UPLOAD: Partial<RequestScript> = {
  method: 'POST',
  body: { framing: 'chunked', bytes: 2000, chunkBytes: 100 },
  fault: { kind: 'chunk', atBytes: 2000 },
  versionMinor: 1,
  expects: false,
};

/** No head is longer, unless that is its fault. */
const LONG_HEAD_BYTES = 600;
const STAYS = ['sent', 'replying'] as const;
const HOOK_STAYS = ['request hook', 'response hook', 'response hook', ...STAYS] as const;
const PASS: HookAct = { act: 'pass' };

/** The body goes on, or shows what is wrong with it, when half of the time is over. */
function pausedInBody(draw: Draw, request: RequestScript, forMs: number): RequestScript {
  const { body, fault } = request;
  if (body.bytes === 0) return request;
  const pauseMs = forMs >> 1;
  if (fault?.kind !== 'chunk')
    return { ...request, pauses: [{ atBytes: 150 + draw.below(body.bytes), forMs: pauseMs }] };
  const bytes = Math.max(body.bytes, 2 * LONG_HEAD_BYTES);
  return {
    ...request,
    body: { ...body, bytes },
    fault: { ...fault, atBytes: bytes },
    pauses: [{ atBytes: LONG_HEAD_BYTES, forMs: pauseMs }],
  };
}

function drawBody(draw: Draw, method: string, classes: Classes): RequestScript['body'] {
  const { uploads, large, steadyUpstreams, echoes } = classes;
  const none = { framing: 'none', bytes: 0, chunkBytes: 1 } as const;
  if (['GET', 'HEAD', 'OPTIONS'].includes(method) && !draw.oneIn(15)) return none;
  if (!uploads && !draw.oneIn(3)) return method === 'POST' ? { framing: 'length', bytes: 0, chunkBytes: 1 } : none;
  const bytes =
    large && draw.oneIn(3)
      ? draw.pick([100_000, 400_000])
      : (steadyUpstreams || echoes) && draw.oneIn(2)
        ? draw.pick([8000, 30_000, 100_000])
        : draw.pick([draw.size(50), draw.size(3000), draw.size(30_000)]);
  const chunkBytes = Math.max(draw.pick([1, 10, 100, 1000, 20_000]), Math.ceil(bytes / 400));
  return { framing: draw.pick(['length', 'chunked']), bytes, chunkBytes };
}

function drawUploadPauses(
  draw: Draw,
  { stallingUploads, slowClients }: Classes,
  bytes: number,
): RequestScript['pauses'] {
  if (stallingUploads && draw.oneIn(4)) return [{ atBytes: draw.below(bytes), forMs: draw.pick([700, 1500, 6000]) }];
  return drawPauses(draw, slowClients, bytes).map(({ atBytes, forMs }) => ({ atBytes, forMs: Math.min(forMs, 200) }));
}

function drawGap(draw: Draw, { longGaps }: Classes): number {
  if (longGaps && draw.oneIn(4)) return draw.pick([54_800, 55_000, 55_300, 59_900, 60_300]);
  return draw.pick([0, 0, 0, 1, 10, 100, 600]);
}

function drawFault(draw: Draw, classes: Classes, body: RequestScript['body']): RequestFault | null {
  const kinds = [
    ...(classes.faultyRequests ? (['head', 'chunk'] as const) : []),
    ...(classes.leavingClients ? (['leave'] as const) : []),
  ];
  if (kinds.length === 0 || !draw.oneIn(4)) return null;
  const kind = draw.pick(kinds);
  if (kind === 'head') return { kind, what: draw.pick(HEAD_FAULTS) };
  if (kind === 'chunk') return body.framing === 'chunked' ? { kind, atBytes: draw.below(body.bytes + 1) } : null;
  return { kind, atBytes: draw.below(body.bytes + 200), how: draw.pick(['close', 'reset', 'fin']) };
}

function drawAct(draw: Draw, { hooks, wildHooks }: Classes, side: 'request' | 'response'): HookAct {
  if (!hooks) return { act: 'pass' };
  const acts: HookAct[] = [
    { act: 'pass' },
    { act: 'pass' },
    { act: 'set header' },
    { act: 'wait', forMs: draw.pick([0, 1, 20, 150, 300, 400]) },
    { act: 'wait', forMs: draw.pick([50, 600, 950]) },
  ];
  if (wildHooks) {
    acts.push({ act: 'throw', afterMs: draw.pick([0, 0, 50, 400]) }, { act: 'stray', afterMs: draw.pick([0, 100]) });
    if (side === 'request') {
      acts.push({ act: 'answer', afterMs: draw.pick([0, 0, 100]), status: draw.pick([200, 403, 429, 503]) });
      acts.push({ act: 'nonsense' });
    }
    acts.push({ act: 'never' });
  }
  return draw.pick(acts);
}
