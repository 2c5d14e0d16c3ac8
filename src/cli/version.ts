import { readFileSync } from 'node:fs';

/** The version in package.json, which lies two folders up both from here and from the built file in dist/cli/. */
export function readVersion(): string {
  const text = readFileSync(new URL('../../package.json', import.meta.url), 'utf8');
  return (JSON.parse(text) as { version: string }).version;
}
