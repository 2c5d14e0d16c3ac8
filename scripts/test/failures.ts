import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TestError, TestEvent } from './test-events.ts';
import { environmentOf } from './test-file.ts';
import { runsOverTls, type TestPass } from './test-groups.ts';

const REASON_CHARS = 200;
/** Above the differences in the message of an AssertionError. */
const DIFF_HEADER = /^\+ actual - expected/;

/** One thing that failed, as the end of a run shows it. */
export interface Failure {
  readonly name: string;
  /** File and line, and in which way the file ran; null for a check. */
  readonly place: string | null;
  readonly reason: string;
  /** The command that repeats it; null where there is nothing to repeat. */
  readonly command: string | null;
}

/** Variables that a run passes on to its tests, where they are set. */
const PASSED_ON = ['PHOTON_FUZZ_RUNS', 'PHOTON_TEST_GUARD_MS'];

/** Collects the failures in the events of a run. */
export class Failures {
  readonly #root: string;
  readonly #seed: number;
  readonly #found: Failure[] = [];

  constructor(root: string, seed: number) {
    this.#root = root;
    this.#seed = seed;
  }

  get found(): readonly Failure[] {
    return this.#found;
  }

  add(failure: Failure): void {
    this.#found.push(failure);
  }

  /** Returns what the events of one file are to be shown to, in their order. */
  ofFile(file: string, pass: TestPass): (event: TestEvent) => void {
    // The names of the tests that have started and whose results are still to come: suites, and the test in them.
    let started: readonly string[] = [];
    return ({ type, data }) => {
      const { name = '', nesting = 0, details } = data;
      if (type === 'test:start') {
        started = [...started.slice(0, nesting), name];
      } else if (type === 'test:fail' && details?.error?.failureType !== 'subtestsFailed') {
        this.add(this.#failureOf(data, [...started.slice(0, nesting), name], file, pass));
      }
    };
  }

  #failureOf(data: TestEvent['data'], names: readonly string[], file: string, pass: TestPass): Failure {
    const isWholeFile = data.entryFile === undefined;
    const way = pass.transport === null ? '' : ` (transport ${pass.transport}${pass.overTls ? ', over TLS' : ''})`;
    const path = join(this.#root, file);
    return {
      name: isWholeFile ? (data.name ?? '').replace(path, file) : names.join(' > '),
      place: `${file}${isWholeFile ? '' : linesOf(data, path)}${way}`,
      reason: reasonOf(data.details?.error),
      command: this.#commandOf(isWholeFile ? null : names.join(' '), file, pass),
    };
  }

  #commandOf(name: string | null, file: string, pass: TestPass): string {
    const environment: Record<string, string | undefined> = { ...environmentOf(pass, this.#seed) };
    if (!runsOverTls(file)) {
      delete environment['PHOTON_WIRE_TLS'];
    }
    if (!isRandom(join(this.#root, file))) {
      delete environment['PHOTON_FUZZ_SEED'];
    }
    for (const variable of PASSED_ON) {
      environment[variable] = process.env[variable];
    }
    const set = Object.entries(environment).flatMap(([key, value]) =>
      value === undefined ? [] : [`${key}=${value} `],
    );
    return `${set.join('')}npm test -- ${quoted(file)}${name === null ? '' : ` --name ${quoted(name)}`}`;
  }
}

/** Whether anything in the file depends on the seed. */
function isRandom(path: string): boolean {
  return /fast-check|\/seed\.ts|FUZZ_SEED/.test(readFileSync(path, 'utf8'));
}

/**
 * The line of the test, and the line that failed. node:test takes the file that calls `test` for the place of a test,
 * which is another one where a function such as `wire` does it. The test is then found by its name, or by what failed.
 */
function linesOf({ file, line, name, details }: TestEvent['data'], path: string): string {
  const { cause } = details?.error ?? {};
  const stack = cause instanceof Error ? (cause.stack ?? '') : '';
  const failed = new RegExp(`${RegExp.escape(path)}:(\\d+)`).exec(stack)?.[1];
  const defined = file === path ? line : lineWith(name ?? '', readFileSync(path, 'utf8'));
  if (defined === undefined) {
    return failed === undefined ? '' : `:${failed}`;
  }
  return failed === undefined || failed === String(defined) ? `:${defined}` : `:${defined}, failed at line ${failed}`;
}

/** The number of the first line with `name` as a literal; undefined where there is none. */
function lineWith(name: string, text: string): number | undefined {
  const index = text
    .split('\n')
    .findIndex((line) => ["'", '"', '`'].some((quote) => line.includes(quote + name + quote)));
  return index < 0 ? undefined : index + 1;
}

/** The message of the error in one line, and how the process ended if that is all there is to say. */
function reasonOf(error: TestError | undefined): string {
  const { exitCode, signal } = error ?? {};
  if (exitCode !== undefined || signal !== undefined) {
    return signal === null || signal === undefined
      ? `The process of the file ended with exit code ${exitCode}`
      : `The process of the file ended by ${signal}`;
  }
  const cause = error?.cause instanceof Error ? error.cause.message : (error?.cause ?? error?.message);
  const lines = String(cause ?? 'without a reason').split('\n');
  const [first = ''] = lines;
  const kept = lines.some((line) => DIFF_HEADER.test(line)) ? [first, ...lines.filter(isDifference)] : lines;
  const text = kept.join(' ').replace(/\s+/g, ' ').trim();
  return text.length > REASON_CHARS ? `${text.slice(0, REASON_CHARS)}...` : text;
}

const isDifference = (line: string): boolean => /^[+-] /.test(line) && !DIFF_HEADER.test(line);

/** A word for a POSIX shell, or for bash where the text has control characters. */
function quoted(text: string): string {
  if (/^[\w./:@%+=,-]+$/.test(text)) {
    return text;
  }
  if (!/[\x00-\x1f\x7f]/.test(text)) {
    return `'${text.replaceAll("'", "'\\''")}'`;
  }
  const escaped = text.replace(/[\\']/g, '\\$&');
  return `$'${escaped.replace(/[\x00-\x1f\x7f]/g, (byte) => `\\x${byte.charCodeAt(0).toString(16).padStart(2, '0')}`)}'`;
}

/** The lines with which a run ends. Empty when nothing failed. */
export function formatFailures(failures: readonly Failure[]): string {
  const blocks = failures.map(({ name, place, reason, command }) =>
    [`✖ ${name}`, ...[place, reason, command].filter((line) => line !== null).map((line) => `  ${line}`)].join('\n'),
  );
  return blocks.length === 0 ? '' : `\nWhat failed, and how to repeat it:\n\n${blocks.join('\n\n')}\n`;
}
