import type { Runner } from './runner.ts';
import type { ClientScript, RequestScript, Scenario } from './scenario/scenario.ts';

/** With so many orders of simultaneous events a smaller scenario is tried before it is given up. */
const SCHEDULES = 3;

/** So many smaller scenarios are tried at most. */
const MAX_TRIES = 3000;

/** Makes a scenario smaller for as long as it has a finding of the same kind. */
export async function shrink(
  scenario: Scenario,
  kind: string,
  runner: Runner,
  say: (text: string) => void,
): Promise<Scenario> {
  let smallest = scenario;
  let tries = 0;
  for (let progress = true; progress; ) {
    progress = false;
    for (const candidate of smaller(smallest)) {
      if (++tries > MAX_TRIES) return smallest;
      const found = await finds(candidate, kind, runner);
      if (found === null) continue;
      smallest = found;
      progress = true;
      say(
        `${requestsOf(smallest)} requests of ${smallest.clients.length} clients, ${JSON.stringify(smallest).length} bytes`,
      );
      break;
    }
  }
  return smallest;
}

const requestsOf = ({ clients }: Scenario): number => clients.reduce((sum, { requests }) => sum + requests.length, 0);

async function finds(scenario: Scenario, kind: string, runner: Runner): Promise<Scenario | null> {
  for (let number = 0; number < SCHEDULES; number++) {
    const tried = { ...scenario, schedule: scenario.schedule + 8 * number };
    const { findings } = await runner.run({ task: 'scenario', scenario: tried });
    if (findings.some((finding) => finding.kind === kind)) return tried;
  }
  return null;
}

/** Scenarios that are smaller in one respect, the largest cuts first. */
function* smaller(scenario: Scenario): Iterable<Scenario> {
  const { clients, control, upstreams } = scenario;
  for (let size = clients.length >> 1; size >= 1; size >>= 1) {
    for (let at = 0; at < clients.length; at += size) {
      const left = [...clients.slice(0, at), ...clients.slice(at + size)];
      if (left.length > 0) yield { ...scenario, clients: left };
    }
  }
  for (const [at] of control.entries()) yield { ...scenario, control: control.filter((_each, index) => index !== at) };
  for (const [at, client] of clients.entries()) {
    for (const less of smallerClients(client)) yield { ...scenario, clients: replaced(clients, at, less) };
  }
  for (const [at, upstream] of upstreams.entries()) {
    const less = { ...upstream, outages: [], idleMs: null, nature: PLAIN_WAY };
    if (JSON.stringify(less) !== JSON.stringify(upstream))
      yield { ...scenario, upstreams: replaced(upstreams, at, less) };
  }
  if (scenario.configs.length > 1 && control.every(({ what }) => what !== 'reload')) {
    yield { ...scenario, configs: scenario.configs.slice(0, 1) };
  }
  if (scenario.workers > 1) {
    const onFirst = clients.map((client) => ({ ...client, row: 0 }));
    yield {
      ...scenario,
      workers: 1,
      clients: onFirst,
      control: control.filter((each) => !('row' in each) || each.row === 0),
    };
  }
  if (scenario.gathers) yield { ...scenario, gathers: false };
  yield* smallerConfigs(scenario);
}

const PIPE = { capacityBytes: 65_536, latencyMs: 0, segmentBytes: 65_536 };
const PLAIN_WAY = { toGateway: PIPE, fromGateway: PIPE, dialMs: 0, seed: 1 };

const replaced = <T>(list: readonly T[], at: number, value: T): readonly T[] =>
  list.map((each, index) => (index === at ? value : each));

/** Each field goes to its plainest value, one at a time. */
function* plainer<T extends object>(value: T, plainest: Partial<T>): Iterable<T> {
  for (const [name, plain] of Object.entries(plainest) as [keyof T, T[keyof T]][]) {
    if (JSON.stringify(value[name]) !== JSON.stringify(plain)) yield { ...value, [name]: plain };
  }
}

function* smallerClients(client: ClientScript): Iterable<ClientScript> {
  const { requests } = client;
  for (const [at] of requests.entries()) {
    if (requests.length > 1) yield { ...client, requests: requests.filter((_each, index) => index !== at) };
  }
  yield* plainer<ClientScript>(client, {
    ...{
      nature: PLAIN_WAY,
      ahead: 1,
      readPauses: [],
      ending: 'close',
      halfCloses: false,
      leavesReading: null,
      openMs: 10,
    },
  });
  for (const [at, request] of requests.entries()) {
    for (const less of smallerRequests(request)) yield { ...client, requests: replaced(requests, at, less) };
  }
}

function* smallerRequests(request: RequestScript): Iterable<RequestScript> {
  // A bad chunk needs chunks.
  for (const less of simplerRequests(request))
    if (less.fault?.kind !== 'chunk' || less.body.framing === 'chunked') yield less;
}

function* simplerRequests(request: RequestScript): Iterable<RequestScript> {
  yield* plainer<RequestScript>(request, {
    ...{
      method: 'GET',
      versionMinor: 1,
      close: false,
      origin: 'none',
      acceptsGzip: false,
      trailers: false,
      expects: false,
    },
    ...{ pauses: [], gapMs: 0, fault: null, extraLines: '', body: { framing: 'none', bytes: 0, chunkBytes: 1 } },
  });
  const { body, hooks, replies } = request;
  if (body.bytes > 1) yield { ...request, body: { ...body, bytes: body.bytes >> 1 } };
  if (replies.length > 1) yield { ...request, replies: replies.slice(0, -1) };
  for (const [at, hook] of hooks.entries()) {
    const pass = { act: 'pass' } as const;
    for (const less of plainer(hook, { request: pass, response: pass }))
      yield { ...request, hooks: replaced(hooks, at, less) };
  }
  for (const [at, reply] of replies.entries()) {
    const plain = {
      delayMs: 0,
      interims: [],
      trailers: false,
      closes: false,
      pauses: [],
      waitsForWhole: null,
      readPauses: [],
      echoes: false,
    };
    for (const less of plainer(reply, {
      ...plain,
      fault: null,
      when: 'whole',
      framing: 'length',
      extraLines: '',
      versionMinor: 1,
    })) {
      yield { ...request, replies: replaced(replies, at, less) };
    }
    if (reply.bytes > 1) yield { ...request, replies: replaced(replies, at, { ...reply, bytes: reply.bytes >> 1 }) };
  }
}

function* smallerConfigs(scenario: Scenario): Iterable<Scenario> {
  for (const [at, config] of scenario.configs.entries()) {
    for (const [number, route] of config.routes.entries()) {
      const plain = {
        methods: null,
        timeoutMs: null,
        compress: false,
        transform: false,
        cors: false,
        bodyLimit: null,
        stripPrefix: false,
      };
      for (const less of plainer(route, { ...plain, retries: 0 })) {
        yield {
          ...scenario,
          configs: replaced(scenario.configs, at, { ...config, routes: replaced(config.routes, number, less) }),
        };
      }
      const isUsed = scenario.clients.some(({ requests }) => requests.some((request) => request.route === route.name));
      if (!isUsed && config.routes.length > 1) {
        yield {
          ...scenario,
          configs: replaced(scenario.configs, at, {
            ...config,
            routes: config.routes.filter((each) => each !== route),
          }),
        };
      }
    }
    for (const [number, backend] of config.backends.entries()) {
      for (const less of plainer(backend, {
        maxConnections: null,
        breakerThreshold: null,
        sticky: false,
        algorithm: 'round_robin',
      })) {
        yield {
          ...scenario,
          configs: replaced(scenario.configs, at, { ...config, backends: replaced(config.backends, number, less) }),
        };
      }
      if (!config.routes.some((route) => route.backend === backend.name) && config.backends.length > 1) {
        const backends = config.backends.filter((each) => each !== backend);
        yield { ...scenario, configs: replaced(scenario.configs, at, { ...config, backends }) };
      }
    }
  }
}
