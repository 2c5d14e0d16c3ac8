import type { ClientScript, HookScript, ReplyScript, RequestScript, Scenario } from './scenario/scenario.ts';

/** A scenario as a script of a few lines: what is as usual is left out. */
export function describeScenario(scenario: Scenario): string {
  const { transport, workers, configs, upstreams, clients, control, schedule } = scenario;
  return [
    `${transport}, ${workers} workers, schedule ${schedule}${scenario.gathers ? ', gathers' : ''}`,
    ...configs.flatMap((config, number) => [
      `config ${number}: ${briefly(config.server, {})}`,
      ...config.backends.map((backend) => `  backend ${briefly(backend, {})}`),
      ...config.routes.map((route) => `  route ${briefly(route, {})}`),
    ]),
    ...upstreams.flatMap(({ address, outages, idleMs }) =>
      outages.length > 0 || idleMs !== null ? [`upstream ${address}: ${briefly({ outages, idleMs }, {})}`] : [],
    ),
    ...clients.flatMap(describeClient),
    ...control.map((each) => `control ${briefly(each, {})}`),
  ].join('\n');
}

function describeClient(client: ClientScript): readonly string[] {
  const { name, row, requests, nature, ...rest } = client;
  return [
    `${name} of worker ${row}: ${briefly(rest, { ahead: 1, halfCloses: false, leavesReading: null })}`,
    `  way ${briefly(nature, {})}`,
    ...requests.flatMap(describeRequest),
  ];
}

const USUAL_REQUEST = {
  versionMinor: 1,
  close: false,
  key: 'none',
  origin: 'none',
  acceptsGzip: false,
  trailers: false,
  expects: false,
  gapMs: 0,
  fault: null,
  extraLines: '',
};
const USUAL_REPLY = {
  when: 'whole',
  delayMs: 0,
  trailers: false,
  versionMinor: 1,
  closes: false,
  waitsForWhole: null,
  readPauses: [],
  echoes: false,
  fault: null,
  extraLines: '',
};

function describeRequest({ tag, method, route, hooks, replies, ...rest }: RequestScript): readonly string[] {
  const acts = (hook: HookScript) => `request ${briefly(hook.request, {})} response ${briefly(hook.response, {})}`;
  return [
    `  ${tag} ${method} /${route} ${briefly(rest, USUAL_REQUEST)}`,
    ...hooks.map((hook, number) => `    hook ${number}: ${acts(hook)}`),
    ...replies.map((reply: ReplyScript, number) => `    reply ${number + 1}: ${briefly(reply, USUAL_REPLY)}`),
  ];
}

function briefly(value: object, usual: Readonly<Record<string, unknown>>): string {
  return Object.entries(value)
    .filter(
      ([name, each]) =>
        JSON.stringify(each) !== JSON.stringify(usual[name]) && !(Array.isArray(each) && each.length === 0),
    )
    .map(([name, each]) => `${name} ${JSON.stringify(each)}`)
    .join(' ');
}
