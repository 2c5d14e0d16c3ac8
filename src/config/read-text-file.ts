import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs';
import type { DiagnosticCode } from './finding.ts';

/** Why a file cannot be used; the message goes on after the file's name: `is a directory`. */
export class UnreadableFile extends Error {
  readonly code: DiagnosticCode;

  constructor(code: DiagnosticCode, message: string) {
    super(message);
    this.code = code;
  }
}

/**
 * Reads a regular file of at most `maxBytes` as UTF-8; a byte order mark in front is dropped.
 *
 * @throws UnreadableFile
 */
export function readTextFile(path: string, maxBytes: number): string {
  const bytes = readBytes(path, maxBytes);
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    const line = new TextDecoder('latin1').decode(bytes.subarray(0, firstInvalidByte(bytes))).split('\n').length;
    throw new UnreadableFile('not-utf8', `is not valid UTF-8 in line ${line}`);
  }
}

function readBytes(path: string, maxBytes: number): Buffer {
  const descriptor = open(path);
  try {
    const stat = fstatSync(descriptor);
    if (stat.isDirectory()) throw new UnreadableFile('not-a-file', 'is a directory');
    if (!stat.isFile()) throw new UnreadableFile('not-a-file', 'is not a regular file');
    // One byte more than allowed shows that there is more, even in a file that grows or lies about its size.
    const buffer = Buffer.allocUnsafe(maxBytes + 1);
    let length = 0;
    for (let read = -1; read !== 0 && length <= maxBytes; length += read) {
      read = readSync(descriptor, buffer, length, buffer.length - length, null);
    }
    if (length > maxBytes) throw new UnreadableFile('file-too-large', `is larger than ${maxBytes} bytes`);
    return buffer.subarray(0, length);
  } catch (error) {
    throw error instanceof UnreadableFile ? error : unreadable(error);
  } finally {
    closeSync(descriptor);
  }
}

function open(path: string): number {
  try {
    // Without O_NONBLOCK, opening a pipe would wait for a writer.
    return openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  } catch (error) {
    throw unreadable(error);
  }
}

function unreadable(error: unknown): UnreadableFile {
  const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown error';
  if (code === 'ENOENT') return new UnreadableFile('file-not-found', 'does not exist');
  if (code === 'EACCES' || code === 'EPERM')
    return new UnreadableFile('file-unreadable', 'may not be read by this user');
  return new UnreadableFile('file-unreadable', `cannot be read (${code})`);
}

/** Index of the first byte that no valid UTF-8 could have here. */
function firstInvalidByte(bytes: Buffer): number {
  const lossy = new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes);
  const replaced = Buffer.from(lossy);
  let index = 0;
  while (index < bytes.length && bytes[index] === replaced[index]) index++;
  return index;
}
