import { mkdirSync } from 'node:fs';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';

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

/** Makes the directory of a file, for us alone, where there is none yet. */
export function makePrivateDirectory(path: string): void {
  mkdirSync(path, { recursive: true, mode: 0o700 });
}
