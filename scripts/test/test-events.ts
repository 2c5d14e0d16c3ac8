/** Each line of node:test's summary, in its order, and the count behind it. */
export const SUMMARY_LINES = [
  ['tests', 'tests'],
  ['suites', 'suites'],
  ['pass', 'passed'],
  ['fail', 'failed'],
  ['cancelled', 'cancelled'],
  ['skipped', 'skipped'],
  ['todo', 'todo'],
] as const;

export type CountName = (typeof SUMMARY_LINES)[number][1];

/** Why a test failed. node:test wraps the error of the test, which is then the cause. */
export interface TestError {
  readonly message?: string;
  readonly cause?: unknown;
  /** `subtestsFailed` for a suite whose tests failed, `testAborted` for a file that was stopped. */
  readonly failureType?: string;
  readonly exitCode?: number | null;
  readonly signal?: string | null;
}

/** An event of node:test, as far as it is read here. */
export interface TestEvent {
  readonly type: string;
  readonly data: {
    readonly name?: string;
    readonly nesting?: number;
    readonly file?: string;
    readonly line?: number;
    readonly column?: number;
    /** The test file of an event that comes from within it; without it the event is about the file as a whole. */
    readonly entryFile?: string;
    readonly testNumber?: number;
    readonly message?: string;
    readonly level?: string;
    readonly success?: boolean;
    readonly counts?: Readonly<Record<CountName, number>>;
    readonly details?: { readonly duration_ms?: number; readonly type?: string; readonly error?: TestError };
  };
}

/** Text among the output of the tests. */
export function printed(text: string): TestEvent {
  return { type: 'test:stdout', data: { message: `${text}\n` } };
}

/** A line at the end of a file or a run, as node:test writes its counts. */
export function remark(text: string): TestEvent {
  return { type: 'test:diagnostic', data: { nesting: 0, message: text, level: 'info' } };
}

/** True for the summary with which `run()` of node:test ends. */
export function isSummary({ type, data }: TestEvent): boolean {
  return data.file === undefined && (type === 'test:summary' || (type === 'test:diagnostic' && data.nesting === 0));
}
