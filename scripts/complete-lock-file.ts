/**
 * Adds to package-lock.json the optional packages for other platforms that npm left out. A registry mirror that does
 * not carry them makes `npm install` drop them from the lock file, after which `npm ci` refuses to run. Run it after an
 * `npm install` that changed the lock file; test/house/lock-file.test.ts tells when it is needed.
 */
import { readFileSync, writeFileSync } from 'node:fs';

interface LockedPackage {
  readonly version?: string;
  readonly dev?: boolean;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
  readonly [field: string]: unknown;
}

const FILE = new URL('../package-lock.json', import.meta.url);

/** `@swc/core-linux-arm64-musl`: the end of such a name says where the package runs. */
const PLATFORM = /-(?<os>android|darwin|freebsd|linux|openharmony|win32)-(?<cpu>[a-z0-9]+)(?:-(?<abi>[a-z]+))?$/;

function platformFields(name: string): LockedPackage {
  const { os, cpu, abi } = PLATFORM.exec(name.slice(name.indexOf('/')).replace('/', '-'))?.groups ?? {};
  if (os === undefined || cpu === undefined) {
    throw new Error(`Cannot complete the lock file: want a platform at the end of the package's name, got "${name}"`);
  }
  return { cpu: [cpu], os: [os], ...(os === 'linux' ? { libc: [abi?.includes('musl') ? 'musl' : 'glibc'] } : {}) };
}

const lock = JSON.parse(readFileSync(FILE, 'utf8')) as { packages: Record<string, LockedPackage> };
const isLocked = (name: string): boolean =>
  Object.keys(lock.packages).some((path) => path.endsWith(`node_modules/${name}`));

for (const { dev, optionalDependencies = {} } of Object.values(lock.packages)) {
  for (const [name, version] of Object.entries(optionalDependencies).filter(([name]) => !isLocked(name))) {
    const entry = { version, ...platformFields(name), ...(dev === true ? { dev } : {}), optional: true };
    lock.packages[`node_modules/${name}`] = entry;
    console.log(`locked ${name} ${version}`);
  }
}
lock.packages = Object.fromEntries(Object.entries(lock.packages).sort(([a], [b]) => a.localeCompare(b, 'en')));
writeFileSync(FILE, `${JSON.stringify(lock, null, 2)}\n`);
