import { availableParallelism } from 'node:os';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { spec } from 'node:test/reporters';
import type { Failures } from './failures.ts';
import { type CountName, printed, remark, SUMMARY_LINES, type TestEvent } from './test-events.ts';
import { runFile, type TestPlace } from './test-file.ts';
import { passesOf, type TestGroup, type TestPass, type TestWays, type Transport } from './test-groups.ts';

/** What runs, and how. */
export interface TestPlan extends TestPlace {
  readonly groups: readonly TestGroup[];
  readonly ways: TestWays;
  /** True when the groups are whole: then gateways have to be seen on every transport. */
  readonly isWhole: boolean;
  readonly failures: Failures;
}

/** Test code that opens a gateway prints the transport that the gateway itself says it uses. */
const TRANSPORT_LINE = /^transport: (\S+)$/gm;

const SLOWEST_FILES = 12;

const titleOf = ({ group, transport, overTls }: TestPass): string =>
  transport === null ? group : `${group}, transport ${transport}${overTls ? ', over TLS' : ''}`;

/** The events of one file as they come; they end with the file. */
interface FileEvents {
  readonly file: string;
  readonly events: Readable;
}

/** Runs test files, prints them as one run of node:test, and adds up their counts. */
class TestReport {
  readonly #plan: TestPlan;
  readonly #startedMs = performance.now();
  readonly #counts = Object.fromEntries(SUMMARY_LINES.map(([, name]) => [name, 0])) as Record<CountName, number>;
  readonly #testsOn: Record<Transport, number> = { onread: 0, plain: 0 };
  /** The transports that gateways in the tests said they use. */
  readonly #seen = new Set<string>();
  /** Files with a gateway that used another transport. */
  readonly #refused = new Set<string>();
  readonly #durations: { readonly file: string; readonly pass: TestPass; readonly ms: number }[] = [];
  #success = true;

  constructor(plan: TestPlan) {
    this.#plan = plan;
  }

  get success(): boolean {
    return this.#success;
  }

  async *events(): AsyncGenerator<TestEvent> {
    const { groups, ways, interrupted, name, seed } = this.#plan;
    yield printed(`\nPHOTON_FUZZ_SEED=${seed}`);
    for (const group of groups) {
      yield* this.#refuseEmpty(group);
      for (const pass of passesOf(group, ways)) {
        if (!interrupted.aborted) {
          yield* this.#onePass(pass);
        }
      }
    }
    if (!interrupted.aborted) {
      yield* this.#transportLine();
      yield* this.#slowestFiles();
    }
    if (name !== null && this.#counts.tests === 0) {
      yield* this.#refuse('no test', `Cannot find a test with "${name}" in its name.`, null);
    }
    yield* this.#summary();
  }

  *#refuse(name: string, reason: string, command: string | null): Generator<TestEvent> {
    this.#success = false;
    this.#plan.failures.add({ name, place: null, reason, command });
    yield printed(reason);
  }

  *#refuseEmpty({ name, files }: TestGroup): Generator<TestEvent> {
    if (files.length === 0) {
      const reason = `Cannot run the ${name} tests: there is no file in this group.`;
      yield* this.#refuse(name, reason, `npm test -- ${name}`);
    }
  }

  async *#onePass(pass: TestPass): AsyncGenerator<TestEvent> {
    const startedMs = performance.now();
    yield printed(`\n=== ${titleOf(pass)}`);
    for (const { file, events } of this.#start(pass)) {
      for await (const event of events) {
        yield* this.#judged(event as TestEvent, file, pass);
      }
    }
    yield printed(`=== ${titleOf(pass)}: ${((performance.now() - startedMs) / 1000).toFixed(1)} s`);
  }

  /** Runs files side by side. The events of each are printed together, in the order of the files, and noted as they come. */
  #start(pass: TestPass): readonly FileEvents[] {
    const runs = pass.files.map((file) => ({ file, events: new Readable({ objectMode: true, read() {} }) }));
    const waiting = runs.values();
    const runSome = async () => {
      for (const { file, events } of waiting) {
        if (!this.#plan.interrupted.aborted) {
          await this.#run(file, pass, events);
        }
        events.push(null);
      }
    };
    const atOnce = pass.fillsMachine ? 1 : availableParallelism();
    for (let runner = 0; runner < atOnce; runner++) {
      runSome().catch((error: Error) => {
        for (const { events } of runs) events.destroy(error);
      });
    }
    return runs;
  }

  async #run(file: string, pass: TestPass, output: Readable): Promise<void> {
    const { name, interrupted, failures } = this.#plan;
    const note = failures.ofFile(file, pass);
    const all: TestEvent[] = [];
    const startedMs = performance.now();
    for await (const event of runFile(file, pass, this.#plan)) {
      if (!interrupted.aborted) {
        note(event);
      }
      if (name === null) {
        output.push(event);
      } else {
        all.push(event);
      }
    }
    this.#durations.push({ file, pass, ms: performance.now() - startedMs });
    if (hasTests(all)) {
      for (const event of all) output.push(event);
    }
  }

  *#judged(event: TestEvent, file: string, pass: TestPass): Generator<TestEvent> {
    if (event.type === 'test:summary' && event.data.file === undefined) {
      this.#add(pass, event);
      return;
    }
    yield event;
    yield* this.#noteTransport(file, pass, event);
  }

  #add({ transport }: TestPass, { data }: TestEvent): void {
    this.#success &&= data.success === true;
    for (const [, name] of SUMMARY_LINES) {
      this.#counts[name] += data.counts?.[name] ?? 0;
    }
    if (transport !== null) {
      this.#testsOn[transport] += data.counts?.tests ?? 0;
    }
  }

  /** A gateway that uses another transport than the run is for would make the run worthless. */
  *#noteTransport(file: string, pass: TestPass, { type, data }: TestEvent): Generator<TestEvent> {
    if (pass.transport === null || type !== 'test:stdout') {
      return;
    }
    for (const [, used = ''] of data.message?.matchAll(TRANSPORT_LINE) ?? []) {
      this.#seen.add(used);
      if (used !== pass.transport && !this.#refused.has(file)) {
        this.#refused.add(file);
        const reason = `Cannot accept this run: want the transport ${pass.transport}, a gateway used ${used}.`;
        yield* this.#refuse(file, reason, `PHOTON_TRANSPORT=${pass.transport} npm test -- ${file}`);
      }
    }
  }

  /** Says on which transports the socket tests ran, and fails a whole run unless gateways were seen to use each. */
  *#transportLine(): Generator<TestEvent> {
    const { groups, ways, isWhole } = this.#plan;
    const names = groups.filter((group) => group.usesSockets).map(({ name }) => name);
    if (names.length === 0) {
      return;
    }
    const ran = ways.transports.map((transport) => `${transport} (${this.#testsOn[transport]} tests)`).join(', ');
    yield printed(`\ntransports: ${ran}`);
    const missing = ways.transports.filter((transport) => !this.#seen.has(transport));
    if (isWhole && missing.length > 0) {
      const reason = `Cannot accept this run: no gateway in the tests used the transport ${missing.join(' or ')}.`;
      yield* this.#refuse('transports', reason, `npm test -- ${names.join(' ')}`);
    }
  }

  *#slowestFiles(): Generator<TestEvent> {
    const slowest = this.#durations.toSorted((a, b) => b.ms - a.ms).slice(0, SLOWEST_FILES);
    const lines = slowest.map(({ file, pass, ms }) => `  ${(ms / 1000).toFixed(1)} s ${file} (${titleOf(pass)})`);
    yield printed(`\nslowest files:\n${lines.join('\n')}`);
  }

  *#summary(): Generator<TestEvent> {
    yield { type: 'test:summary', data: { success: this.#success } };
    for (const [label, name] of SUMMARY_LINES) {
      yield remark(`${label} ${this.#counts[name]}`);
    }
    yield remark(`duration_ms ${(performance.now() - this.#startedMs).toFixed(3)}`);
  }
}

/** False when the name that is asked for has left no test of the file. */
function hasTests(events: readonly TestEvent[]): boolean {
  return events.some(
    ({ type, data }) => type === 'test:fail' || (type === 'test:pass' && data.entryFile !== undefined),
  );
}

/** Runs the groups and prints them in node:test's own form, with one summary at the end. True when all is well. */
export async function runTestGroups(plan: TestPlan): Promise<boolean> {
  const report = new TestReport(plan);
  await pipeline(Readable.from(report.events()), new spec(), process.stdout, { end: false });
  return report.success;
}
