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

const titleOf = ({ group, transport, overTls }: TestPass): string =>
  transport === null ? group : `${group}, transport ${transport}${overTls ? ', over TLS' : ''}`;

/** Runs test files one after the other, prints them as one run of node:test, and adds up their counts. */
class TestReport {
  readonly #plan: TestPlan;
  readonly #startedMs = performance.now();
  readonly #counts = Object.fromEntries(SUMMARY_LINES.map(([, name]) => [name, 0])) as Record<CountName, number>;
  readonly #testsOn: Record<Transport, number> = { onread: 0, plain: 0 };
  /** The transports that gateways in the tests said they use. */
  readonly #seen = new Set<string>();
  /** Files with a gateway that used another transport. */
  readonly #refused = new Set<string>();
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
    // Files that open sockets in this process look at what happens when. Others compute, or wait for the processes that they start.
    const atOnce = pass.transport === null ? availableParallelism() : 1;
    yield* atOnce === 1 ? this.#oneAfterTheOther(pass) : this.#manyAtOnce(pass, atOnce);
    yield printed(`=== ${titleOf(pass)}: ${((performance.now() - startedMs) / 1000).toFixed(1)} s`);
  }

  async *#oneAfterTheOther(pass: TestPass): AsyncGenerator<TestEvent> {
    for (const file of pass.files) {
      if (!this.#plan.interrupted.aborted) {
        yield* this.#oneFile(file, pass);
      }
    }
  }

  /** The events of each file stay together: they come when the file has ended. */
  async *#manyAtOnce(pass: TestPass, atOnce: number): AsyncGenerator<TestEvent> {
    const waiting = [...pass.files];
    const running = new Map<string, Promise<{ readonly file: string; readonly events: readonly TestEvent[] }>>();
    for (;;) {
      while (running.size < atOnce && waiting.length > 0 && !this.#plan.interrupted.aborted) {
        const file = waiting.shift() as string;
        running.set(
          file,
          Array.fromAsync(runFile(file, pass, this.#plan)).then((events) => ({ file, events })),
        );
      }
      if (running.size === 0) {
        return;
      }
      const { file, events } = await Promise.race(running.values());
      running.delete(file);
      yield* this.#judged(events, file, pass);
    }
  }

  async *#oneFile(file: string, pass: TestPass): AsyncGenerator<TestEvent> {
    if (this.#plan.name !== null) {
      yield* this.#judged(await Array.fromAsync(runFile(file, pass, this.#plan)), file, pass);
      return;
    }
    for await (const event of runFile(file, pass, this.#plan)) {
      yield* this.#judgedOne(event, file, pass);
    }
  }

  *#judged(events: readonly TestEvent[], file: string, pass: TestPass): Generator<TestEvent> {
    if (this.#plan.name !== null && !hasTests(events)) {
      return;
    }
    for (const event of events) {
      yield* this.#judgedOne(event, file, pass);
    }
  }

  *#judgedOne(event: TestEvent, file: string, pass: TestPass): Generator<TestEvent> {
    if (event.type === 'test:summary' && event.data.file === undefined) {
      this.#add(pass, event);
      return;
    }
    if (!this.#plan.interrupted.aborted) {
      this.#plan.failures.note(event, file, pass);
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
