import assert from 'node:assert/strict';
import type { BackendConfig } from '../../src/config/config.ts';
import { parseConfig } from '../../src/config/parse-config.ts';
import { checkedUpstreams } from '../../src/control/health/checked-upstream.ts';
import { HealthChecker } from '../../src/control/health/health-checker.ts';
import { SlotTable } from '../../src/control/slot-table.ts';
import { readTlsMaterial } from '../../src/control/tls-material.ts';
import { UpstreamState } from '../../src/memory/upstream-state.ts';
import { chooseTransport } from '../../src/net/choose-transport.ts';
import type { Transport } from '../../src/net/transport.ts';
import { eventually, settle } from '../support/guard.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { CheckedServer } from './checked-server.ts';

type Options = Readonly<Record<string, unknown>>;

/** One backend of the configuration under test. */
export interface CheckedBackend {
  readonly check: Options;
  /** Addresses, or the ports of 127.0.0.1. */
  readonly upstreams: readonly (number | string)[];
  readonly upstream?: Options;
}

export const INTERVAL_MS = 1000;
const STEP_MS = 50;

/** A health checker with a clock in the hands of the test. Its random numbers are 0.5 unless the test says otherwise. */
export class CheckBench {
  readonly clock = new ManualClock();
  readonly events: string[] = [];
  readonly checker: HealthChecker;
  readonly servers: CheckedServer[] = [];
  random = (): number => 0.5;
  #table: SlotTable | null = null;

  private constructor(maxChecks: number, transport: Transport) {
    const logAs = (event: string, fields: object = {}) =>
      this.events.push(`${event} ${Object.values(fields).join(' ')}`);
    this.checker = new HealthChecker({
      transport,
      log: { info: logAs, warn: logAs, error: logAs },
      maxChecks,
      clock: this.clock,
      random: () => this.random(),
    });
    this.clock.onTick(() => this.checker.tick());
  }

  static async run(
    script: (bench: CheckBench) => Promise<void>,
    maxChecks = 100,
    transport = chooseTransport(process.env['PHOTON_TRANSPORT']),
  ): Promise<void> {
    const bench = new CheckBench(maxChecks, transport);
    try {
      await script(bench);
    } finally {
      bench.checker.close();
      for (const server of bench.servers) await server.down();
    }
    assert.equal(bench.checker.checks, 0, 'checks under way after the end');
    assert.deepEqual(
      bench.events.filter((event) => event.startsWith('internal-error')),
      [],
    );
  }

  /** A server that is taken down at the end. */
  async server(...args: Parameters<typeof CheckedServer.start>): Promise<CheckedServer> {
    const server = await CheckedServer.start(...args);
    this.servers.push(server);
    return server;
  }

  /** Checks these backends from now on, which are named `b0`, `b1`, and so on. */
  use(...backends: readonly CheckedBackend[]): void {
    const parsed = parseBackends(backends);
    this.#table ??= new SlotTable(1);
    const slots = this.#table.slotsFor(parsed);
    this.#table.use(parsed, slots);
    const { upstreams } = readTlsMaterial({ server: SERVER, backends: parsed }, new Uint8Array(0));
    this.checker.use(checkedUpstreams(parsed, slots.upstreams, upstreams));
    this.#states = slots.upstreams.map((slot) => new UpstreamState(slot));
  }

  #states: readonly UpstreamState[] = [];

  /** Whether each upstream is healthy, for all threads: `+` or `-`. */
  get states(): string {
    return this.#states.map(({ healthy }) => (healthy ? '+' : '-')).join('');
  }

  /** Lets time pass, and everything arrive that it sets off. */
  async pass(ms: number): Promise<void> {
    for (let left = ms; left > 0; left -= STEP_MS) await this.clock.advance(STEP_MS);
  }

  /** Time has passed, and nothing has happened meanwhile: the thread stood still. */
  jump(ms: number): void {
    this.clock.jump(ms);
  }

  /** Lets time pass until it holds. */
  async until(what: string, holds: () => boolean): Promise<void> {
    await eventually(
      what,
      () => {
        if (!holds()) void this.#step();
        return holds();
      },
      () => this.events.join('\n'),
    );
  }

  #stepping = false;

  async #step(): Promise<void> {
    if (this.#stepping) return;
    this.#stepping = true;
    await this.clock.advance(STEP_MS);
    await settle(2);
    this.#stepping = false;
  }

  /** The state of the only upstream as of its next change; how many events there have been is how changes are told. */
  async untilEvents(count: number): Promise<string> {
    await this.until(`${count} events`, () => this.events.length >= count);
    return this.events[count - 1] as string;
  }
}

const PARSED = parse({ backends: { b0: { upstreams: [{ address: '127.0.0.1:1' }] } } });
const SERVER = PARSED.server;

function parseBackends(backends: readonly CheckedBackend[]): readonly BackendConfig[] {
  const named = backends.map(({ check, upstreams, upstream }, index) => [
    `b${index}`,
    {
      health_check: { interval: `${INTERVAL_MS}ms`, ...check },
      upstreams: upstreams.map((at) => ({
        address: typeof at === 'number' ? `127.0.0.1:${at}` : at,
        ...upstream,
      })),
    },
  ]);
  return parse({ backends: Object.fromEntries(named) }).backends;
}

function parse(loadBalancing: object) {
  const document = {
    server: { http_addr: '127.0.0.1:8080' },
    load_balancing: loadBalancing,
    routes: [{ path: '/**', backend: 'b0' }],
  };
  return parseConfig(JSON.stringify(document), { file: 'test.yaml', format: 'yaml', env: {} }).config;
}
