import { createHash } from 'node:crypto';
import { existsSync, lstatSync, mkdirSync, type Stats, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, isAbsolute, join, resolve } from 'node:path';

/**
 * The directory for files that live as long as the machine runs: the one that systemd gives us (`RuntimeDirectory=`), `/run/photon` for
 * root, else one within the user's own (XDG Base Directory Specification), else one of the user's number among the temporary files.
 */
export function runtimeDirectory(env: NodeJS.ProcessEnv = process.env, uid: number = ownUid()): string {
  const given = givenDirectory(env);
  if (given !== null) return given;
  if (uid === 0) return '/run/photon';
  const ofUser = env['XDG_RUNTIME_DIR'] ?? '';
  return isAbsolute(ofUser) ? join(ofUser, 'photon') : join(tmpdir(), `photon-${uid}`);
}

/** Null: systemd gives us none. */
function givenDirectory(env: NodeJS.ProcessEnv): string | null {
  const first = env['RUNTIME_DIRECTORY']?.split(':')[0] ?? '';
  return first === '' ? null : first;
}

/** Not every user has an entry in /etc/passwd, in containers least of all. */
const ownUid = (): number => process.geteuid?.() ?? 0;

/** Where a gateway hears commands unless its configuration says otherwise: a name of its own for each configuration file. */
export function controlSocketPath(configFile: string): string {
  const name = createHash('sha256').update(resolve(configFile)).digest('hex').slice(0, 12);
  return join(runtimeDirectory(), `photon-${name}.sock`);
}

/** The runtime directory is not safe to use: anyone may make one among the temporary files. */
export class ForeignDirectoryError extends Error {
  override readonly name = 'ForeignDirectoryError';
}

/** Makes a directory, for us alone, where there is none yet. Throws a ForeignDirectoryError when it is the runtime directory and not ours. */
export function makePrivateDirectory(path: string): void {
  refuseForeignRuntimeDirectory(path);
  makeDirectory(path);
  refuseForeignRuntimeDirectory(path);
}

/** With those above it. `mkdirSync` does that too, and never returns where a directory is there that can have none in it, such as /proc. */
function makeDirectory(path: string): void {
  if (existsSync(path)) return;
  makeDirectory(dirname(path));
  try {
    mkdirSync(path, { mode: 0o700 });
  } catch (error) {
    // Another process may have been quicker.
    if (!existsSync(path)) throw error;
  }
}

/** Throws a ForeignDirectoryError for a runtime directory whose files another user may change. One that is not there is nobody's. */
export function refuseForeignRuntimeDirectory(path: string): void {
  if (path !== runtimeDirectory()) return;
  const fault = findDirectoryFault(path, { isGiven: path === givenDirectory(process.env) });
  if (fault !== null) {
    throw new ForeignDirectoryError(
      `Cannot use the directory ${path}: ${fault}; XDG_RUNTIME_DIR and server.upgrade_sock name other places`,
    );
  }
}

export interface DirectoryTrust {
  /** The service manager names it, and may have made a link: it does so where it gives a service a user of its own. */
  readonly isGiven?: boolean;
  readonly uid?: number;
}

/** Why another user may change the files of a directory; null: none may, or it is not there. */
export function findDirectoryFault(
  path: string,
  { isGiven = false, uid = ownUid() }: DirectoryTrust = {},
): string | null {
  const stats = isGiven ? statOf(statSync, path) : statOf(lstatSync, path);
  if (stats === undefined) return null;
  if (stats.isSymbolicLink()) return 'it is a symbolic link';
  if (!stats.isDirectory()) return 'it is no directory';
  if (stats.uid !== uid) return `it belongs to the user ${stats.uid}, want ${uid}`;
  const mode = stats.mode & 0o777;
  return (mode & 0o022) === 0 ? null : `others may write to it (mode ${mode.toString(8)}), want mode 700`;
}

const statOf = (stat: typeof statSync, path: string): Stats | undefined => stat(path, { throwIfNoEntry: false });
