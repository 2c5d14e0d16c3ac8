import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';

interface Package {
  readonly resolved?: string;
  readonly integrity?: string;
  readonly hasInstallScript?: boolean;
}

const readJson = (name: string): unknown => JSON.parse(readFileSync(new URL(`../../${name}`, import.meta.url), 'utf8'));

// Sound: both files are npm's, with the shape that npm documents.
const { packages } = readJson('package-lock.json') as { packages: Readonly<Record<string, Package>> };
const { allowScripts } = readJson('package.json') as { allowScripts: Readonly<Record<string, boolean>> };
const installed = Object.entries(packages).filter(([path]) => path !== '');

test('the lock file names no registry, so that it works with any mirror', () => {
  for (const [path, { resolved }] of installed) {
    assert.equal(resolved, undefined, path);
  }
});

test('every locked package has its checksum', () => {
  for (const [path, { integrity }] of installed) {
    assert.match(integrity ?? '', /^sha512-/, path);
  }
});

test('package.json says of every package with an install script whether it may run', () => {
  for (const [path, { hasInstallScript }] of installed) {
    if (hasInstallScript === true) {
      const name = path.slice(path.lastIndexOf('node_modules/') + 'node_modules/'.length);
      assert.equal(typeof allowScripts[name], 'boolean', name);
    }
  }
});

test('the pinned Node is the one that runs the tests', () => {
  const { devDependencies } = readJson('package.json') as { devDependencies: Readonly<Record<string, string>> };
  assert.equal(process.versions.node, devDependencies['node']);
});
