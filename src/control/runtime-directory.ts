import { createHash } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { tmpdir, userInfo } from 'node:os';
import { join, resolve } from 'node:path';

/**
 * The directory for files that live as long as the machine runs: what systemd gives us (`RuntimeDirectory=`), `/run/photon` for
 * root, else one within the user's own.
 */
export function runtimeDirectory(env: NodeJS.ProcessEnv = process.env): string {
  const given = env['RUNTIME_DIRECTORY']?.split(':')[0];
  if (given !== undefined && given !== '') return given;
  if (process.getuid?.() === 0) return '/run/photon';
  const ofUser = env['XDG_RUNTIME_DIR'];
  return ofUser !== undefined && ofUser !== '' ? join(ofUser, 'photon') : join(tmpdir(), `photon-${userInfo().uid}`);
}

/** Where a gateway hears commands unless its configuration says otherwise: a name of its own for each configuration file. */
export function controlSocketPath(configFile: string): string {
  const name = createHash('sha256').update(resolve(configFile)).digest('hex').slice(0, 12);
  return join(runtimeDirectory(), `photon-${name}.sock`);
}

/** Makes the directory of a file, for us alone, where there is none yet. */
export function makePrivateDirectory(path: string): void {
  mkdirSync(path, { recursive: true, mode: 0o700 });
}
