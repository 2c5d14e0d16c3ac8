import { createPublicKey, type KeyObject } from 'node:crypto';
import { resolve } from 'node:path';
import { keyFits, type SignatureAlgorithm } from '../base/signature-algorithm.ts';
import { readTextFile, UnreadableFile } from './read-text-file.ts';

const MAX_KEY_BYTES = 65_536;

/** A public key that cannot be used; the message goes on after the option's name. */
export class UnusablePublicKey extends Error {}

/** The PEM text that an option stands for: its own, or that of a file, of which `directory` is the start. Throws UnusablePublicKey. */
export function publicKeyText(option: string, directory: string, seen: (file: string) => void): string {
  if (option.includes('-----BEGIN ')) return option;
  const file = resolve(directory, option);
  seen(file);
  try {
    return readTextFile(file, MAX_KEY_BYTES);
  } catch (error) {
    if (error instanceof UnreadableFile) throw new UnusablePublicKey(`the file ${error.message}`);
    throw error;
  }
}

/** Throws UnusablePublicKey for what is no public key, and for one that an algorithm does not work with. */
export function checkPublicKey(pem: string, algorithms: readonly SignatureAlgorithm[]): void {
  // It would do, but whoever reads the configuration could sign.
  if (pem.includes('PRIVATE KEY-----')) throw new UnusablePublicKey('want the public key, got a private one');
  const key = readKey(pem);
  const misfit = algorithms.find((algorithm) => !keyFits(key, algorithm));
  if (misfit === undefined) return;
  throw new UnusablePublicKey(`want a key for ${misfit}, got one of the kind ${describe(key)}`);
}

function readKey(pem: string): KeyObject {
  try {
    return createPublicKey(pem);
  } catch {
    throw new UnusablePublicKey('want a public key in PEM');
  }
}

function describe({ asymmetricKeyType, asymmetricKeyDetails: { modulusLength, namedCurve } = {} }: KeyObject): string {
  return [asymmetricKeyType, namedCurve, modulusLength === undefined ? undefined : `${modulusLength} bits`]
    .filter((part) => part !== undefined)
    .join(', ');
}
