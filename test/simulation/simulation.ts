import { ownersOf } from '../../src/worker/middleware-faults.ts';
import { HOOK_NAMES } from './gateway/config-document.ts';
import { Gateway } from './gateway/gateway.ts';
import { HookError } from './gateway/hooks.ts';
import { Client } from './hosts/client.ts';
import { ReplyScripts, UpstreamHost } from './hosts/upstream.ts';
import { Network } from './net/network.ts';
import { HookLog, Records } from './records.ts';
import type { Run } from './run.ts';
import { type ControlScript, rests, type Scenario } from './scenario/scenario.ts';
import { World } from './world.ts';

/** So long after the last host is done the gateway must have let go of everything: an idle connection to an upstream lives 55 s. */
const LONG_REST_MS = 62_000;
/** In most runs, which are many times shorter by that, it may still have idle connections to upstreams. */
const SHORT_REST_MS = 6000;
/** No script takes so long. */
const LONGEST_MS = 900_000;
const MAX_STEPS = 2_000_000;

/** Errors that nobody caught in the run under way. */
let uncaught: unknown[] = [];
let listensToErrors = false;

/** The modules of users' middleware, as the worker knows them: their hooks are all in one file. */
const OWNERS = {
  names: HOOK_NAMES,
  namesIn: (frames: string) => (frames.includes('gateway/hooks.ts') ? HOOK_NAMES : []),
} as unknown as Parameters<typeof ownersOf>[2];

function listenToErrors(): void {
  if (listensToErrors) return;
  listensToErrors = true;
  process.on('unhandledRejection', (error) => {
    if (!(error instanceof HookError) || ownersOf(error, 'unhandledRejection', OWNERS).length === 0)
      uncaught.push(error);
  });
}

/** Plays a scenario. Must not be called from within a promise: see `World`. */
export function simulate(scenario: Scenario, watch?: (steps: number) => void): Run {
  listenToErrors();
  uncaught = [];
  const world = new World(scenario.schedule, watch);
  const network = new Network(world);
  const records = new Records();
  const hookLog = new HookLog();
  const logLines: { event: string; fields: object; atMs: number }[] = [];
  const log = (_level: string, event: string, fields: object) => {
    logLines.push({ event, fields, atMs: world.nowMs });
    if (isFault(event, fields)) records.find('fault', `${event} ${JSON.stringify(fields)}`);
  };
  const gateway = new Gateway({ world, network, scenario, hookLog, log });
  const replies = new ReplyScripts(scenario);
  for (const [number, script] of scenario.upstreams.entries()) {
    network.listen(script.address, new UpstreamHost(world, records, script, number, replies));
  }
  const clients = scenario.clients.map((script) => new Client(world, network, records, script));
  const controls: { script: ControlScript; atMs: number }[] = [];
  for (const script of scenario.control) {
    world.after(script.atMs, script.what, () => {
      controls.push({ script, atMs: world.nowMs });
      control(gateway, script);
    });
  }
  const isDone = () => clients.every(({ over }) => over);
  if (!world.run(LONGEST_MS, MAX_STEPS, isDone)) records.find('endless', `more than ${MAX_STEPS} steps`);
  const doneMs = world.nowMs;
  if (!isDone()) records.find('endless', 'a client still waits after a quarter of an hour');
  const restMs = rests(scenario) ? LONG_REST_MS : SHORT_REST_MS;
  if (!world.run(doneMs + restMs, MAX_STEPS)) records.find('endless', `more than ${MAX_STEPS} steps`);
  // Requests sent ahead by a client that is gone may each wait for a hook, one after the other.
  if (gateway.workers.some(({ plane }) => plane.activeExchanges > 0)) world.run(doneMs + LONG_REST_MS, MAX_STEPS);
  for (const worker of gateway.workers) worker.plane.flushAccessLog();
  for (const error of uncaught) records.find('fault', `uncaught: ${describe(error)}`);
  return {
    ...{ scenario, records, network, hookLog, logLines, controls },
    ...{ accessLines: gateway.accessLines, holdings: gateway.holdings },
    ...{ traceHash: world.traceHash, steps: world.steps },
  };
}

function control(gateway: Gateway, script: ControlScript): void {
  switch (script.what) {
    case 'reload':
      gateway.reload(script.config);
      break;
    case 'drain':
      gateway.drain(script.row);
      break;
    case 'die':
      gateway.die(script.row, script.backAfterMs);
      break;
    case 'health':
      gateway.setHealthy(script.upstream, script.healthy);
      break;
    case 'stall':
      gateway.workers[script.row]?.stall(script.forMs);
      break;
  }
}

/** Whether a line of the log tells of a fault of the gateway's own. */
function isFault(event: string, fields: object): boolean {
  if (event === 'internal-error') return true;
  const { error = '' } = fields as { error?: string };
  return (
    event === 'middleware-failed' &&
    !/a hook (throws|rejects)|a stray promise|Cannot use what on|did not settle in time/.test(error)
  );
}

function describe(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
