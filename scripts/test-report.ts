import { mkdtempSync, rmSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { run } from 'node:test';
import { spec } from 'node:test/reporters';
import { pathWithDaemons } from './debian-packages.ts';
import { type TestGroup, TRANSPORTS, type Transport } from './test-groups.ts';

const TEST_TIMEOUT_MS = 120_000;

/** A run that says nothing for this long has a file that left something open; node:test itself would wait for ever. */
const SILENCE_MS = 180_000;

/** Each line of node:test's summary, in its order, and the count behind it. */
const SUMMARY_LINES = [
  ['tests', 'tests'],
  ['suites', 'suites'],
  ['pass', 'passed'],
  ['fail', 'failed'],
  ['cancelled', 'cancelled'],
  ['skipped', 'skipped'],
  ['todo', 'todo'],
] as const;

type CountName = (typeof SUMMARY_LINES)[number][1];

/** What this file reads of an event of node:test. */
interface TestEvent {
  readonly type: string;
  readonly data: {
    readonly file?: string;
    readonly nesting?: number;
    readonly message?: string;
    readonly level?: string;
    readonly success?: boolean;
    readonly counts?: Readonly<Record<CountName, number>>;
  };
}

/** One group of files on one transport; null for files that open no socket. */
interface TestRun {
  readonly group: TestGroup;
  readonly transport: Transport | null;
  /** With clients that speak TLS. */
  readonly overTls: boolean;
}

const message = (text: string): TestEvent => ({ type: 'test:stdout', data: { message: `${text}\n` } });

/** Test code that opens a gateway prints the transport that the gateway itself says it uses. */
const TRANSPORT_LINE = /^transport: (\S+)$/gm;

const title = ({ group, transport, overTls }: TestRun): string =>
  transport === null ? group.name : `${group.name}, transport ${transport}${overTls ? ', over TLS' : ''}`;

/** node:test ends every run with its own summary; ours, over all runs, replaces them. */
function isSummary({ type, data }: TestEvent): boolean {
  return data.file === undefined && (type === 'test:summary' || (type === 'test:diagnostic' && data.nesting === 0));
}

/** Where the tests run, and where Node keeps what it has compiled. */
interface TestPlace {
  readonly root: string;
  readonly compileCache: string;
}

async function* eventsOf({ group, transport, overTls }: TestRun, place: TestPlace): AsyncGenerator<TestEvent> {
  const { root, compileCache } = place;
  const silence = new AbortController();
  const giveUp = () => silence.abort(new Error(`The file still runs after ${SILENCE_MS / 1000} s without a word`));
  const timer = setTimeout(giveUp, SILENCE_MS);
  const events: AsyncIterable<TestEvent> = run({
    files: (overTls ? group.filesOverTls : group.files).map((file) => join(root, file)),
    cwd: root,
    // Files that open sockets in this process look at what happens when. Others compute, or wait for the processes that they start.
    concurrency: group.usesSockets ? 1 : availableParallelism(),
    timeout: TEST_TIMEOUT_MS,
    signal: silence.signal,
    env: {
      ...process.env,
      PATH: pathWithDaemons(),
      NODE_COMPILE_CACHE: compileCache,
      PHOTON_WIRE_TLS: overTls ? '1' : '',
      ...(transport === null ? {} : { PHOTON_TRANSPORT: transport }),
    },
  });
  for await (const event of events) {
    timer.refresh();
    yield event;
  }
  clearTimeout(timer);
}

/** Runs groups of test files one after the other, prints them as one run of node:test, and adds up their counts. */
class TestReport {
  readonly #place: TestPlace;
  readonly #startedMs = performance.now();
  readonly #counts = Object.fromEntries(SUMMARY_LINES.map(([, name]) => [name, 0])) as Record<CountName, number>;
  readonly #testsOn: Record<Transport, number> = { onread: 0, plain: 0 };
  /** The transports that gateways in the tests said they use. */
  readonly #seen = new Set<string>();
  #success = true;

  constructor(place: TestPlace) {
    this.#place = place;
  }

  get success(): boolean {
    return this.#success;
  }

  /** The events of all groups; the first group that fails is the last. */
  async *events(groups: readonly TestGroup[]): AsyncGenerator<TestEvent> {
    for (const testRun of groups.flatMap(runsOf)) {
      yield* this.#oneRun(testRun);
      if (!this.#success) {
        break;
      }
    }
    yield* this.#transportLine(groups);
    yield* this.#summary();
  }

  async *#oneRun(testRun: TestRun): AsyncGenerator<TestEvent> {
    const startedMs = performance.now();
    yield message(`\n=== ${title(testRun)}`);
    if (testRun.group.files.length === 0) {
      this.#success = false;
      yield message(`Cannot run the ${testRun.group.name} tests: there is no file in this group.`);
      return;
    }
    for await (const event of eventsOf(testRun, this.#place)) {
      if (!isSummary(event)) {
        yield event;
        yield* this.#noteTransport(testRun, event);
      } else if (event.data.counts !== undefined) {
        this.#add(testRun, event);
      }
    }
    yield message(`=== ${title(testRun)}: ${((performance.now() - startedMs) / 1000).toFixed(1)} s`);
  }

  #add({ transport }: TestRun, { data }: TestEvent): void {
    this.#success &&= data.success === true;
    for (const [, name] of SUMMARY_LINES) {
      this.#counts[name] += data.counts?.[name] ?? 0;
    }
    if (transport !== null) {
      this.#testsOn[transport] += data.counts?.tests ?? 0;
    }
  }

  /** A gateway that uses another transport than the run is for would make the run worthless. */
  *#noteTransport({ transport }: TestRun, { type, data }: TestEvent): Generator<TestEvent> {
    if (transport === null || type !== 'test:stdout') {
      return;
    }
    for (const [, used = ''] of data.message?.matchAll(TRANSPORT_LINE) ?? []) {
      this.#seen.add(used);
      if (used !== transport) {
        this.#success = false;
        yield message(`Cannot accept this run: want the transport ${transport}, a gateway used ${used}.`);
      }
    }
  }

  /** Says on which transports the socket tests ran, and fails the run unless gateways were seen to use both. */
  *#transportLine(groups: readonly TestGroup[]): Generator<TestEvent> {
    if (!groups.some((group) => group.usesSockets)) {
      return;
    }
    const ran = TRANSPORTS.map((transport) => `${transport} (${this.#testsOn[transport]} tests)`).join(', ');
    yield message(`\ntransports: ${ran}`);
    const missing = TRANSPORTS.filter((transport) => !this.#seen.has(transport));
    if (missing.length > 0) {
      this.#success = false;
      yield message(`Cannot accept this run: no gateway in the tests used the transport ${missing.join(' or ')}.`);
    }
  }

  *#summary(): Generator<TestEvent> {
    yield { type: 'test:summary', data: { success: this.#success } };
    const diagnostic = (text: string): TestEvent => ({
      type: 'test:diagnostic',
      data: { nesting: 0, message: text, level: 'info' },
    });
    for (const [label, name] of SUMMARY_LINES) {
      yield diagnostic(`${label} ${this.#counts[name]}`);
    }
    yield diagnostic(`duration_ms ${(performance.now() - this.#startedMs).toFixed(3)}`);
  }
}

function runsOf(group: TestGroup): readonly TestRun[] {
  const transports = group.usesSockets ? TRANSPORTS : [null];
  const runs = transports.map((transport) => ({ group, transport, overTls: false }));
  return group.filesOverTls.length === 0 ? runs : [...runs, ...runs.map((run) => ({ ...run, overTls: true }))];
}

/** Runs the groups and prints them in node:test's own form, with one summary at the end. True when all is well. */
export async function runTestGroups(groups: readonly TestGroup[], root: string): Promise<boolean> {
  // A run starts hundreds of processes that load the same files, and making JavaScript of those takes half of a start. It is kept for
  // this run alone: tests also load configurations in TypeScript, each at a path of its own, and what is kept of them would pile up.
  const compileCache = mkdtempSync(join(tmpdir(), 'photon-compiled-'));
  const report = new TestReport({ root, compileCache });
  try {
    await pipeline(Readable.from(report.events(groups)), new spec(), process.stdout, { end: false });
  } finally {
    // A process that is about to end may still write.
    rmSync(compileCache, { recursive: true, force: true, maxRetries: 10 });
  }
  return report.success;
}
