import { chmodSync, existsSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { run } from 'node:test';
import { fileURLToPath } from 'node:url';
import { pathWithDaemons } from './debian-packages.ts';
import { removeAll, removeLeftovers } from './leftovers.ts';
import { isSummary, printed, type TestError, type TestEvent } from './test-events.ts';
import type { TestPass } from './test-groups.ts';

/** One test may take this long. It is many times what the longest takes on a busy machine. */
const TEST_TIMEOUT_MS = 300_000;

/** A file that says nothing for this long has something open that it waits for; node:test itself would wait for ever. */
const SILENCE_MS = Number(process.env['PHOTON_TEST_SILENCE_MS'] ?? 360_000);

const SEED_PROPERTIES = fileURLToPath(new URL('./seed-properties.ts', import.meta.url));

/** What all files of a run have in common. */
export interface TestPlace {
  readonly root: string;
  /** The temporary directory of the run. Each file gets a directory in it. */
  readonly directory: string;
  /** What everything random in the tests starts from. */
  readonly seed: number;
  /** The tests whose full name contains this text; null: all of them. */
  readonly name: string | null;
  readonly interrupted: AbortSignal;
}

let directories = 0;

/** What a test that reads it has to be repeated with. */
export function environmentOf({ transport, overTls }: TestPass, seed: number): Readonly<Record<string, string>> {
  return {
    ...(transport === null ? {} : { PHOTON_TRANSPORT: transport, PHOTON_WIRE_TLS: overTls ? '1' : '0' }),
    PHOTON_FUZZ_SEED: String(seed),
  };
}

/** True for a file with fast-check in it. Its properties get the seed of the run. */
const hasProperties = (path: string): boolean => readFileSync(path, 'utf8').includes("'fast-check'");

/** Runs one file in a process of its own. The last event is the summary of this file, leftovers included. */
export async function* runFile(file: string, pass: TestPass, place: TestPlace): AsyncGenerator<TestEvent> {
  const { root, directory, seed, name, interrupted } = place;
  const path = join(root, file);
  const temporary = join(directory, String(++directories));
  mkdirSync(temporary);
  // As /tmp is.
  chmodSync(temporary, 0o1777);
  const silence = new AbortController();
  const running = new RunningTests();
  const timer = setTimeout(() => silence.abort(), SILENCE_MS);
  const events: AsyncIterable<TestEvent> = run({
    files: [path],
    cwd: root,
    timeout: TEST_TIMEOUT_MS,
    signal: AbortSignal.any([silence.signal, interrupted]),
    execArgv: hasProperties(path) ? ['--import', SEED_PROPERTIES] : [],
    ...(name === null ? {} : { testNamePatterns: [new RegExp(RegExp.escape(name))] }),
    env: {
      ...process.env,
      ...environmentOf(pass, seed),
      PATH: pathWithDaemons(),
      TMPDIR: temporary,
      NODE_COMPILE_CACHE: join(directory, 'compiled'),
    },
  });
  let summary: TestEvent | null = null;
  for await (const event of events) {
    timer.refresh();
    running.note(event);
    if (event.type === 'test:summary' && isSummary(event)) {
      summary = event;
    } else if (interrupted.aborted && isAboutFile(event)) {
      // node:test would count the file as a test that failed.
    } else if (!isSummary(event)) {
      yield silence.signal.aborted && isAboutFile(event) ? running.explain(event) : event;
    }
  }
  clearTimeout(timer);
  if (interrupted.aborted) {
    yield printed(`\nInterrupted in ${file}: ${running.names || 'between its tests'}`);
  }
  if (silence.signal.aborted || interrupted.aborted) {
    await removeAll(temporary);
  }
  const left = existsSync(temporary) ? await removeLeftovers(temporary) : [];
  if (left.length > 0) {
    yield* failure(path, `${file} leaves nothing behind`, `It left ${left.join(', ')}`);
    summary = withOneFailure(summary);
  }
  if (summary !== null) {
    yield summary;
  }
}

/** False for what a test within the file reports. */
const isAboutFile = ({ type, data }: TestEvent): boolean =>
  data.entryFile === undefined && (type === 'test:start' || type === 'test:fail');

/** The tests of a file that have begun and not ended. */
class RunningTests {
  readonly #names = new Map<string, string>();

  note({ type, data }: TestEvent): void {
    const { name = '', line, column, nesting, entryFile } = data;
    if (entryFile === undefined) {
      return;
    }
    const key = `${nesting} ${line} ${column} ${name}`;
    if (type === 'test:dequeue') {
      this.#names.set(key, name);
    } else if (type === 'test:complete') {
      this.#names.delete(key);
    }
  }

  /** Their names in quotation marks; empty when there are none. */
  get names(): string {
    return [...this.#names.values()].map((name) => `"${name}"`).join(', ');
  }

  /** Lets the failure of a file that was stopped say what it waited for. */
  explain(event: TestEvent): TestEvent {
    const { type, data } = event;
    if (type !== 'test:fail') {
      return event;
    }
    const { names } = this;
    const cause =
      names === '' ? 'its tests have ended, and something is still open' : `these tests did not end: ${names}`;
    const error = new Error(`The file said nothing for ${SILENCE_MS / 1000} s and was stopped; ${cause}`);
    return { type, data: { ...data, details: { ...data.details, error: asTestError(error) } } };
  }
}

function asTestError(error: Error): TestError {
  return Object.assign(error, { failureType: 'testCodeFailure', cause: error.message });
}

function* failure(path: string, name: string, reason: string): Generator<TestEvent> {
  const about = { name, nesting: 0, file: path, line: 1, column: 1, testNumber: 0 };
  const error = asTestError(new Error(reason));
  yield { type: 'test:start', data: about };
  yield { type: 'test:fail', data: { ...about, details: { duration_ms: 0, type: 'test', error } } };
}

function withOneFailure(summary: TestEvent | null): TestEvent | null {
  const counts = summary?.data.counts;
  if (summary === null || counts === undefined) {
    return null;
  }
  const { tests, failed } = counts;
  return { ...summary, data: { success: false, counts: { ...counts, tests: tests + 1, failed: failed + 1 } } };
}
