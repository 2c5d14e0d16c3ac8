/**
 * Makes a fresh clone ready, then runs the script it was given on the pinned Node:
 *
 *   node scripts/setup.mjs [script [argument...]]
 *
 * This is the only file that the machine's own Node has to understand, so it is plain JavaScript without dependencies.
 * It installs the locked packages when they are missing or differ from the lock file, and checks that the runtime
 * among them (the npm package `node`) starts. Exit code: 1 when the set-up fails, else the script's own.
 */
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { constants } from 'node:os';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const OLDEST_HOST = 20;
const ROOT = fileURLToPath(new URL('..', import.meta.url));
const BIN = join(ROOT, 'node_modules', '.bin');
const PINNED_NODE = join(BIN, 'node');

function fail(...lines) {
  for (const line of lines) {
    console.error(`setup: ${line}`);
  }
  process.exit(1);
}

function readJson(...path) {
  return JSON.parse(readFileSync(join(ROOT, ...path), 'utf8'));
}

function checkHostVersion() {
  const major = Number(process.versions.node.split('.')[0]);
  if (major < OLDEST_HOST) {
    fail(`Cannot set up with Node ${process.versions.node}: want Node ${OLDEST_HOST} or later.`);
  }
}

/**
 * npm writes `node_modules/.package-lock.json` at the end of every install: what is there, in the lock file's own form.
 * A package for another platform is in the lock file only, and marked optional.
 */
function isInstalled() {
  if (!existsSync(join(ROOT, 'node_modules', '.package-lock.json'))) {
    return false;
  }
  const wanted = readJson('package-lock.json').packages;
  const present = readJson('node_modules', '.package-lock.json').packages;
  const asLocked = ([path, entry]) =>
    path === '' || (present[path] === undefined ? entry.optional === true : present[path].version === entry.version);
  return Object.entries(wanted).every(asLocked) && Object.keys(present).every((path) => wanted[path] !== undefined);
}

function runNpm(...args) {
  const { status, error } = spawnSync('npm', args, { cwd: ROOT, stdio: ['ignore', 'inherit', 'inherit'] });
  if (error !== undefined) {
    fail(`Cannot run npm: ${error.message}. It comes with Node; on Debian: apt-get install npm`);
  }
  return status === 0;
}

/** Only errors are shown: npm would warn that the machine's Node is not the one that Photon runs on. */
function install() {
  console.log('setup: npm ci (installs the locked packages into node_modules)');
  if (!runNpm('ci', '--no-audit', '--no-fund', '--loglevel=error')) {
    fail('npm ci failed; its own message is above. It needs the npm registry, or a filled npm cache.');
  }
}

/** The version that `node_modules/.bin/node` prints, or null when it does not run. */
function pinnedVersion() {
  const { status, stdout } = spawnSync(PINNED_NODE, ['--version'], { encoding: 'utf8' });
  return status === 0 ? stdout.trim().replace(/^v/, '') : null;
}

/** The package `node` fetches its binary in an install script, which a user's npm settings may have kept from running. */
function checkPinnedNode() {
  const wanted = readJson('package.json').devDependencies.node;
  if (pinnedVersion() === wanted) {
    return;
  }
  console.log(`setup: npm rebuild node (node_modules/.bin/node does not run as v${wanted} yet)`);
  runNpm('rebuild', 'node', '--ignore-scripts=false', '--foreground-scripts');
  if (pinnedVersion() !== wanted) {
    fail(
      `Cannot start node_modules/.bin/node as v${wanted}.`,
      'Its install script has to run: check that npm allows scripts, remove node_modules and try again.',
    );
  }
}

/** Runs a script on the pinned Node in this terminal and ends as it ends. */
function runScript(args) {
  const env = { ...process.env, PATH: `${BIN}${delimiter}${process.env.PATH ?? ''}` };
  const child = spawn(PINNED_NODE, args, { cwd: ROOT, env, stdio: 'inherit' });
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
    process.on(signal, () => child.kill(signal));
  }
  child.on('error', (error) => fail(`Cannot start ${args[0]}: ${error.message}`));
  child.on('exit', (code, signal) => process.exit(code ?? 128 + constants.signals[signal]));
}

checkHostVersion();
if (!isInstalled()) {
  install();
}
checkPinnedNode();
if (process.argv.length > 2) {
  runScript(process.argv.slice(2));
}
