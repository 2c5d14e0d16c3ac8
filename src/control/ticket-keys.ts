import { randomBytes } from 'node:crypto';
import {
  closeSync,
  constants as fsConstants,
  fstatSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { dirname } from 'node:path';
import type { EventLog } from './event-log.ts';
import { makePrivateDirectory } from './runtime-directory.ts';

/** Of OpenSSL: 16 bytes for the key's name, 16 for AES, 16 for HMAC. */
const KEY_BYTES = 48;

/** Whoever gets hold of a key reads the sessions that it sealed: it is used for a day. */
const LIFE_MS = 86_400_000;

interface StampedKey {
  readonly madeMs: number;
  readonly key: Buffer;
}

/**
 * The key that seals session tickets, new every day. It lives in a file, so that sessions are resumed after a restart, by the
 * process that takes over in an upgrade, and by other gateways that share the file:
 *
 *   <when it was made, in milliseconds since 1970> <48 bytes, base64>\n
 */
export class TicketKeys {
  readonly #file: string;
  readonly #log: EventLog;
  readonly #now: () => number;
  #current: StampedKey;

  /** Takes the key of the file, or makes one. A file that cannot be used is an event, no error: the key is then in memory alone. */
  constructor(file: string, log: EventLog, now: () => number = Date.now) {
    this.#file = file;
    this.#log = log;
    this.#now = now;
    this.#current = this.#fromFile() ?? this.#make();
  }

  get current(): Uint8Array {
    return this.#current.key;
  }

  /** Goes over to the next key when the time has come; true when it did. Another process may have made it. */
  rotateIfDue(): boolean {
    if (this.#isFresh(this.#current)) return false;
    this.#current = this.#fromFile() ?? this.#make();
    return true;
  }

  #isFresh({ madeMs }: StampedKey): boolean {
    const age = this.#now() - madeMs;
    return age >= 0 && age < LIFE_MS;
  }

  #fromFile(): StampedKey | null {
    const found = readOwnFile(this.#file);
    const match = found === null ? null : /^(\d{1,15}) ([A-Za-z0-9+/]{64})\n$/.exec(found);
    if (match === null) return null;
    const stamped = { madeMs: Number(match[1]), key: Buffer.from(match[2] as string, 'base64') };
    return this.#isFresh(stamped) ? stamped : null;
  }

  #make(): StampedKey {
    const made = { madeMs: this.#now(), key: randomBytes(KEY_BYTES) };
    try {
      makePrivateDirectory(dirname(this.#file));
      writeOwnFile(this.#file, `${made.madeMs} ${made.key.toString('base64')}\n`);
    } catch (error) {
      const reason = (error as NodeJS.ErrnoException).code ?? String(error);
      this.#log.warn('ticket-keys-not-kept', { file: this.#file, reason });
    }
    return made;
  }
}

/** The text of a file that is ours and that nobody else can read or write; null for any other, which somebody may have planted. */
function readOwnFile(file: string): string | null {
  let descriptor: number;
  try {
    descriptor = openSync(file, fsConstants.O_RDONLY | fsConstants.O_NOFOLLOW | fsConstants.O_NONBLOCK);
  } catch {
    return null;
  }
  try {
    const stat = fstatSync(descriptor);
    const isOurs = stat.isFile() && stat.uid === process.getuid?.() && (stat.mode & 0o077) === 0 && stat.size < 1024;
    return isOurs ? readFileSync(descriptor, 'latin1') : null;
  } finally {
    closeSync(descriptor);
  }
}

/** Whoever reads the file sees all of it or nothing. */
function writeOwnFile(file: string, text: string): void {
  const unfinished = `${file}.${process.pid}`;
  rmSync(unfinished, { force: true });
  writeFileSync(unfinished, text, { mode: 0o600, flag: 'wx' });
  renameSync(unfinished, file);
}
