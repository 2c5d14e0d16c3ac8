import { execFileSync } from 'node:child_process';
import { accessSync, constants, existsSync, rmSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';

interface DebianPackage {
  readonly name: string;
  /** The program that tells whether the package is there, wherever it came from. */
  readonly executable: string;
  /** The test groups that cannot run without it. */
  readonly neededBy: readonly string[];
  readonly why: string;
}

/** Everything that `npm test` wants from the machine and npm cannot bring. */
const DEBIAN_PACKAGES: readonly DebianPackage[] = [
  {
    name: 'nginx',
    executable: 'nginx',
    neededBy: ['processes', 'integration'],
    why: 'a real upstream that is not our own code',
  },
  {
    name: 'curl',
    executable: 'curl',
    neededBy: ['house', 'integration'],
    why: 'the client that everybody tries first',
  },
  {
    name: 'haproxy',
    executable: 'haproxy',
    neededBy: ['integration'],
    why: 'the proxy that the PROXY protocol comes from',
  },
  { name: 'wrk', executable: 'wrk', neededBy: ['processes', 'integration'], why: 'many busy connections at once' },
  {
    name: 'slowhttptest',
    executable: 'slowhttptest',
    neededBy: ['integration'],
    why: 'clients that are slow on purpose',
  },
  { name: 'chromium', executable: 'chromium', neededBy: ['browser'], why: 'a real browser, driven by playwright-core' },
];

/** Debian keeps daemons there, nginx among them; an ordinary user's PATH does not name it. */
const SYSTEM_DIRECTORIES = ['/usr/local/sbin', '/usr/sbin', '/sbin'];

/** A script that exits with 101 keeps apt from starting the services that it installs (invoke-rc.d(8)). */
const POLICY_FILE = '/usr/sbin/policy-rc.d';

/** PATH, and at its end the directories of daemons. */
export function pathWithDaemons(): string {
  return [process.env['PATH'] ?? '', ...SYSTEM_DIRECTORIES].join(delimiter);
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

function isPresent({ executable }: DebianPackage): boolean {
  return pathWithDaemons()
    .split(delimiter)
    .some((directory) => isExecutable(join(directory, executable)));
}

function mayInstall(): boolean {
  const asked = [process.env['CI'], process.env['PHOTON_INSTALL']].some((value) => value === 'true' || value === '1');
  return asked && process.getuid?.() === 0;
}

function withoutServiceStart(install: () => void): void {
  if (existsSync(POLICY_FILE)) {
    install();
    return;
  }
  writeFileSync(POLICY_FILE, '#!/bin/sh\nexit 101\n', { mode: 0o755 });
  try {
    install();
  } finally {
    rmSync(POLICY_FILE);
  }
}

function aptGet(...args: string[]): void {
  execFileSync('apt-get', ['-q', ...args], {
    env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
    stdio: ['ignore', 'inherit', 'inherit'],
  });
}

function install(names: readonly string[]): void {
  withoutServiceStart(() => {
    aptGet('update');
    aptGet('install', '-y', '--no-install-recommends', ...names);
  });
}

/**
 * Sees to it that the packages of the named test groups are there. Root with CI or PHOTON_INSTALL set to 1 or true
 * installs what is missing; for anybody else it throws an error that lists the packages and the command.
 */
export function provideDebianPackages(groups: readonly string[]): void {
  const missing = DEBIAN_PACKAGES.filter(
    (entry) => entry.neededBy.some((group) => groups.includes(group)) && !isPresent(entry),
  );
  if (missing.length === 0) {
    return;
  }
  const names = missing.map(({ name }) => name);
  if (mayInstall()) {
    install(names);
    return;
  }
  const reasons = missing.map(({ name, neededBy, why }) => `  ${name}: ${why} (${neededBy.join(' and ')} tests)`);
  throw new Error(
    [
      'Cannot run all tests: want these Debian packages, which are not installed:',
      ...reasons,
      `Install them: sudo apt-get install -y --no-install-recommends ${names.join(' ')}`,
      'or, as root: PHOTON_INSTALL=1 npm test',
    ].join('\n'),
  );
}
