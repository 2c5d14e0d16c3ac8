import { createHash } from 'node:crypto';
import { globSync, readFileSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import type { Finding } from './target.ts';

const ROOT = join(import.meta.dirname, '../..');

/** What was found once, with what was wrong then: a file of `test/fuzz/found`. */
export interface Found {
  readonly file: string;
  readonly why: string;
  readonly input: unknown;
}

const filePrefix = (targetName: string): string => targetName.replaceAll(' ', '-');

/** All that was ever found about a target. */
export function foundAbout(targetName: string): readonly Found[] {
  const files = globSync(`test/fuzz/found/${filePrefix(targetName)}-*.json`, { cwd: ROOT }).sort();
  return files.map((file) => ({ file, ...JSON.parse(readFileSync(join(ROOT, file), 'utf8')) }));
}

/** Keeps a finding for every later run; returns its file. */
export function keep(targetName: string, { input, why }: Finding<unknown>): string {
  const digest = createHash('sha256').update(JSON.stringify(input)).digest('hex').slice(0, 8);
  const file = join(ROOT, `test/fuzz/found/${filePrefix(targetName)}-${digest}.json`);
  writeFileSync(file, `${JSON.stringify({ why, input }, null, 2)}\n`);
  return relative(ROOT, file);
}
