import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';

interface Package {
  readonly resolved?: string;
  readonly integrity?: string;
  readonly hasInstallScript?: boolean;
  readonly optional?: boolean;
  readonly os?: readonly string[];
  readonly cpu?: readonly string[];
  readonly libc?: readonly string[];
  readonly optionalDependencies?: Readonly<Record<string, string>>;
}

const readJson = (name: string): unknown => JSON.parse(readFileSync(new URL(`../../${name}`, import.meta.url), 'utf8'));

// Sound: both files are npm's, with the shape that npm documents.
const { packages } = readJson('package-lock.json') as { packages: Readonly<Record<string, Package>> };
const { allowScripts } = readJson('package.json') as { allowScripts: Readonly<Record<string, boolean>> };
const installed = Object.entries(packages).filter(([path]) => path !== '');

/** Packages for other platforms come from where the lock file was completed by hand, and are not installed here. */
const isForElsewhere = ({ optional, os, cpu, libc }: Package): boolean =>
  optional === true &&
  (os?.includes('linux') === false || cpu?.includes('x64') === false || libc?.includes('glibc') === false);

test('the lock file names no registry, so that it works with any mirror', () => {
  for (const [path, { resolved }] of installed) {
    assert.equal(resolved, undefined, path);
  }
});

test('every package that is installed on the machines of the project has its checksum', () => {
  for (const [path, entry] of installed.filter(([, entry]) => !isForElsewhere(entry))) {
    assert.match(entry.integrity ?? '', /^sha512-/, path);
  }
});

test('packages for other platforms are locked too, or npm ci refuses to run (npm run lock)', () => {
  const names = installed.map(([path]) => path.slice(path.lastIndexOf('node_modules/') + 'node_modules/'.length));
  for (const [path, { optionalDependencies = {} }] of installed) {
    for (const name of Object.keys(optionalDependencies)) {
      assert.ok(names.includes(name), `${name}, which ${path} asks for`);
    }
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
