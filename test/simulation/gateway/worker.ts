import type { Clock } from '../../../src/base/clock.ts';
import { PasswordQueueState } from '../../../src/memory/password-queue.ts';
import type { SharedMemory } from '../../../src/memory/shared-memory.ts';
import type { ServingPlan } from '../../../src/messages/to-worker.ts';
import type { CustomChain } from '../../../src/middleware/custom/load-custom.ts';
import type { IoContext } from '../../../src/net/io-context.ts';
import { createOnreadTransport } from '../../../src/net/onread-transport.ts';
import { createPlainTransport } from '../../../src/net/plain-transport.ts';
import { TimerWheel } from '../../../src/net/timer-wheel.ts';
import type { Transport } from '../../../src/net/transport.ts';
import { AccessBlocks } from '../../../src/telemetry/access-blocks.ts';
import { DataPlane } from '../../../src/worker/data-plane.ts';
import { Random } from '../../support/random.ts';
import { FakeSockets } from '../net/fake-sockets.ts';
import type { Network } from '../net/network.ts';
import type { Planned, Scheduler, World } from '../world.ts';
import { simulatedCodings } from './coder.ts';
import type { SimulatedWakeUps } from './wake-ups.ts';

/** The year 2026, where all runs begin. */
const EPOCH_MS = 1_767_225_600_000;

export interface WorkerOptions {
  readonly world: World;
  readonly network: Network;
  readonly wakeUps: SimulatedWakeUps;
  readonly transport: 'onread' | 'plain';
  readonly gathers: boolean;
  readonly row: number;
  readonly shared: SharedMemory;
  readonly plan: ServingPlan;
  /** Makes the middleware of the plan, in the time of this worker. */
  readonly makeCustom: (scheduler: Scheduler) => CustomChain;
  readonly seed: number;
  readonly log: (level: string, event: string, fields: object) => void;
}

/** The lines of the access log go into the same memory in each run: nothing of it outlives its hand-over. */
const accessMemories: SharedArrayBuffer[] = [];

function accessMemoryOf(row: number): SharedArrayBuffer {
  const memory = accessMemories[row] ?? AccessBlocks.allocate();
  accessMemories[row] = memory;
  // No block of it is taken.
  new Uint8Array(memory).fill(0, 0, 64);
  return memory;
}

/** What the shared read buffer is overwritten with once its bytes have been heard. */
const SCRUB = 0x7e;

/** One worker of the gateway: a whole data plane. Nothing that it planned happens after its death. */
export class Worker implements Scheduler {
  readonly row: number;
  readonly plane: DataPlane;
  readonly #world: World;
  readonly accessLines: string[] = [];
  readonly #sockets: FakeSockets;
  #io: IoContext | null = null;
  #alive = true;
  #stalledUntilMs = -1;
  drained = false;

  constructor(options: WorkerOptions) {
    const { world, row, seed, log } = options;
    this.row = row;
    this.#world = world;
    const random = new Random(seed);
    const clock: Clock = { nowMs: () => world.nowMs };
    const accessMemory = accessMemoryOf(row);
    this.#sockets = this.#makeSockets(options);
    const blocks = new AccessBlocks(accessMemory);
    const chance = () => random.below(2 ** 30) / 2 ** 30;
    const say = (level: string) => (event: string, fields?: object) => log(level, event, fields ?? {});
    this.plane = new DataPlane({
      ...options.plan,
      ...{ shared: options.shared, row, clock, custom: options.makeCustom(this), accessMemory },
      log: { info: say('info'), warn: say('warn'), error: say('error') },
      accessSink: {
        handOver: (block, bytes) => {
          this.accessLines.push(...blocks.bytesOf(block).toString('latin1', 0, bytes).split('\n').filter(Boolean));
          blocks.free(block);
        },
        dropped: () => log('error', 'access-lines-dropped', {}),
      },
      wantKeySet: () => {},
      passwordQueue: PasswordQueueState.allocate(),
      checkPassword: () => {},
      ...(options.gathers ? { eventsAlone: 0 } : {}),
      platform: {
        transport: this.#transport(options),
        unixMs: () => EPOCH_MS + world.nowMs,
        random: chance,
        randomBytes: (length) => Buffer.from(Array.from({ length }, () => random.below(256))),
        afterEvents: (work, subject) => this.#afterEvents(() => work(subject)),
        wakeUps: {
          wait: (words, index, timeoutMs, woken) =>
            options.wakeUps.wait(words, index, timeoutMs, () => this.whenAwake('wake-up', woken)),
          notify: (words, index) => options.wakeUps.notify(words, index),
        },
        contentCodings: simulatedCodings(this, () => random.below(4) * random.below(8)),
      },
    });
    const tick = () => {
      this.plane.tick();
      this.after(TimerWheel.tickMs, 'tick', tick);
    };
    this.after(random.below(TimerWheel.tickMs), 'tick', tick);
  }

  #makeSockets({ network, row }: WorkerOptions): FakeSockets {
    const afterRead = (buffer: Buffer, length: number) => {
      if (buffer === this.#io?.buffers.shared) buffer.fill(SCRUB, 0, length);
    };
    return new FakeSockets({ world: this, network, row, afterRead });
  }

  #transport({ transport }: WorkerOptions): Transport {
    const sockets = this.#sockets;
    const real = transport === 'onread' ? createOnreadTransport(sockets) : createPlainTransport(sockets);
    // Every connection is made with the worker's own context: that is how it is come by here.
    return {
      name: real.name,
      createServer: (accept) => real.createServer(accept),
      adopt: (io, ...rest) => {
        this.#io = io;
        return real.adopt(io, ...rest);
      },
      connect: (io, ...rest) => {
        this.#io = io;
        return real.connect(io, ...rest);
      },
    };
  }

  get nowMs(): number {
    return this.#world.nowMs;
  }

  after(delayMs: number, label: string, work: () => void): Planned {
    return this.#world.after(delayMs, label, () => this.whenAwake(label, work));
  }

  whenAwake(label: string, work: () => void): void {
    if (!this.#alive) return;
    const leftMs = this.#stalledUntilMs - this.#world.nowMs;
    if (leftMs <= 0) work();
    else this.#world.after(leftMs, label, () => this.whenAwake(label, work));
  }

  /** When the thread turns again the system tells at once of all that has come meanwhile. */
  #afterEvents(work: () => void): void {
    const last = () => {
      if (this.#alive) work();
    };
    if (this.#world.nowMs > this.#stalledUntilMs) this.after(0, 'after events', work);
    else this.#world.atTheEndOf(this.#stalledUntilMs, 'after events', last);
  }

  get alive(): boolean {
    return this.#alive;
  }

  /** Buffers that somebody holds. */
  get leasedBuffers(): number {
    return this.#io?.buffers.leased ?? 0;
  }

  async listen(): Promise<void> {
    await this.plane.listen({ key: 'it', source: { host: '127.0.0.1', port: 80, reusePort: true }, secure: false });
  }

  async drain(): Promise<void> {
    await this.plane.drain();
    this.drained = true;
  }

  /** It does nothing for so long: the thread stands still. */
  stall(forMs: number): void {
    this.#stalledUntilMs = this.#world.nowMs + forMs;
  }

  /** It is gone from one moment to the next: the system closes its connections. */
  die(): void {
    this.#alive = false;
    this.#sockets.kill();
  }
}
