import { parseConfig } from '../../../src/config/parse-config.ts';
import { forgetDeadWorker } from '../../../src/memory/dead-worker.ts';
import {
  createSharedMemory,
  SharedCount,
  type SharedMemory,
  type Slot,
  type Slots,
} from '../../../src/memory/shared-memory.ts';
import { createTokenBuckets, type TokenBucketMemory } from '../../../src/memory/token-buckets.ts';
import { UpstreamSockets } from '../../../src/memory/upstream-sockets.ts';
import { UpstreamState } from '../../../src/memory/upstream-state.ts';
import type { ServingPlan } from '../../../src/messages/to-worker.ts';
import { customMiddleware } from '../../../src/middleware/custom/custom.ts';
import { type CustomChain, customKey } from '../../../src/middleware/custom/load-custom.ts';
import { type CompiledConfig, compileConfig } from '../../../src/pipeline/compiled-config.ts';
import { Random } from '../../support/random.ts';
import type { Network } from '../net/network.ts';
import type { HookLog } from '../records.ts';
import type { ConfigScript, Scenario } from '../scenario/scenario.ts';
import type { Scheduler, World } from '../world.ts';
import { configDocument, HOOK_NAMES } from './config-document.ts';
import { scriptedHooks } from './hooks.ts';
import { SimulatedWakeUps } from './wake-ups.ts';
import { Worker } from './worker.ts';

export interface GatewayOptions {
  readonly world: World;
  readonly network: Network;
  readonly scenario: Scenario;
  readonly hookLog: HookLog;
  readonly log: (level: string, event: string, fields: object) => void;
}

/** The whole gateway: its workers over one shared memory, and what the control thread does to them. */
export class Gateway {
  readonly #options: GatewayOptions;
  readonly #random: Random;
  readonly #wakeUps: SimulatedWakeUps;
  readonly #entries: Entries;
  readonly #shared: SharedMemory;
  readonly #buckets: TokenBucketMemory;
  #configuration = 0;
  readonly workers: Worker[] = [];
  /** Those that died. */
  readonly #dead: Worker[] = [];

  constructor(options: GatewayOptions) {
    const { scenario, world } = options;
    this.#options = options;
    this.#random = new Random(scenario.schedule ^ 0x51ed);
    this.#wakeUps = new SimulatedWakeUps(world, () => this.#random.below(3) * this.#random.below(3));
    this.#entries = new Entries(scenario.configs);
    this.#shared = createSharedMemory({ backends: this.#entries.shape }, scenario.workers);
    this.#buckets = createTokenBuckets(16, world.nowMs);
    for (let row = 0; row < scenario.workers; row++) this.#start(row);
  }

  #start(row: number): void {
    const { world, network, scenario, log } = this.#options;
    const worker = new Worker({
      ...{ world, network, wakeUps: this.#wakeUps, transport: scenario.transport, gathers: scenario.gathers, row, log },
      ...{ shared: this.#shared, plan: this.#plan(this.#configuration), seed: this.#random.below(2 ** 31) },
      makeCustom: (scheduler) => this.#custom(this.#configuration, scheduler),
    });
    this.workers[row] = worker;
    void worker.listen();
  }

  #config(index: number): ConfigScript {
    return this.#options.scenario.configs[index] as ConfigScript;
  }

  #plan(index: number): ServingPlan {
    const config = this.#config(index);
    return {
      compiled: compiled(config, this.#options.scenario),
      configuration: index + 1,
      slots: this.#entries.slots(config, this.#shared),
      buckets: this.#buckets,
      tls: { server: null, upstreams: [] },
      httpsPort: null,
      maxSockets: null,
    };
  }

  #custom(index: number, scheduler: Scheduler): CustomChain {
    const { scenario, hookLog, log } = this.#options;
    const { custom } = compiled(this.#config(index), scenario);
    const say = (level: string) => (event: string, fields?: object) => log(level, event, fields ?? {});
    return new Map(
      custom.map((entry) => {
        const hook = HOOK_NAMES.indexOf(entry.name);
        const definition = { name: entry.name, create: () => scriptedHooks(scheduler, scenario, hookLog, hook) };
        const deps = { log: { info: say('info'), warn: say('warn'), error: say('error') } };
        return [customKey(entry), customMiddleware(entry.name, definition, entry.options, deps)] as const;
      }),
    );
  }

  // --- what the control thread does ------------------------------------------------------------------------------------

  /** All workers make the configuration ready, and go over to it when all are, each in an event of its own. */
  reload(index: number): void {
    const workers = this.workers.filter(({ alive, drained }) => alive && !drained);
    for (const worker of workers) worker.plane.prepare(this.#plan(index), this.#custom(index, worker));
    this.#configuration = index;
    for (const worker of workers) {
      worker.after(this.#random.below(4), 'commit', () => worker.plane.commit());
    }
  }

  drain(row: number): void {
    const worker = this.workers[row];
    if (worker?.alive) void worker.drain();
  }

  die(row: number, backAfterMs: number): void {
    const worker = this.workers[row];
    if (worker === undefined || !worker.alive) return;
    worker.die();
    this.#dead.push(worker);
    const { world } = this.#options;
    world.after(0, 'worker is gone', () => {
      forgetDeadWorker(this.#shared, row);
      this.#wakeUps.notifyAll();
      world.after(backAfterMs, 'worker comes back', () => this.#start(row));
    });
  }

  setHealthy(upstream: number, healthy: boolean): void {
    for (const slot of this.#entries.slotsOfUpstream(upstream, this.#shared)) {
      new UpstreamState(slot).setHealthy(healthy, this.#options.world.nowMs);
    }
  }

  // --- what it has in hand ---------------------------------------------------------------------------------------------

  /** What has to be zero when nothing is under way, by name. */
  get holdings(): Readonly<Record<string, number>> {
    const holdings: Record<string, number> = {
      'connections counted': SharedCount.connections(this.#shared, 0).total,
      'sockets counted': SharedCount.sockets(this.#shared, 0).total,
    };
    for (const [number, name] of this.#entries.upstreamNames.entries()) {
      const slot = { memory: this.#shared, number };
      holdings[`sockets of ${name}`] = new UpstreamSockets(slot, 0).total;
      holdings[`in flight at ${name}`] = SharedCount.upstreamInFlight(slot, 0).total;
      holdings[`idle at ${name}`] = SharedCount.upstreamIdle(slot, 0).total;
    }
    for (const [number, { name }] of this.#entries.shape.entries()) {
      holdings[`waiting for ${name}`] = SharedCount.backendWaiting({ memory: this.#shared, number }, 0).total;
    }
    for (const { row, plane, leasedBuffers, alive } of this.workers) {
      if (!alive) continue;
      holdings[`exchanges of worker ${row}`] = plane.activeExchanges;
      holdings[`connections of worker ${row}`] = plane.openConnections;
      holdings[`buffers of worker ${row}`] = leasedBuffers;
    }
    return holdings;
  }

  get accessLines(): readonly string[] {
    return [...this.#dead, ...this.workers].flatMap(({ accessLines }) => accessLines);
  }

  close(): void {
    for (const worker of this.workers) if (worker.alive) worker.plane.close();
  }
}

/** Where the upstreams and backends of all configurations of a run are counted. */
class Entries {
  readonly shape: { readonly name: string; readonly upstreams: number[] }[] = [];

  constructor(configs: readonly ConfigScript[]) {
    for (const { backends } of configs) {
      for (const { name, upstreams } of backends) {
        let entry = this.shape.find((each) => each.name === name);
        if (entry === undefined) {
          entry = { name, upstreams: [] };
          this.shape.push(entry);
        }
        for (const upstream of upstreams) if (!entry.upstreams.includes(upstream)) entry.upstreams.push(upstream);
      }
    }
  }

  get upstreamNames(): readonly string[] {
    return this.shape.flatMap(({ name, upstreams }) => upstreams.map((upstream) => `${name}/${upstream}`));
  }

  slots({ backends }: ConfigScript, memory: SharedMemory): Slots {
    const names = this.upstreamNames;
    return {
      upstreams: backends.flatMap(({ name, upstreams }) =>
        upstreams.map((upstream) => ({ memory, number: names.indexOf(`${name}/${upstream}`) })),
      ),
      backends: backends.map(({ name }) => ({ memory, number: this.shape.findIndex((each) => each.name === name) })),
    };
  }

  slotsOfUpstream(upstream: number, memory: SharedMemory): readonly Slot[] {
    return this.upstreamNames
      .map((name, number) => ({ name, slot: { memory, number } }))
      .filter(({ name }) => name.endsWith(`/${upstream}`))
      .map(({ slot }) => slot);
  }
}

/** Configurations by their text: to read one takes longer than a whole run. */
const known = new Map<string, CompiledConfig>();
/** Those of scenarios that are there still. */
const knownOfScript = new WeakMap<ConfigScript, CompiledConfig>();

function compiled(config: ConfigScript, scenario: Scenario): CompiledConfig {
  const found = knownOfScript.get(config) ?? compiledAs(config, scenario);
  knownOfScript.set(config, found);
  return found;
}

function compiledAs(config: ConfigScript, { upstreams }: Scenario): CompiledConfig {
  const text = JSON.stringify(configDocument(config, upstreams));
  let found = known.get(text);
  if (found === undefined) {
    if (known.size > 200) known.clear();
    found = compileConfig(parseConfig(text, { file: '/simulation/photon.json', format: 'json', env: {} }).config);
    known.set(text, found);
  }
  return found;
}
