import assert from 'node:assert/strict';
import { existsSync, globSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { parseConfig } from '../../src/config/parse-config.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

const DOCUMENT_FOLDERS = ['docs', 'docs/middleware'];

/** The documents for users, as paths from the root. */
const DOCUMENTS = ['README.md', ...DOCUMENT_FOLDERS.flatMap((folder) => documentsIn(folder))];

function isMarkdown(name: string): boolean {
  return name.endsWith('.md');
}

function documentsIn(folder: string): string[] {
  return readdirSync(join(ROOT, folder))
    .filter(isMarkdown)
    .map((name) => join(folder, name));
}

const textOf = (document: string): string => readFileSync(join(ROOT, document), 'utf8');

function matches(text: string, pattern: RegExp): string[] {
  return [...text.matchAll(pattern)].map((match) => match[1] ?? '');
}

test('every configuration in the documents loads without a warning', () => {
  let seen = 0;
  for (const document of DOCUMENTS) {
    for (const yaml of matches(textOf(document), /^```yaml\n([\s\S]*?)^```$/gm)) {
      const { warnings } = parseConfig(yaml, { file: document, format: 'yaml', env: {} });
      assert.deepEqual(warnings, [], document);
      seen++;
    }
  }
  assert.ok(seen > 0, 'no configuration was found');
});

test('every example names the JSON Schema to editors', () => {
  const examples = globSync('examples/**/*.yaml', { cwd: ROOT });
  assert.ok(examples.length > 0, 'no example was found');
  for (const example of examples) {
    const [schema = ''] = matches(textOf(example), /^# yaml-language-server: \$schema=(.+)$/gm);
    assert.equal(resolve(ROOT, dirname(example), schema), join(ROOT, 'docs/photon.schema.json'), example);
  }
});

test('every link of the documents into the repository leads somewhere', () => {
  for (const document of DOCUMENTS) {
    for (const link of matches(textOf(document), /\]\((?!https?:|#)([^)#]+)\)/g)) {
      assert.ok(existsSync(resolve(ROOT, dirname(document), link)), `${document} links to ${link}`);
    }
  }
});

test('every source file that the life of a request names is there', () => {
  const named = matches(textOf('docs/life-of-a-request.md'), /`((?:[a-z0-9-]+\/)+[a-z0-9-]+\.ts)`/g);
  assert.ok(named.length > 20, 'hardly any file was found');
  for (const file of named) {
    assert.ok(existsSync(join(ROOT, 'src', file)) || existsSync(join(ROOT, file)), file);
  }
});

test('every test that the page on security names is there', () => {
  const named = matches(textOf('docs/security.md'), /`(test\/[a-z0-9./-]+)`/g);
  assert.ok(named.length > 25, 'hardly any test was found');
  for (const file of named) assert.ok(existsSync(join(ROOT, file)), file);
});

test('the documents, package.json and the programs want the same versions of Node', () => {
  const [host] = matches(textOf('scripts/setup.mjs'), /OLDEST_HOST = (\d+)/g);
  const [oldest] = matches(textOf('src/main.ts'), /OLDEST_NODE = (\d+)/g);
  const { engines, devEngines, devDependencies } = JSON.parse(textOf('package.json'));
  assert.deepEqual(devEngines.runtime, { name: 'node', version: `>=${host}` });
  assert.deepEqual(engines, { node: `>=${oldest}` });
  const pinned = String(devDependencies.node).split('.')[0];
  const versions = matches(textOf('README.md'), /Node (\d+)/g);
  assert.deepEqual(versions.slice(0, 3), [host, pinned, oldest]);
  assert.deepEqual(matches(textOf('CONTRIBUTING.md'), /You need Node (\d+)/g), [host]);
});
