import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

/** The most files that may import each other in a circle, types included: a reader can keep three in mind. */
const MOST = 3;

/** The files of a folder that each of its files imports, types included. */
function importsIn(folder: string): ReadonlyMap<string, readonly string[]> {
  const files = globSync(`${folder}/**/*.ts`, { cwd: ROOT });
  const importsOf = (file: string): readonly string[] =>
    Array.from(readFileSync(join(ROOT, file), 'utf8').matchAll(/ from '(\.[^']+)'/g), ([, path]) =>
      join(dirname(file), path as string),
    ).filter((path) => files.includes(path));
  return new Map(files.map((file) => [file, importsOf(file)]));
}

/** All that can be reached from `start`, itself included. */
function reachable(imports: ReadonlyMap<string, readonly string[]>, start: string): ReadonlySet<string> {
  const found = new Set([start]);
  for (const file of found) for (const next of imports.get(file) ?? []) found.add(next);
  return found;
}

/** The groups of files in which each can be reached from each other. */
function circlesOf(imports: ReadonlyMap<string, readonly string[]>): readonly (readonly string[])[] {
  const reach = new Map(Array.from(imports.keys(), (file) => [file, reachable(imports, file)]));
  const circleOf = (file: string) =>
    [...(reach.get(file) ?? [])].filter((other) => reach.get(other)?.has(file)).toSorted();
  const circles = Array.from(imports.keys(), circleOf).filter(({ length }) => length > 1);
  return [...new Map(circles.map((circle) => [circle.join(), circle])).values()];
}

for (const folder of ['src/pipeline', 'src/net', 'src/upstream']) {
  test(`no circle of imports in ${folder} is larger than ${MOST} files`, () => {
    const imports = importsIn(folder);
    assert.ok(imports.size > 10);
    assert.deepEqual(
      circlesOf(imports).filter(({ length }) => length > MOST),
      [],
    );
  });
}

test('a circle is found over any number of files', () => {
  const imports = new Map([
    ['a', ['b']],
    ['b', ['c']],
    ['c', ['a', 'd']],
    ['d', []],
  ]);
  assert.deepEqual(circlesOf(imports), [['a', 'b', 'c']]);
});
