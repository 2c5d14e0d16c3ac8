/**
 * npm run simulate -- --mutants [--count N] [--seed N] [--exchanges N] [--only N,N,...]
 *
 * Puts one small fault after the other into a copy and lets the simulator hunt for it: what it does not find shows what the generator and
 * the oracle lack. Mutants are made by rule and drawn by seed, not chosen.
 */
import { execFile } from 'node:child_process';
import { cpSync, globSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Random } from '../support/random.ts';
import { KNOWN_FAULTS, type KnownFault } from './known-faults.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

/** A change of one line. */
interface Mutant {
  readonly file: string;
  readonly line: number;
  readonly before: string;
  readonly after: string;
}

export interface MutantOptions {
  readonly count: number;
  readonly seed: number;
  /** How many exchanges a mutant may survive. */
  readonly exchanges: number;
  /** The numbers of those to hunt, of the ones that are drawn; null for all, and for the faults of before. */
  readonly only: readonly number[] | null;
}

const FILES = 'src/{pipeline,net,upstream}/**/*.ts';
/** What the simulator does not play. */
const NOT_PLAYED = /tls|secure|certificate|proxy-header|prefaced|lingering-tls|connect-attempt|slow-start|bind/;

/** From here on the code as it is has no finding for many thousands of exchanges. */
const FIRST_SEED = '1001008';

/** Statements that give something up or take it back: each is left out. */
const CALL =
  /^\s*(?:[\w.#?()!]+\.)?#?(?:arm|disarm|cancel|leave|release|pause|resume|unschedule|pauseRequest|resumeRequest|pauseResponse|resumeResponse|destroy|reset|clear|abandon|stop|settle|close|wake|removeWaiter|left|joined|idleChanged|abort|pauseReading|resumeReading)\([^;]*\);$/;
/** Guards: each is turned round. */
const GUARD = /^(\s*(?:else )?if \()(.+)(\) (?:return|throw|\{|[\w.#?]+\().*)$/;

function* mutantsOf(file: string): Iterable<Mutant> {
  for (const [index, text] of readFileSync(join(ROOT, file), 'utf8').split('\n').entries()) {
    const base = { file, line: index + 1, before: text };
    // A statement that does nothing, so that what follows an `if` without braces stays outside of it.
    if (CALL.test(text)) yield { ...base, after: ';' };
    const guard = GUARD.exec(text);
    if (guard !== null && balanced(guard[2] as string))
      yield { ...base, after: `${guard[1]}!(${guard[2]})${guard[3]}` };
  }
}

function balanced(text: string): boolean {
  let depth = 0;
  for (const letter of text) {
    if (letter === '(') depth++;
    if (letter === ')' && --depth < 0) return false;
  }
  return depth === 0;
}

/** A fault that is hunted, and the files that it changes. */
interface Hunted {
  readonly text: string;
  readonly changed: () => ReadonlyMap<string, string>;
}

/** Where this one does not survive the seeds have a finding without any fault, and what was found later than that proves nothing. */
const UNCHANGED: Hunted = { text: 'the code as it is', changed: () => new Map() };

/** Returns how many survived. Each processor hunts one fault at a time, in a copy of its own. */
export async function huntMutants({ count, seed, exchanges, only }: MutantOptions): Promise<number> {
  const all = globSync(FILES, { cwd: ROOT })
    .filter((file) => !NOT_PLAYED.test(file))
    .sort()
    .flatMap((file) => [...mutantsOf(file)]);
  console.log(`${all.length} mutants by rule; ${count} of them drawn with the seed ${seed}`);
  const hunted: readonly Hunted[] = [
    UNCHANGED,
    ...(only === null ? KNOWN_FAULTS.map((fault) => ({ text: fault.name, changed: () => putBack(fault) })) : []),
    ...drawMutants(all, count, new Random(seed)).filter((_mutant, index) => only?.includes(index + 1) ?? true),
  ];
  const left = hunted.values();
  let survivors = 0;
  async function huntInCopy(): Promise<void> {
    const copy = makeCopy();
    try {
      for (const { text, changed } of left) {
        const verdict = await hunt(copy, changed(), exchanges);
        if (verdict === 'survived' && text !== UNCHANGED.text) survivors++;
        console.log(`${verdict}: ${text}`);
      }
    } finally {
      rmSync(copy, { recursive: true });
    }
  }
  await Promise.all(Array.from({ length: availableParallelism() }, huntInCopy));
  console.log(`${survivors} of ${hunted.length - 1} survived`);
  return survivors;
}

function drawMutants(all: readonly Mutant[], count: number, random: Random): readonly Hunted[] {
  const left = [...all];
  return Array.from({ length: Math.min(count, all.length) }, (_, index) => {
    // Sound: as many are left as are drawn.
    const [mutant] = left.splice(random.below(left.length), 1) as [Mutant];
    const { file, line, before, after } = mutant;
    const what = after === ';' ? 'left out' : 'turned round';
    return { text: `${index + 1} ${file}:${line} ${before.trim()} (${what})`, changed: () => mutated(mutant) };
  });
}

function makeCopy(): string {
  const copy = mkdtempSync(join(tmpdir(), 'photon-mutants-'));
  for (const folder of ['src', 'test/simulation', 'test/support'])
    cpSync(join(ROOT, folder), join(copy, folder), { recursive: true });
  for (const file of ['package.json', 'tsconfig.json']) cpSync(join(ROOT, file), join(copy, file));
  symlinkSync(join(ROOT, 'node_modules'), join(copy, 'node_modules'));
  return copy;
}

/** Lets the simulator hunt in a copy in which these files are other than ours. */
async function hunt(copy: string, changed: ReadonlyMap<string, string>, exchanges: number): Promise<string> {
  for (const [file, text] of changed) writeFileSync(join(copy, file), text);
  try {
    const { stdout, stderr, isQuiet } = await runHunt(copy, exchanges);
    if (isQuiet) return 'survived';
    const found = /after (\d+) exchanges:\n {2}([^:]+):/.exec(stdout);
    if (found !== null) return `found after ${found[1]} exchanges as ${found[2]}`;
    return `found at once as ${/(\w*Error): /.exec(stderr)?.[1] ?? 'a crash'}`;
  } finally {
    for (const file of changed.keys()) cpSync(join(ROOT, file), join(copy, file));
  }
}

function runHunt(copy: string, exchanges: number): Promise<{ stdout: string; stderr: string; isQuiet: boolean }> {
  const main = join(copy, 'test/simulation/main.ts');
  const args = ['--disable-warning=ExperimentalWarning', main, '--hunt', String(exchanges), '--seed', FIRST_SEED];
  // What is the same in each copy is compiled once.
  const env = { ...process.env, NODE_COMPILE_CACHE: join(copy, '.compiled') };
  const options = { cwd: copy, env, maxBuffer: 64 * 1024 * 1024 };
  return new Promise((resolve) => {
    execFile(process.execPath, args, options, (error, stdout, stderr) =>
      resolve({ stdout, stderr, isQuiet: error === null }),
    );
  });
}

function mutated({ file, line, after }: Mutant): ReadonlyMap<string, string> {
  const lines = readFileSync(join(ROOT, file), 'utf8').split('\n');
  lines[line - 1] = after;
  return new Map([[file, lines.join('\n')]]);
}

function putBack({ name, edits }: KnownFault): ReadonlyMap<string, string> {
  const changed = new Map<string, string>();
  for (const { file, before, after } of edits) {
    const text = changed.get(file) ?? readFileSync(join(ROOT, file), 'utf8');
    if (!text.includes(before)) throw new Error(`Cannot put back "${name}": ${file} has no ${JSON.stringify(before)}`);
    changed.set(
      file,
      text.replace(before, () => after),
    );
  }
  return changed;
}
